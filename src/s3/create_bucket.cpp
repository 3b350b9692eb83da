#include "fs/bucket_name.hpp"
#include "s3/object_fields.hpp"
#include "s3/operation.hpp"
#include "s3/xml_reader.hpp"

namespace turbine::s3 {

S3Task<> create_bucket(Environment& env, Request& request) {
  if (!fs::is_valid_new_bucket_name(request.bucket)) {
    co_return s3_fail(S3Code::invalid_bucket_name, "The specified bucket is not valid.");
  }
  CO_TRY(refuse_unsupported_fields(request.head));
  if (request.head.get("x-amz-bucket-object-lock-enabled") == "true") {
    co_return s3_fail(S3Code::not_implemented, "Object lock is not implemented.");
  }
  const std::string xml = CO_TRY(co_await request.body.read_all(kXmlBytesMax));
  const std::string region = CO_TRY(parse_create_bucket(xml));
  if (!region.empty() && region != env.region) {
    co_return s3_fail(S3Code::invalid_location_constraint,
                      "The specified location-constraint is not valid; this array is {}.",
                      env.region);
  }
  const auto made = co_await env.files.create_bucket(env.begin(request), request.bucket);
  if (made.failed_with(Errc::exists)) {
    const auto info = co_await env.files.bucket(env.begin(request), request.bucket);
    if (info.ok() && info->owner_user == request.principal.user) {
      co_return s3_fail(S3Code::bucket_already_owned_by_you,
                        "Your previous request to create the named bucket succeeded and you "
                        "already own it.");
    }
    co_return s3_fail(S3Code::bucket_already_exists,
                      "The requested bucket name is not available. Please select a different name "
                      "and try again.");
  }
  if (!made.ok()) co_return std::unexpected(S3Error(made.error()));
  env.forget(request.bucket);
  ResponseHead head;
  head.add("Location", "/" + request.bucket);
  co_return co_await send_head(request, std::move(head));
}

}  // namespace turbine::s3
