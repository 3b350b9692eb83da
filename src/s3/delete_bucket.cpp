#include "s3/operation.hpp"

namespace turbine::s3 {

S3Task<> delete_bucket(Environment& env, Request& request) {
  const auto removed = co_await env.files.delete_bucket(env.begin(request), request.bucket);
  env.forget(request.bucket);
  if (!removed.ok()) co_return std::unexpected(S3Error(removed.error()));
  ResponseHead head;
  head.status = 204;
  co_return co_await send_head(request, std::move(head));
}

}  // namespace turbine::s3
