#include "s3/s3_error.hpp"

#include <gtest/gtest.h>

#include "s3/response_text.hpp"

namespace turbine::s3 {
namespace {

TEST(S3Error, EveryCodeHasANameAndAStatus) {
  for (int code = 0; code <= static_cast<int>(S3Code::x_amz_content_sha256_mismatch); ++code) {
    const auto value = static_cast<S3Code>(code);
    const int status = s3_code_status(value);
    EXPECT_GE(status, 400);
    EXPECT_NE(status_reason(status), "Status") << s3_code_name(value);
    if (value != S3Code::internal_error) EXPECT_NE(s3_code_name(value), "InternalError");
  }
}

/// "503 ServiceUnavailable"
std::string answer(Errc cause, Subject subject = Subject::object) {
  const S3Error error = to_s3_error({cause, "context"}, subject);
  return fmt::format("{} {}", s3_code_status(error.code), s3_code_name(error.code));
}

TEST(S3Error, TheArraysErrorsHaveTheirAnswers) {
  EXPECT_EQ(answer(Errc::not_found, Subject::bucket), "404 NoSuchBucket");
  EXPECT_EQ(answer(Errc::not_found, Subject::object), "404 NoSuchKey");
  EXPECT_EQ(answer(Errc::not_found, Subject::upload), "404 NoSuchUpload");
  EXPECT_EQ(answer(Errc::invalid, Subject::upload), "400 InvalidPart");
  EXPECT_EQ(answer(Errc::invalid), "400 InvalidArgument");
  EXPECT_EQ(answer(Errc::name_too_long), "400 KeyTooLongError");
  EXPECT_EQ(answer(Errc::not_empty), "409 BucketNotEmpty");
  EXPECT_EQ(answer(Errc::denied), "403 AccessDenied");
  EXPECT_EQ(answer(Errc::conflict), "409 OperationAborted");
  EXPECT_EQ(answer(Errc::precondition_failed), "412 PreconditionFailed");
  EXPECT_EQ(answer(Errc::no_space), "507 InsufficientStorage");
  EXPECT_EQ(answer(Errc::quota_exceeded), "403 QuotaExceeded");
  EXPECT_EQ(answer(Errc::too_large), "400 EntityTooLarge");
  EXPECT_EQ(answer(Errc::unsupported), "501 NotImplemented");
  EXPECT_EQ(answer(Errc::corrupt), "500 InternalError");
  EXPECT_EQ(answer(Errc::io), "500 InternalError");
  // What the array says of its own failures is no client's business.
  EXPECT_EQ(to_s3_error({Errc::corrupt, "blade 3"}, Subject::object).message.find("blade"),
            std::string::npos);
}

TEST(S3Error, WhatMayWorkLaterSaysWhen) {
  for (const Errc cause : {Errc::unavailable, Errc::timeout, Errc::wrong_primary, Errc::stale_epoch,
                           Errc::closed, Errc::busy}) {
    const S3Error error = to_s3_error({cause, ""}, Subject::object);
    EXPECT_EQ(s3_code_status(error.code), 503);
    EXPECT_EQ(error.headers.at(0), (std::pair<std::string, std::string>{"Retry-After", "1"}));
  }
}

}  // namespace
}  // namespace turbine::s3
