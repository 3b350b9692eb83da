#include "etcd/client.hpp"

#include "base/log.hpp"

namespace turbine::etcd {
namespace {

using std::chrono::milliseconds;

constexpr auto kRoundPause = milliseconds(50);  // after all endpoints were tried in vain
constexpr size_t kIdleMax = 4;
constexpr int kTokenRenewalsMax = 2;

/// Codes of gRPC that etcd uses (google/rpc/code.proto).
enum GrpcCode {
  kInvalidArgument = 3,
  kNotFound = 5,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kUnauthenticated = 16,
};

}  // namespace

Client::Client(Clock& clock, EtcdOptions options, TlsContextPtr tls)
    : clock_(clock), options_(std::move(options)), tls_(std::move(tls)), wake_(clock.executor()) {
  CHECK(!options_.endpoints.empty());
}

void Client::stop() {
  stopped_ = true;
  idle_.clear();
  for (const auto& each : open_) {
    if (const auto connection = each.lock()) connection->close();
  }
  wake_.notify_all();
}

Task<> Client::pause(Duration duration) {
  const TimePoint until = clock_.now() + duration;
  const TimerId timer = clock_.call_at(until, [this] { wake_.notify_all(); });
  while (!stopped_ && clock_.now() < until) CO_TRY(co_await wake_.wait());
  clock_.cancel(timer);
  co_return Result<>{};
}

void Client::turn_from(const Endpoint& endpoint) {
  if (options_.endpoints[current_] == endpoint) {
    current_ = (current_ + 1) % options_.endpoints.size();
  }
}

// --- one attempt -----------------------------------------------------------------------------

Task<Client::ConnectionPtr> Client::take_connection(TimePoint deadline) {
  const Endpoint endpoint = options_.endpoints[current_];
  while (!idle_.empty()) {
    ConnectionPtr connection = std::move(idle_.back());
    idle_.pop_back();
    if (connection->endpoint() == endpoint && connection->usable()) co_return connection;
  }
  ConnectionPtr made = HttpConnection::make(clock_, endpoint, tls_);
  std::erase_if(open_, [](const auto& each) { return each.expired(); });
  open_.push_back(made);
  CO_TRY(co_await made->connect(std::min(deadline, clock_.now() + options_.connect_timeout)));
  co_return made;
}

Task<> Client::log_on(ConnectionPtr connection, TimePoint deadline) {
  json::object request{{"name", options_.user}, {"password", options_.password}};
  Result<HttpReply> reply =
      co_await connection->post({"/v3/auth/authenticate", "", json::serialize(request)}, deadline);
  if (!reply.ok()) co_return fail(Errc::unavailable, "{}", reply.error().context);
  if (reply->status == 200) {
    const json::object answer = CO_TRY(parse_object(reply->body, "etcd's answer to a password"));
    token_ = text_field(answer, "token");
    co_return Result<>{};
  }
  const Refusal refusal = read_refusal(*reply);
  const bool final = refusal.verdict == Verdict::final || refusal.verdict == Verdict::new_token;
  co_return fail(final ? Errc::denied : Errc::unavailable, "user {} at {}: {}", options_.user,
                 connection->endpoint().text(), refusal.error.context);
}

Task<HttpReply> Client::attempt(HttpPost post, TimePoint deadline) {
  ConnectionPtr connection = CO_TRY(co_await take_connection(deadline));
  if (!options_.user.empty() && token_.empty()) CO_TRY(co_await log_on(connection, deadline));
  post.token = token_;
  HttpReply reply = CO_TRY(co_await connection->post(std::move(post), deadline));
  if (idle_.size() < kIdleMax && !stopped_) idle_.push_back(std::move(connection));
  co_return reply;
}

Client::Refusal Client::read_refusal(const HttpReply& reply) {
  const Result<json::object> body = parse_object(reply.body, "an error of etcd");
  if (!body.ok()) {
    // Not etcd's gateway, but something before it.
    return {Verdict::unknown,
            {Errc::unavailable, fmt::format("etcd answered with HTTP status {}", reply.status)}};
  }
  const json::object* nested = object_field(*body, "error");  // of streams
  const json::object& error = nested != nullptr ? *nested : *body;
  std::string text = text_field(error, "message");
  if (text.empty()) text = text_field(error, "error");
  const bool has_code = error.contains("code") || error.contains("grpc_code");
  const uint64_t code = number_field(error, error.contains("grpc_code") ? "grpc_code" : "code");
  // A token of before a restart, or of before users were changed.
  if (code == kUnauthenticated || text.find("revision of auth store") != std::string::npos ||
      text.find("user name is empty") != std::string::npos) {
    return {Verdict::new_token, {Errc::denied, text}};
  }
  if (text == "etcdserver: no leader" || text == "etcdserver: too many requests" ||
      text == "etcdserver: not capable") {
    return {Verdict::other_endpoint, {Errc::unavailable, text}};
  }
  if (text == "etcdserver: request is too large" ||
      text.find("message larger than max") != std::string::npos) {
    return {Verdict::final, {Errc::too_large, text + " (etcd's --max-request-bytes)"}};
  }
  switch (has_code ? code : 0) {
    case kResourceExhausted:
      return {Verdict::final, {Errc::no_space, text}};
    case kPermissionDenied:
      return {Verdict::final, {Errc::denied, text}};
    case kNotFound:
      return {Verdict::final, {Errc::not_found, text}};
    case kInvalidArgument:
    case kFailedPrecondition:
    case kOutOfRange:
    case kUnimplemented:
      return {Verdict::final, {Errc::invalid, text}};
    default:  // timed out, leader changed, internal: it may have been executed
      return {Verdict::unknown, {Errc::unavailable, text}};
  }
}

// --- until one is answered -------------------------------------------------------------------

Task<> Client::recover(Refusal failed, Kind kind, size_t endpoint, int& renewals, size_t tries) {
  if (stopped_) co_return fail(Errc::closed, "the cluster store is closing");
  Error& error = failed.error;
  if (failed.verdict == Verdict::final) co_return fail(std::move(error).within("etcd"));
  if (failed.verdict == Verdict::unknown && kind == Kind::changes) {
    co_return fail(Errc::timeout, "etcd may have done it or not: {}", error.context);
  }
  if (failed.verdict == Verdict::new_token) {
    token_.clear();
    if (options_.user.empty() || ++renewals > kTokenRenewalsMax) {
      co_return fail(Errc::denied, "etcd: {}{}", error.context,
                     options_.user.empty() ? "; it wants a user and a password" : "");
    }
    co_return Result<>{};
  }
  turn_from(options_.endpoints[endpoint]);
  if ((tries + 1) % options_.endpoints.size() == 0) co_return co_await pause(kRoundPause);
  co_return Result<>{};
}

Task<json::object> Client::call(std::string path, json::object request, Kind kind) {
  return call(std::move(path), std::move(request), kind, clock_.now() + options_.call_timeout);
}

Task<json::object> Client::call(std::string path, json::object request, Kind kind,
                                TimePoint deadline) {
  const HttpPost post{std::move(path), "", json::serialize(request)};
  std::string last = "no time was left";
  int renewals = 0;
  for (size_t tries = 0; clock_.now() < deadline && !stopped_; ++tries) {
    const size_t endpoint = current_;
    // A silent endpoint must leave time for another, where asking again is allowed.
    const bool again = kind == Kind::repeatable && options_.endpoints.size() > 1;
    const Duration left = deadline - clock_.now();
    Result<HttpReply> reply = co_await attempt(post, clock_.now() + (again ? left / 2 : left));
    Refusal failed;
    if (!reply.ok()) {
      const Errc code = reply.error().code;
      failed.verdict = code == Errc::timeout       ? Verdict::unknown
                       : code == Errc::unavailable ? Verdict::other_endpoint
                                                   : Verdict::final;
      failed.error = std::move(reply).error();
    } else if (reply->status == 200) {
      const std::string_view text = reply->body;  // of a stream with one answer: a line
      co_return parse_object(text.substr(0, text.find('\n')), "an answer of etcd");
    } else {
      failed = read_refusal(*reply);
    }
    last = failed.error.context;
    CO_TRY(co_await recover(std::move(failed), kind, endpoint, renewals, tries));
  }
  if (stopped_) co_return fail(Errc::closed, "the cluster store is closing");
  co_return fail(Errc::unavailable, "no endpoint of etcd answers: {}", last);
}

Task<std::shared_ptr<HttpConnection>> Client::open_stream(std::string path, json::object request) {
  const TimePoint deadline = clock_.now() + options_.call_timeout;
  const size_t endpoint = current_;
  ConnectionPtr connection = HttpConnection::make(clock_, options_.endpoints[endpoint], tls_);
  std::erase_if(open_, [](const auto& each) { return each.expired(); });
  open_.push_back(connection);
  Result<> connected =
      co_await connection->connect(std::min(deadline, clock_.now() + options_.connect_timeout));
  if (connected.ok() && !options_.user.empty() && token_.empty()) {
    connected = co_await log_on(connection, deadline);
  }
  Result<HttpReply> reply = fail(Errc::closed, "the cluster store is closing");
  if (!connected.ok()) {
    reply = fail(std::move(connected).error());
  } else if (!stopped_) {
    reply = co_await connection->open_stream({std::move(path), token_, json::serialize(request)},
                                             deadline);
  }
  if (reply.ok() && reply->status == 200) co_return connection;
  turn_from(options_.endpoints[endpoint]);
  if (!reply.ok()) co_return fail(std::move(reply).error());
  Refusal refusal = read_refusal(*reply);
  if (refusal.verdict == Verdict::new_token) token_.clear();
  co_return fail(std::move(refusal.error).within("etcd"));
}

}  // namespace turbine::etcd
