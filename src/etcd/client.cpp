#include "etcd/client.hpp"

#include "base/log.hpp"

namespace turbine::etcd {
namespace {

using std::chrono::milliseconds;

constexpr auto kRoundPause = milliseconds(50);  // after all endpoints were tried in vain
constexpr size_t kIdleMax = 4;
constexpr int kTokenRenewalsMax = 2;
constexpr std::string_view kClosing = "the cluster store is closing";

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
    : clock_(clock),
      options_(std::move(options)),
      tls_(std::move(tls)),
      wake_(clock.executor()),
      gate_(clock.executor()) {
  CHECK(!options_.endpoints.empty());
}

Task<> Client::stop() {
  stopped_ = true;
  idle_.clear();
  for (const auto& each : open_) {
    if (const auto connection = each.lock()) connection->close();
  }
  wake_.notify_all();
  co_return co_await gate_.close();
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

Task<Client::ConnectionPtr> Client::take_connection(size_t endpoint, TimePoint deadline) {
  const Endpoint& wanted = options_.endpoints[endpoint];
  while (!idle_.empty()) {
    ConnectionPtr connection = std::move(idle_.back());
    idle_.pop_back();
    if (connection->endpoint() == wanted && connection->usable()) co_return connection;
  }
  ConnectionPtr made = HttpConnection::make(clock_, wanted, tls_);
  std::erase_if(open_, [](const auto& each) { return each.expired(); });
  open_.push_back(made);
  CO_TRY(co_await made->connect(std::min(deadline, clock_.now() + options_.connect_timeout)));
  if (stopped_) co_return fail(Errc::closed, "{}", kClosing);
  co_return made;
}

void Client::give_back(ConnectionPtr connection) {
  if (idle_.size() < kIdleMax && !stopped_) idle_.push_back(std::move(connection));
}

Task<HttpReply> Client::attempt(size_t endpoint, HttpPost& post, TimePoint deadline) {
  post.token = CO_TRY(co_await token(endpoint, deadline));
  ConnectionPtr connection = CO_TRY(co_await take_connection(endpoint, deadline));
  HttpReply reply = CO_TRY(co_await connection->post(post, deadline));
  give_back(std::move(connection));
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
  if (code == kUnauthenticated || is_about_token(text)) {
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

// --- tokens ----------------------------------------------------------------------------------

bool Client::is_about_token(std::string_view text) {
  // Of before a restart, or of before users were changed.
  return text.find("invalid auth token") != text.npos ||
         text.find("revision of auth store") != text.npos ||
         text.find("user name is empty") != text.npos;
}

void Client::drop_token(const std::string& token) {
  if (token_ == token) token_.clear();
}

Task<> Client::log_on() {
  Result<std::string> taken{""};
  for (size_t tries = 0; tries < options_.endpoints.size(); ++tries) {
    const size_t endpoint = current_;
    taken = co_await token(endpoint, clock_.now() + options_.log_on_timeout);
    if (!taken.failed_with(Errc::unavailable)) break;
    turn_from(options_.endpoints[endpoint]);
  }
  if (!taken.ok()) co_return fail(std::move(taken).error());
  co_return Result<>{};
}

Task<std::string> Client::token(size_t endpoint, TimePoint deadline) {
  if (options_.user.empty() || !token_.empty()) co_return token_;
  std::shared_ptr<LogOn> log_on;
  for (const auto& each : log_ons_) {
    if (each->endpoint == endpoint) log_on = each;
  }
  if (!log_on) {
    log_on = log_ons_.emplace_back(std::make_shared<LogOn>(endpoint));
    gate_.spawn("etcd log-on", run_log_on(log_on));
  }
  const TimerId timer = clock_.call_at(deadline, [this] { wake_.notify_all(); });
  while (!log_on->ended && token_.empty() && !stopped_ && clock_.now() < deadline) {
    CO_TRY(co_await wake_.wait());
  }
  clock_.cancel(timer);
  if (stopped_) co_return fail(Errc::closed, "{}", kClosing);
  if (!token_.empty()) co_return token_;
  if (log_on->ended) co_return *log_on->ended;
  co_return fail(Errc::unavailable, "{} has not checked the password of user {} yet",
                 options_.endpoints[endpoint].text(), options_.user);
}

Task<> Client::run_log_on(std::shared_ptr<LogOn> log_on) {
  log_on->ended = co_await ask_for_token(log_on->endpoint, clock_.now() + options_.log_on_timeout);
  if (log_on->ended->ok()) token_ = **log_on->ended;
  std::erase(log_ons_, log_on);
  wake_.notify_all();
  co_return Result<>{};
}

Task<std::string> Client::ask_for_token(size_t endpoint, TimePoint deadline) {
  const json::object request{{"name", options_.user}, {"password", options_.password}};
  ConnectionPtr connection = CO_TRY(co_await take_connection(endpoint, deadline));
  Result<HttpReply> reply =
      co_await connection->post({"/v3/auth/authenticate", "", json::serialize(request)}, deadline);
  if (!reply.ok()) co_return fail(Errc::unavailable, "{}", reply.error().context);
  give_back(std::move(connection));
  if (reply->status == 200) {
    const json::object answer = CO_TRY(parse_object(reply->body, "etcd's answer to a password"));
    co_return text_field(answer, "token");
  }
  const Refusal refusal = read_refusal(*reply);
  const bool final = refusal.verdict == Verdict::final || refusal.verdict == Verdict::new_token;
  co_return fail(final ? Errc::denied : Errc::unavailable, "user {} at {}: {}", options_.user,
                 options_.endpoints[endpoint].text(), refusal.error.context);
}

// --- until one is answered -------------------------------------------------------------------

Task<> Client::recover(Refusal failed, Kind kind, size_t endpoint, int& renewals, size_t tries) {
  if (stopped_) co_return fail(Errc::closed, "{}", kClosing);
  Error& error = failed.error;
  if (failed.verdict == Verdict::final) co_return fail(std::move(error).within("etcd"));
  if (failed.verdict == Verdict::unknown && kind == Kind::changes) {
    co_return fail(Errc::timeout, "etcd may have done it or not: {}", error.context);
  }
  if (failed.verdict == Verdict::new_token) {
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
  HttpPost post{std::move(path), "", json::serialize(request)};
  std::string last = "no time was left";
  int renewals = 0;
  for (size_t tries = 0; clock_.now() < deadline && !stopped_; ++tries) {
    const size_t endpoint = current_;
    // A silent endpoint must leave time for another, where asking again is allowed.
    const bool again = kind == Kind::repeatable && options_.endpoints.size() > 1;
    const Duration left = deadline - clock_.now();
    Result<HttpReply> reply =
        co_await attempt(endpoint, post, clock_.now() + (again ? left / 2 : left));
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
    if (failed.verdict == Verdict::new_token) drop_token(post.token);
    // An attempt that the deadline cut short says less than one before it.
    if (tries == 0 || clock_.now() < deadline) last = failed.error.context;
    CO_TRY(co_await recover(std::move(failed), kind, endpoint, renewals, tries));
  }
  if (stopped_) co_return fail(Errc::closed, "{}", kClosing);
  co_return fail(Errc::unavailable, "no endpoint of etcd answers: {}", last);
}

Task<Client::Stream> Client::open_stream(std::string path, json::object request) {
  const TimePoint deadline = clock_.now() + options_.call_timeout;
  const size_t endpoint = current_;
  HttpPost post{std::move(path), "", json::serialize(request)};
  Result<Stream> opened = co_await try_stream(endpoint, post, deadline);
  if (!opened.ok()) turn_from(options_.endpoints[endpoint]);
  co_return opened;
}

Task<Client::Stream> Client::try_stream(size_t endpoint, HttpPost& post, TimePoint deadline) {
  post.token = CO_TRY(co_await token(endpoint, deadline));
  ConnectionPtr connection = CO_TRY(co_await take_connection(endpoint, deadline));
  const HttpReply reply = CO_TRY(co_await connection->open_stream(post, deadline));
  if (reply.status == 200) co_return Stream{std::move(connection), post.token};
  Refusal refusal = read_refusal(reply);
  if (refusal.verdict == Verdict::new_token) drop_token(post.token);
  co_return fail(std::move(refusal.error).within("etcd"));
}

}  // namespace turbine::etcd
