#include "client/connection.hpp"

#include <mutex>

#include "base/async.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"

namespace turbine::client {

namespace {

void set_up_log(const std::string& level) {
  static std::once_flag once;  // spdlog refuses a second logger of one name
  if (!level.empty()) std::call_once(once, [&] { log::configure("turbine", level); });
}

}  // namespace

Client::Connection::Connection(const Endpoint& endpoint, const ConnectOptions& options,
                               rpc::TlsContextPtr tls)
    : endpoint_(endpoint), options_(options) {
  set_up_log(options_.log_level);
  rpc::TransportOptions transport;
  transport.secret = endpoint_.secret;
  transport.tls = std::move(tls);
  transport_ = rpc::make_socket_transport(reactor_.executor(), reactor_.clock(), transport);
  cluster::MapClientOptions client;
  client.manager = endpoint_.manager;
  map_client_.emplace(*transport_, reactor_.clock(), map_, client);
  thread_ = std::thread([this] { reactor_.run(); });
}

Client::Connection::~Connection() {
  const auto closed = call<void>([this] { return close(); });
  if (!closed.ok()) log::warn("closing a client: {}", closed.error().text());
  reactor_.stop();
  thread_.join();
}

turbine::Result<> Client::Connection::start() {
  auto opened = begin<void>([this] { return open(); });
  if (opened.wait_for(options_.timeout) == std::future_status::ready) return opened.get();
  // The manager is asked until it answers; this ends that.
  const auto ended = call<void>([this] { return map_client_->stop(); });
  if (!ended.ok()) log::debug("giving up: {}", ended.error().text());
  auto outcome = opened.get();
  if (!outcome.ok() && !outcome.failed_with(Errc::closed)) return outcome;
  return fail(Errc::unavailable,
              "no array at {} within {} ms: does it run, and is the secret its own?",
              endpoint_.manager, options_.timeout.count());
}

Task<> Client::Connection::open() {
  proto::RegisterGatewayRequest request;
  request.set_name(options_.name);
  const auto reply = CO_TRY(co_await map_client_->register_gateway(std::move(request)));
  map_client_->start();
  CO_TRY(co_await map_client_->wait_for_plan(reactor_.clock().now() + options_.timeout));
  for (const proto::User& user : map_.get()->record().users()) {
    if (user.root()) root_user_ = user.id();
  }
  fs::FileSystemOptions files;
  files.reader.cache_bytes = options_.cache_bytes;
  files_ = fs::make_file_system(reactor_.clock(), Rng(secure_random_u64()), *transport_, map_,
                                SessionId(reply.session()), files);
  co_return co_await files_->start();
}

Task<> Client::Connection::close() {
  if (files_) CO_TRY(co_await files_->stop());
  // At once: the map client waits for its last poll, which the transport cuts short.
  std::vector<Task<>> ends;
  ends.push_back(map_client_->stop());
  ends.push_back(transport_->stop());
  for (auto& ended : co_await when_all(std::move(ends))) CO_TRY(std::move(ended));
  co_return turbine::Result<>{};
}

}  // namespace turbine::client
