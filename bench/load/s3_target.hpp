// Which S3 server the load goes to, and the signing of requests for it.
#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "s3/sigv4.hpp"

namespace turbine::bench {

struct S3Target {
  std::string host = "127.0.0.1";
  uint16_t port = 9000;
  std::string access_key, secret_key;
  std::string region = "us-east-1";

  std::string authority() const { return fmt::format("{}:{}", host, port); }
};

/// Reads DIR/env as `turbine up` writes it.
Result<S3Target> target_of(const std::string& dir);
/// "http://HOST:PORT"
Result<> set_endpoint(S3Target& target, std::string_view url);

/// Writes request heads signed with SigV4 over host, x-amz-content-sha256 and x-amz-date. One per
/// thread; the signing key is derived once a day.
class RequestSigner {
 public:
  explicit RequestSigner(S3Target target) : target_(std::move(target)) {}

  struct Request {
    std::string_view method;
    std::string path;                 // encoded, "/bucket/key"
    std::string query;                // encoded and sorted, "list-type=2&prefix=a"
    std::string_view payload_sha256;  // hexadecimal
    uint64_t body_bytes = 0;
  };
  /// The head with its empty line.
  std::string head(const Request& request);

 private:
  void refresh_time();

  S3Target target_;
  std::time_t second_ = 0;
  std::string timestamp_;  // "20130524T000000Z"
  std::string scope_;
  s3::Sha256 key_{};
};

}  // namespace turbine::bench
