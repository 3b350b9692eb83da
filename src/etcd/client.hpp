// Client: calls to an etcd cluster over its HTTP/JSON gateway, by whichever endpoint answers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async.hpp"
#include "etcd/http_connection.hpp"
#include "etcd/json_fields.hpp"
#include "etcd/options.hpp"

namespace turbine::etcd {

/// One reactor thread; outlives its calls, which stop() ends. Keeps the token of its user and
/// takes a new one when etcd no longer knows it. A refused or silent endpoint gives way to the
/// next. etcd is slow to check a password, and means to be: calls that want a token share one
/// log-on at an endpoint, which goes on when they give up.
class Client {
 public:
  /// A call that only reads, or that does no more when done twice, is tried again as long as its
  /// time lasts. One that `changes` is not sent twice unless it was certainly not executed.
  enum class Kind { repeatable, changes };

  Client(Clock& clock, EtcdOptions options, TlsContextPtr tls);

  /// The answer to POST `path`. Errc::unavailable: certainly not executed. Errc::timeout: sent, and
  /// the outcome is not known (Kind::changes only). Errc::denied: user, password or permission.
  /// Errc::not_found, Errc::invalid, Errc::too_large, Errc::no_space: etcd refuses. Errc::closed.
  Task<json::object> call(std::string path, json::object request, Kind kind);
  Task<json::object> call(std::string path, json::object request, Kind kind, TimePoint deadline);

  /// Takes a token, for as long as the options allow for that; nothing to do without a user.
  /// Errors as of call().
  Task<> log_on();

  struct Stream {
    std::shared_ptr<HttpConnection> connection;
    std::string token;
  };
  /// A connection whose next_line()s are the answers of a stream. Errors as of call().
  Task<Stream> open_stream(std::string path, json::object request);
  /// Goes to another endpoint next, since this one's stream was of no use.
  void turn_from(const Endpoint& endpoint);
  /// Does etcd say with `text` that it does not know the token (any more)?
  static bool is_about_token(std::string_view text);
  /// Takes another token next, unless that has been done since.
  void drop_token(const std::string& token);

  /// Running and later calls end with Errc::closed.
  Task<> stop();
  bool stopped() const { return stopped_; }
  /// Sleeps, but not past stop().
  Task<> pause(Duration duration);
  const EtcdOptions& options() const { return options_; }

 private:
  using ConnectionPtr = std::shared_ptr<HttpConnection>;
  enum class Verdict { final, other_endpoint, new_token, unknown };
  struct Refusal {
    Verdict verdict = Verdict::final;
    Error error;
  };
  struct LogOn {
    size_t endpoint;
    std::optional<Result<std::string>> ended;  // with a token
  };

  Task<ConnectionPtr> take_connection(size_t endpoint, TimePoint deadline);
  void give_back(ConnectionPtr connection);
  /// Sets the post's token, too.
  Task<HttpReply> attempt(size_t endpoint, HttpPost& post, TimePoint deadline);
  Task<Stream> try_stream(size_t endpoint, HttpPost& post, TimePoint deadline);
  /// The token there is, or that of a log-on; empty without a user.
  Task<std::string> token(size_t endpoint, TimePoint deadline);
  Task<> run_log_on(std::shared_ptr<LogOn> log_on);
  Task<std::string> ask_for_token(size_t endpoint, TimePoint deadline);
  static Refusal read_refusal(const HttpReply& reply);
  /// What to do after `failed`: go on, or give its error up to the caller.
  Task<> recover(Refusal failed, Kind kind, size_t endpoint, int& renewals, size_t tries);

  Clock& clock_;
  const EtcdOptions options_;
  const TlsContextPtr tls_;
  size_t current_ = 0;  // index of the endpoint that answered last
  std::string token_;
  std::vector<std::shared_ptr<LogOn>> log_ons_;  // that run, one of an endpoint at most
  std::vector<ConnectionPtr> idle_;
  std::vector<std::weak_ptr<HttpConnection>> open_;  // all, for stop()
  Event wake_;
  Gate gate_;
  bool stopped_ = false;
};

}  // namespace turbine::etcd
