#include "s3/s3_error.hpp"

namespace turbine::s3 {
namespace {

struct CodeText {
  std::string_view name;
  int status;
};

CodeText text_of(S3Code code) {
  switch (code) {
    case S3Code::access_denied:
      return {"AccessDenied", 403};
    case S3Code::authorization_header_malformed:
      return {"AuthorizationHeaderMalformed", 400};
    case S3Code::authorization_query_parameters_error:
      return {"AuthorizationQueryParametersError", 400};
    case S3Code::bad_digest:
      return {"BadDigest", 400};
    case S3Code::bucket_already_exists:
      return {"BucketAlreadyExists", 409};
    case S3Code::bucket_already_owned_by_you:
      return {"BucketAlreadyOwnedByYou", 409};
    case S3Code::bucket_not_empty:
      return {"BucketNotEmpty", 409};
    case S3Code::conditional_request_conflict:
      return {"ConditionalRequestConflict", 409};
    case S3Code::entity_too_large:
      return {"EntityTooLarge", 400};
    case S3Code::entity_too_small:
      return {"EntityTooSmall", 400};
    case S3Code::incomplete_body:
      return {"IncompleteBody", 400};
    case S3Code::insufficient_storage:
      return {"InsufficientStorage", 507};
    case S3Code::internal_error:
      return {"InternalError", 500};
    case S3Code::invalid_access_key_id:
      return {"InvalidAccessKeyId", 403};
    case S3Code::invalid_argument:
      return {"InvalidArgument", 400};
    case S3Code::invalid_bucket_name:
      return {"InvalidBucketName", 400};
    case S3Code::invalid_chunk_size:
      return {"InvalidChunkSizeError", 403};
    case S3Code::invalid_digest:
      return {"InvalidDigest", 400};
    case S3Code::invalid_location_constraint:
      return {"InvalidLocationConstraint", 400};
    case S3Code::invalid_part:
      return {"InvalidPart", 400};
    case S3Code::invalid_part_order:
      return {"InvalidPartOrder", 400};
    case S3Code::invalid_range:
      return {"InvalidRange", 416};
    case S3Code::invalid_request:
      return {"InvalidRequest", 400};
    case S3Code::invalid_uri:
      return {"InvalidURI", 400};
    case S3Code::key_too_long:
      return {"KeyTooLongError", 400};
    case S3Code::malformed_trailer:
      return {"MalformedTrailerError", 400};
    case S3Code::malformed_xml:
      return {"MalformedXML", 400};
    case S3Code::max_message_length_exceeded:
      return {"MaxMessageLengthExceeded", 400};
    case S3Code::metadata_too_large:
      return {"MetadataTooLarge", 400};
    case S3Code::method_not_allowed:
      return {"MethodNotAllowed", 405};
    case S3Code::missing_content_length:
      return {"MissingContentLength", 411};
    case S3Code::missing_security_header:
      return {"MissingSecurityHeader", 400};
    case S3Code::no_such_bucket:
      return {"NoSuchBucket", 404};
    case S3Code::no_such_key:
      return {"NoSuchKey", 404};
    case S3Code::no_such_upload:
      return {"NoSuchUpload", 404};
    case S3Code::not_implemented:
      return {"NotImplemented", 501};
    case S3Code::operation_aborted:
      return {"OperationAborted", 409};
    case S3Code::precondition_failed:
      return {"PreconditionFailed", 412};
    case S3Code::quota_exceeded:
      return {"QuotaExceeded", 403};
    case S3Code::request_header_section_too_large:
      return {"RequestHeaderSectionTooLarge", 400};
    case S3Code::request_time_too_skewed:
      return {"RequestTimeTooSkewed", 403};
    case S3Code::request_timeout:
      return {"RequestTimeout", 400};
    case S3Code::service_unavailable:
      return {"ServiceUnavailable", 503};
    case S3Code::signature_does_not_match:
      return {"SignatureDoesNotMatch", 403};
    case S3Code::slow_down:
      return {"SlowDown", 503};
    case S3Code::x_amz_content_sha256_mismatch:
      return {"XAmzContentSHA256Mismatch", 400};
  }
  return {"InternalError", 500};
}

S3Error not_found(Subject subject) {
  switch (subject) {
    case Subject::service:
    case Subject::bucket:
      return {S3Code::no_such_bucket, "The specified bucket does not exist"};
    case Subject::object:
      return {S3Code::no_such_key, "The specified key does not exist."};
    case Subject::upload:
      return {S3Code::no_such_upload,
              "The specified upload does not exist. The upload ID may be invalid, or the upload "
              "may have been aborted or completed."};
  }
  return {S3Code::internal_error, "unknown subject"};
}

S3Error retry_later(S3Code code, std::string message) {
  S3Error error(code, std::move(message));
  error.headers.emplace_back("Retry-After", "1");
  return error;
}

}  // namespace

std::string_view s3_code_name(S3Code code) {
  return text_of(code).name;
}

int s3_code_status(S3Code code) {
  return text_of(code).status;
}

S3Error to_s3_error(Error error, Subject subject) {
  switch (error.code) {
    case Errc::not_found:
    case Errc::stale:
      return not_found(subject);
    case Errc::exists:
      return {S3Code::bucket_already_exists,
              "The requested bucket name is not available. Please select a different name and try "
              "again."};
    case Errc::not_empty:
      return {S3Code::bucket_not_empty, "The bucket you tried to delete is not empty"};
    case Errc::not_directory:
    case Errc::is_directory:
    case Errc::invalid:
      if (subject == Subject::upload) {
        return {S3Code::invalid_part,
                "One or more of the specified parts could not be found. The part may not have been "
                "uploaded, or the specified entity tag may not match the part's entity tag."};
      }
      return {S3Code::invalid_argument, std::move(error.context)};
    case Errc::cross_device:
    case Errc::too_many_links:
      return {S3Code::invalid_request, std::move(error.context)};
    case Errc::name_too_long:
      return {S3Code::key_too_long, "Your key is too long"};
    case Errc::denied:
    case Errc::not_permitted:
      return {S3Code::access_denied, "Access Denied"};
    case Errc::conflict:
      return {S3Code::operation_aborted,
              "A conflicting operation is in progress against this resource. Try again."};
    case Errc::precondition_failed:
      return {S3Code::precondition_failed,
              "At least one of the pre-conditions you specified did not hold"};
    case Errc::no_space:
      return {S3Code::insufficient_storage,
              "The array has no free space for this write. Delete objects or add blades."};
    case Errc::quota_exceeded:
      return {S3Code::quota_exceeded, "The quota of the bucket is used up"};
    case Errc::too_large:
      return {S3Code::entity_too_large,
              "Your proposed upload exceeds the maximum allowed object size"};
    case Errc::unavailable:
    case Errc::timeout:
    case Errc::wrong_primary:
    case Errc::stale_epoch:
    case Errc::closed:
      return retry_later(S3Code::service_unavailable,
                         "A part of the array does not answer right now. Please try again.");
    case Errc::busy:
      return retry_later(S3Code::slow_down, "Please reduce your request rate.");
    case Errc::out_of_range:
      return {S3Code::invalid_range, "The requested range is not satisfiable"};
    case Errc::unsupported:
      return {S3Code::not_implemented, std::move(error.context)};
    case Errc::ok:
    case Errc::corrupt:
    case Errc::io:
      return {S3Code::internal_error, "We encountered an internal error. Please try again."};
  }
  return {S3Code::internal_error, "We encountered an internal error. Please try again."};
}

}  // namespace turbine::s3
