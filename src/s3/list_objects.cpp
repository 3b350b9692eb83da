// ListObjects and ListObjectsV2.
#include "base/utf8.hpp"
#include "s3/object_fields.hpp"
#include "s3/operation.hpp"
#include "s3/text.hpp"
#include "s3/xml_writer.hpp"

namespace turbine::s3 {
namespace {

constexpr uint64_t kMaxKeys = 1000;

struct ListQuery {
  fs::ListRequest request;
  uint64_t max_keys = kMaxKeys;  // as the answer repeats it
  bool encode = false;
};

S3Result<ListQuery> parse_list_query(const Query& query) {
  ListQuery result;
  result.request.prefix = query.get("prefix");
  result.request.delimiter = query.get("delimiter");
  if (const std::string* text = query.find("max-keys"); text != nullptr && !text->empty()) {
    const auto number = parse_decimal(*text);
    if (!number || *number > INT32_MAX) {
      return s3_fail(S3Code::invalid_argument,
                     "Provided max-keys not an integer or within integer "
                     "range");
    }
    result.max_keys = std::min(*number, kMaxKeys);
  }
  result.request.count = result.max_keys;
  if (query.has("encoding-type")) {
    if (query.get("encoding-type") != "url") {
      return s3_fail(S3Code::invalid_argument, "Invalid Encoding Method specified in Request");
    }
    result.encode = true;
  }
  if (result.request.prefix.size() > kKeyBytesMax) {
    return s3_fail(S3Code::key_too_long, "Your prefix is too long");
  }
  return result;
}

class ListAnswer {
 public:
  ListAnswer(const Request& request, const ListQuery& query)
      : query_(query), xml_("ListBucketResult") {
    xml_.element("Name", request.bucket);
  }

  XmlWriter& xml() { return xml_; }

  void name(std::string_view element, std::string_view value) {
    if (query_.encode) {
      xml_.element(element, percent_encoded(value, true));
    } else {
      xml_.element(element, value);
    }
  }
  void optional_name(std::string_view element, std::string_view value) {
    if (!value.empty()) name(element, value);
  }

  /// Keys first, then common prefixes, each in byte order.
  void items(const fs::ListResult& list, const Principal* owner) {
    for (const auto& item : list.items) {
      if (!item.is_prefix) key(item, owner);
    }
    for (const auto& item : list.items) {
      if (!item.is_prefix) continue;
      xml_.open("CommonPrefixes");
      name("Prefix", item.key);
      xml_.close();
    }
  }

 private:
  void key(const fs::ListResult::Item& item, const Principal* owner) {
    xml_.open("Contents");
    name("Key", item.key);
    xml_.element("LastModified", format_iso_time(item.info.modified_ns));
    xml_.element("ETag", quoted_etag(item.info.etag));
    xml_.element("Size", item.info.size);
    if (owner != nullptr) {
      xml_.open("Owner");
      xml_.element("ID", owner->user);
      xml_.element("DisplayName", owner->user_name);
      xml_.close();
    }
    xml_.element("StorageClass", "STANDARD");
    xml_.close();
  }

  const ListQuery& query_;
  XmlWriter xml_;
};

/// `encode`: names of files that are not UTF-8, which XML can't say, are in the answer.
S3Task<fs::ListResult> run_list(Environment& env, const Request& request, fs::ListRequest list,
                                bool encode) {
  if (list.count == 0) {  // still tells a missing bucket
    CO_TRY(co_await env.files.bucket(env.begin(request), request.bucket));
    co_return fs::ListResult{};
  }
  auto found = CO_TRY(co_await env.files.list(env.begin(request), request.bucket, std::move(list)));
  if (!encode) {
    std::erase_if(found.items, [](const auto& item) { return !is_valid_utf8(item.key); });
  }
  co_return found;
}

}  // namespace

S3Task<> list_objects(Environment& env, Request& request) {
  ListQuery query = CO_TRY(parse_list_query(request.query));
  query.request.start_after = request.query.get("marker");
  const auto list = CO_TRY(co_await run_list(env, request, query.request, query.encode));
  ListAnswer answer(request, query);
  answer.name("Prefix", query.request.prefix);
  answer.name("Marker", query.request.start_after);
  answer.xml().element("MaxKeys", query.max_keys);
  answer.optional_name("Delimiter", query.request.delimiter);
  if (query.encode) answer.xml().element("EncodingType", "url");
  answer.xml().element("IsTruncated", list.truncated);
  if (list.truncated) answer.name("NextMarker", list.next_start_after);
  answer.items(list, &request.principal);
  co_return co_await send_xml(request, answer.xml().take());
}

S3Task<> list_objects_v2(Environment& env, Request& request) {
  if (request.query.get("list-type") != "2") {
    co_return s3_fail(S3Code::invalid_argument, "The list-type must be 2");
  }
  ListQuery query = CO_TRY(parse_list_query(request.query));
  const std::string start_after(request.query.get("start-after"));
  const std::string* token = request.query.find("continuation-token");
  query.request.start_after = start_after;
  if (token != nullptr) {
    // Opaque for clients: the place in hexadecimal, with a letter in front for later changes.
    const auto place =
        token->starts_with('1') ? from_hex(std::string_view(*token).substr(1)) : std::nullopt;
    if (!place) {
      co_return s3_fail(S3Code::invalid_argument, "The continuation token provided is incorrect");
    }
    query.request.start_after = *place;
  }
  const auto list = CO_TRY(co_await run_list(env, request, query.request, query.encode));
  ListAnswer answer(request, query);
  answer.name("Prefix", query.request.prefix);
  if (token != nullptr) answer.xml().element("ContinuationToken", *token);
  answer.optional_name("StartAfter", start_after);
  answer.xml().element("KeyCount", list.items.size());
  answer.xml().element("MaxKeys", query.max_keys);
  answer.optional_name("Delimiter", query.request.delimiter);
  if (query.encode) answer.xml().element("EncodingType", "url");
  answer.xml().element("IsTruncated", list.truncated);
  if (list.truncated) {
    answer.xml().element("NextContinuationToken", "1" + to_hex(as_bytes(list.next_start_after)));
  }
  const bool with_owner = request.query.get("fetch-owner") == "true";
  answer.items(list, with_owner ? &request.principal : nullptr);
  co_return co_await send_xml(request, answer.xml().take());
}

}  // namespace turbine::s3
