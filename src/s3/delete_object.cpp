#include "s3/conditions.hpp"
#include "s3/operation.hpp"

namespace turbine::s3 {

/// An object that is not there is removed already.
S3Task<> delete_object(Environment& env, Request& request) {
  const fs::Conditions conditions = CO_TRY(write_conditions(request.head));
  CO_TRY(co_await env.files.remove(env.begin(request), request.bucket, request.key, conditions));
  ResponseHead head;
  head.status = 204;
  co_return co_await send_head(request, std::move(head));
}

}  // namespace turbine::s3
