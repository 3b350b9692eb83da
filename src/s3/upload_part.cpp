#include "s3/multipart.hpp"
#include "s3/object_fields.hpp"

namespace turbine::s3 {

S3Task<> upload_part(Environment& env, Request& request) {
  RequestBody& body = request.body;
  const PartAddress part = CO_TRY(part_address(request.query));
  if (!body.length_given()) {
    co_return s3_fail(S3Code::missing_content_length,
                      "You must provide the Content-Length HTTP header.");
  }
  body.compute_md5();
  auto writer = CO_TRY(co_await env.files.create_part(
      env.begin(request), request.bucket, request.key, part.upload, part.number, body.size()));
  for (;;) {
    if (body.size().value_or(body.received()) > kObjectBytesMax) {
      co_return s3_fail(S3Code::entity_too_large,
                        "Your proposed upload exceeds the maximum allowed size");
    }
    Buffer data = CO_TRY(co_await body.next());
    if (data.empty()) break;
    CO_TRY(co_await writer->write(std::move(data)));
  }
  fs::NewObject attributes;
  attributes.etag = body.md5_hex();
  ResponseHead head;
  head.add("ETag", quoted_etag(body.md5_hex()));
  if (const auto& checksum = body.checksum()) {
    const ChecksumName* name = checksum_by_header(checksum->first);
    attributes.etag = stored_part_etag(body.md5_hex(), name->name, checksum->second);
    head.add(checksum->first, checksum->second);
  }
  CO_TRY(co_await writer->commit(std::move(attributes), {}));
  co_return co_await send_head(request, std::move(head));
}

}  // namespace turbine::s3
