// S3's errors, and the one place where the array's errors become S3's.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/task.hpp"

namespace turbine::s3 {

/// Error codes as S3 names them (API reference, "Error responses"); s3_code_name() spells them.
enum class S3Code {
  access_denied,
  authorization_header_malformed,
  authorization_query_parameters_error,
  bad_digest,
  bucket_already_exists,
  bucket_already_owned_by_you,
  bucket_not_empty,
  conditional_request_conflict,
  entity_too_large,
  entity_too_small,
  incomplete_body,
  insufficient_storage,
  internal_error,
  invalid_access_key_id,
  invalid_argument,
  invalid_bucket_name,
  invalid_chunk_size,
  invalid_digest,
  invalid_location_constraint,
  invalid_part,
  invalid_part_order,
  invalid_range,
  invalid_request,
  invalid_uri,
  key_too_long,
  malformed_trailer,
  malformed_xml,
  max_message_length_exceeded,
  metadata_too_large,
  method_not_allowed,
  missing_content_length,
  missing_security_header,
  no_such_bucket,
  no_such_key,
  no_such_upload,
  not_implemented,
  operation_aborted,
  precondition_failed,
  quota_exceeded,
  request_header_section_too_large,
  request_time_too_skewed,
  request_timeout,
  service_unavailable,
  signature_does_not_match,
  slow_down,
  x_amz_content_sha256_mismatch,
};

std::string_view s3_code_name(S3Code code);
int s3_code_status(S3Code code);

/// What an operation is about, so that "not found" gets its S3 name.
enum class Subject { service, bucket, object, upload };

/// An error answer in the making.
struct S3Error {
  S3Code code = S3Code::internal_error;
  std::string message;
  std::vector<std::pair<std::string, std::string>> elements;  // further elements of the XML body
  std::vector<std::pair<std::string, std::string>> headers;
  /// Set while the error is one of the array's that the dispatcher has yet to translate.
  Errc cause = Errc::ok;

  S3Error(S3Code c, std::string m) : code(c), message(std::move(m)) {}
  /// Lets CO_TRY pass errors of the file system on.
  S3Error(Error error)  // NOLINT(google-explicit-constructor)
      : message(std::move(error.context)), cause(error.code) {}
};

template <class T = void>
using S3Result = std::expected<T, S3Error>;
template <class T = void>
using S3Task = asio::awaitable<S3Result<T>, Executor>;

/// return s3_fail(S3Code::no_such_key, "…");
template <class... Args>
std::unexpected<S3Error> s3_fail(S3Code code, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(S3Error(code, fmt::format(format, std::forward<Args>(args)...)));
}

/// The answer to a failure of the file system in an operation about `subject`.
S3Error to_s3_error(Error error, Subject subject);

}  // namespace turbine::s3
