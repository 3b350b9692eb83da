// The S3 service: authenticates, routes, runs operations, answers errors.
#pragma once

#include <map>
#include <string>

#include "s3/authenticator.hpp"
#include "s3/http_exchange.hpp"
#include "s3/operation.hpp"
#include "s3/operation_stats.hpp"

namespace turbine::s3 {

/// One per gateway process, on its reactor. All that is passed in must outlive it. Knows nothing of
/// sockets: handle() and answer_bad_head() are what HttpServer calls.
class S3Service final : private Environment {
 public:
  /// `region` empty: any region in signatures is accepted, and us-east-1 is told to clients.
  S3Service(fs::FileSystem& files, const CredentialSource& credentials, Clock& clock,
            std::string region);

  Task<> handle(const RequestHead& head, BodyReader& body, ResponseWriter& response);
  std::pair<ResponseHead, std::string> answer_bad_head(const Error& error);
  OperationStats& stats() { return stats_; }

 private:
  struct Ownership {
    uint64_t owner = 0;
    TimePoint until{};
  };
  struct Outcome;

  S3Task<> authorize(const Principal& principal, const std::string& bucket) override;
  void forget(const std::string& bucket) override { owners_.erase(bucket); }
  S3Task<> run(const RequestHead& head, const Uri& uri, BodyReader& body, ResponseWriter& response,
               Outcome& outcome);
  asio::awaitable<S3Error, Executor> translate(S3Error error, const Uri& uri,
                                               const Outcome& outcome);
  std::string next_request_id();
  std::pair<ResponseHead, std::string> error_answer(const S3Error& error, std::string_view resource,
                                                    const std::string& request_id);

  Authenticator authenticator_;
  OperationStats stats_;
  std::map<std::string, Ownership, std::less<>> owners_;
  uint64_t request_seed_;
  uint64_t requests_ = 0;
};

/// Date, Server, x-amz-request-id, x-amz-id-2.
void add_common_fields(ResponseHead& head, Clock& clock, const std::string& request_id);

}  // namespace turbine::s3
