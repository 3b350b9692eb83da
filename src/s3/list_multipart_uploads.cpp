#include <set>

#include "s3/operation.hpp"
#include "s3/text.hpp"
#include "s3/xml_writer.hpp"

namespace turbine::s3 {
namespace {

struct Page {
  std::vector<fs::UploadInfo> uploads;
  std::set<std::string> prefixes;
  bool more = false;
  std::string next_key, next_id;
};

/// Whether `marker` is a common prefix that the page before has given, to be skipped as a whole.
bool is_common_prefix(std::string_view marker, std::string_view prefix,
                      std::string_view delimiter) {
  if (delimiter.empty() || !marker.starts_with(prefix)) return false;
  const size_t at = marker.find(delimiter, prefix.size());
  return at != std::string_view::npos && at + delimiter.size() == marker.size();
}

/// One page; uploads below a common prefix count once, and the page behind skips them all.
S3Task<Page> collect(Environment& env, const Request& request, std::string prefix,
                     std::string delimiter, size_t count) {
  Page page;
  page.next_key = request.query.get("key-marker");
  page.next_id = page.next_key.empty() ? "" : request.query.get("upload-id-marker");
  std::string skipped = is_common_prefix(page.next_key, prefix, delimiter) ? page.next_key : "";
  std::string from_key = page.next_key, from_id = page.next_id;
  bool more = count > 0;
  while (more) {
    const auto found = CO_TRY(co_await env.files.list_uploads(
        env.begin(request), request.bucket, prefix, from_key, from_id, 1000, &more));
    if (found.empty()) break;
    for (const auto& upload : found) {
      if (!skipped.empty() && upload.key.starts_with(skipped)) continue;
      if (page.uploads.size() + page.prefixes.size() == count) {
        page.more = true;
        co_return page;
      }
      const size_t at =
          delimiter.empty() ? std::string::npos : upload.key.find(delimiter, prefix.size());
      if (at == std::string::npos) {
        page.uploads.push_back(upload);
        page.next_key = upload.key;
        page.next_id = upload.id;
      } else {
        skipped = upload.key.substr(0, at + delimiter.size());
        page.prefixes.insert(skipped);
        page.next_key = skipped;
        page.next_id.clear();
      }
    }
    from_key = found.back().key;
    from_id = found.back().id;
  }
  co_return page;
}

}  // namespace

S3Task<> list_multipart_uploads(Environment& env, Request& request) {
  const Query& query = request.query;
  uint64_t count = 1000;
  if (query.has("max-uploads")) {
    const auto number = parse_decimal(query.get("max-uploads"));
    if (!number || *number > INT32_MAX) {
      co_return s3_fail(S3Code::invalid_argument,
                        "Provided max-uploads not an integer or within integer range");
    }
    count = std::min<uint64_t>(*number, 1000);
  }
  const bool encode = query.get("encoding-type") == "url";
  const std::string prefix(query.get("prefix")), delimiter(query.get("delimiter"));
  if (count == 0) CO_TRY(co_await env.files.bucket(env.begin(request), request.bucket));
  const Page page = CO_TRY(co_await collect(env, request, prefix, delimiter, count));

  XmlWriter xml("ListMultipartUploadsResult");
  auto name = [&](std::string_view element, std::string_view value) {
    xml.element(element, encode ? percent_encoded(value, true) : std::string(value));
  };
  xml.element("Bucket", request.bucket);
  name("KeyMarker", query.get("key-marker"));
  xml.element("UploadIdMarker", query.get("upload-id-marker"));
  if (page.more) {
    name("NextKeyMarker", page.next_key);
    xml.element("NextUploadIdMarker", page.next_id);
  }
  name("Prefix", prefix);
  if (!delimiter.empty()) name("Delimiter", delimiter);
  if (encode) xml.element("EncodingType", "url");
  xml.element("MaxUploads", count);
  xml.element("IsTruncated", page.more);
  for (const auto& upload : page.uploads) {
    xml.open("Upload");
    name("Key", upload.key);
    xml.element("UploadId", upload.id);
    for (const std::string_view who : {"Initiator", "Owner"}) {
      xml.open(who);
      xml.element("ID", request.principal.user);
      xml.element("DisplayName", request.principal.user_name);
      xml.close();
    }
    xml.element("StorageClass", "STANDARD");
    xml.element("Initiated", format_iso_time(upload.created_ns));
    xml.close();
  }
  for (const auto& common : page.prefixes) {
    xml.open("CommonPrefixes");
    name("Prefix", common);
    xml.close();
  }
  co_return co_await send_xml(request, xml.take());
}

}  // namespace turbine::s3
