#include "s3/conditions.hpp"
#include "s3/object_fields.hpp"
#include "s3/operation.hpp"

namespace turbine::s3 {

S3Task<> put_object(Environment& env, Request& request) {
  RequestBody& body = request.body;
  if (!body.length_given()) {
    co_return s3_fail(S3Code::missing_content_length,
                      "You must provide the Content-Length HTTP header.");
  }
  if (body.size().value_or(0) > kObjectBytesMax) {
    co_return s3_fail(S3Code::entity_too_large,
                      "Your proposed upload exceeds the maximum allowed object size");
  }
  fs::NewObject attributes = CO_TRY(attributes_of(request.head));
  const fs::Conditions conditions = CO_TRY(write_conditions(request.head));
  body.compute_md5();
  auto writer = CO_TRY(
      co_await env.files.create(env.begin(request), request.bucket, request.key, body.size()));
  for (;;) {
    Buffer data = CO_TRY(co_await body.next());
    if (data.empty()) break;
    if (body.received() > kObjectBytesMax) {
      co_return s3_fail(S3Code::entity_too_large,
                        "Your proposed upload exceeds the maximum allowed object size");
    }
    CO_TRY(co_await writer->write(std::move(data)));
  }
  attributes.etag = body.md5_hex();
  if (body.checksum()) attributes.metadata.push_back(*body.checksum());
  const auto info = CO_TRY(co_await writer->commit(std::move(attributes), conditions));
  ResponseHead head;
  head.add("ETag", quoted_etag(info.etag));
  if (body.checksum()) {
    head.add(body.checksum()->first, body.checksum()->second);
    head.add("x-amz-checksum-type", "FULL_OBJECT");
  }
  co_return co_await send_head(request, std::move(head));
}

}  // namespace turbine::s3
