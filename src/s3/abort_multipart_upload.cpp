#include "s3/multipart.hpp"

namespace turbine::s3 {

S3Task<> abort_multipart_upload(Environment& env, Request& request) {
  const std::string upload = CO_TRY(upload_id(request.query));
  CO_TRY(co_await env.files.abort_upload(env.begin(request), request.bucket, request.key, upload));
  ResponseHead head;
  head.status = 204;
  co_return co_await send_head(request, std::move(head));
}

}  // namespace turbine::s3
