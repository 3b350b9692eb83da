#include "s3/operation.hpp"

namespace turbine::s3 {

S3Task<> head_bucket(Environment& env, Request& request) {
  CO_TRY(co_await env.files.bucket(env.begin(request), request.bucket));
  ResponseHead head;
  head.add("x-amz-bucket-region", env.region);
  head.add("Content-Type", "application/xml");
  co_return co_await send_head(request, std::move(head));
}

}  // namespace turbine::s3
