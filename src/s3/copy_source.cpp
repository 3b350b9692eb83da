#include "s3/copy_source.hpp"

#include "base/utf8.hpp"
#include "s3/conditions.hpp"
#include "s3/text.hpp"

namespace turbine::s3 {
namespace {

constexpr uint64_t kCopiedAtOnce = uint64_t{1024} * 1024;

struct SourceName {
  std::string bucket, key;
};

S3Result<SourceName> parse_source(std::string_view header) {
  auto refuse = [] {
    return s3_fail(S3Code::invalid_argument,
                   "Copy Source must mention the source bucket and key: sourcebucket/sourcekey");
  };
  const size_t question = header.find('?');
  if (question != std::string_view::npos && header.substr(question).starts_with("?versionId=")) {
    if (header.substr(question) != "?versionId=null") {
      return s3_fail(S3Code::not_implemented, "Versions are not implemented.");
    }
    header = header.substr(0, question);
  }
  const auto decoded = percent_decode(header, false);
  if (!decoded || !is_valid_utf8(*decoded)) return refuse();
  std::string_view path = *decoded;
  if (path.starts_with('/')) path.remove_prefix(1);
  const size_t slash = path.find('/');
  if (slash == std::string_view::npos || slash + 1 == path.size()) return refuse();
  SourceName name{std::string(path.substr(0, slash)), std::string(path.substr(slash + 1))};
  if (!is_possible_bucket_name(name.bucket)) return refuse();
  if (name.key.size() > kKeyBytesMax) return s3_fail(S3Code::key_too_long, "Your key is too long");
  return name;
}

}  // namespace

S3Task<CopySource> open_copy_source(Environment& env, const Request& request) {
  if (request.head.count("x-amz-copy-source") != 1) {
    co_return s3_fail(S3Code::invalid_argument, "x-amz-copy-source is given twice");
  }
  const auto name = CO_TRY(parse_source(request.head.get("x-amz-copy-source")));
  CO_TRY(co_await env.authorize(request.principal, name.bucket));
  auto reader = co_await env.files.open(env.begin(request), name.bucket, name.key);
  if (reader.failed_with(Errc::not_found)) {
    const auto bucket = co_await env.files.bucket(env.begin(request), name.bucket);
    co_return std::unexpected(to_s3_error(
        reader.error(), bucket.failed_with(Errc::not_found) ? Subject::bucket : Subject::object));
  }
  if (!reader.ok()) co_return std::unexpected(S3Error(std::move(reader.error())));
  const auto conditions = read_conditions(request.head, "x-amz-copy-source-");
  if (evaluate(conditions, (*reader)->info()) != ConditionOutcome::holds) {
    co_return condition_failed("x-amz-copy-source-If-*");
  }
  co_return CopySource{name.bucket, name.key, std::move(*reader)};
}

S3Task<std::string> copy_bytes(fs::ObjectReader& reader, fs::ObjectWriter& writer, ByteRange range,
                               bool want_md5) {
  const auto digest = make_digest(DigestKind::md5);
  while (range.length > 0) {
    const uint64_t count = std::min(range.length, kCopiedAtOnce);
    for (Buffer& piece : CO_TRY(co_await reader.read(range.offset, count))) {
      if (want_md5) digest->update(piece.view());
      CO_TRY(co_await writer.write(std::move(piece)));
    }
    range.offset += count;
    range.length -= count;
  }
  co_return want_md5 ? to_hex(as_bytes(digest->finish())) : std::string();
}

}  // namespace turbine::s3
