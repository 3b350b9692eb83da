#include "s3/copy_source.hpp"
#include "s3/multipart.hpp"
#include "s3/object_fields.hpp"
#include "s3/text.hpp"
#include "s3/xml_writer.hpp"

namespace turbine::s3 {

S3Task<> upload_part_copy(Environment& env, Request& request) {
  const PartAddress part = CO_TRY(part_address(request.query));
  const CopySource source = CO_TRY(co_await open_copy_source(env, request));
  ByteRange range{0, source.reader->info().size};
  if (request.head.has("x-amz-copy-source-range")) {
    range = CO_TRY(parse_copy_range(request.head.get("x-amz-copy-source-range"), range.length));
  }
  if (range.length > kObjectBytesMax) {
    co_return s3_fail(S3Code::entity_too_large, "The part is larger than 5 GiB");
  }
  auto writer = CO_TRY(co_await env.files.create_part(
      env.begin(request), request.bucket, request.key, part.upload, part.number, range.length));
  fs::NewObject attributes;
  attributes.etag = CO_TRY(co_await copy_bytes(*source.reader, *writer, range, true));
  const std::string etag = attributes.etag;
  const auto made = CO_TRY(co_await writer->commit(std::move(attributes), {}));
  XmlWriter xml("CopyPartResult");
  xml.element("LastModified", format_iso_time(made.modified_ns));
  xml.element("ETag", quoted_etag(etag));
  co_return co_await send_xml(request, xml.take());
}

}  // namespace turbine::s3
