#include "managerd/manager_process.hpp"

#include <optional>

#include "admin/http_server.hpp"
#include "admin/routes.hpp"
#include "base/config_file.hpp"
#include "base/log.hpp"
#include "cluster/map_client.hpp"
#include "fs/file_system.hpp"
#include "io/process_main.hpp"
#include "managerd/manager_config.hpp"
#include "managerd/manager_control.hpp"
#include "managerd/manager_host.hpp"

namespace turbine::managerd {

namespace {

constexpr auto kPlanPatience = std::chrono::seconds(10);

class ManagerProcess {
 public:
  explicit ManagerProcess(ManagerConfig config)
      : config_(std::move(config)), main_(reactor_), gate_(reactor_.executor()) {}

  int run() {
    if (auto opened = open(); !opened.ok()) {
      log::error("the manager does not start: {}", opened.error().text());
      return 1;
    }
    return main_.run([this] { return start(); }, [this] { return stop(); });
  }

 private:
  Result<> open() {
    rpc::TransportOptions transport;
    transport.secret = config_.secret;
    transport.tls = TRY(rpc::load_tls(config_.tls));
    transport_ = rpc::make_socket_transport(reactor_.executor(), reactor_.clock(), transport);
    cluster::ManagerOptions options;
    options.array_id = config_.array_id;
    options.array_name = config_.array_name;
    options.region = config_.region;
    options.expected_blades = config_.expected_blades;
    options.partition_count = config_.partition_count;
    options.replica_count = static_cast<int>(config_.replicas);
    options.root_access_key = config_.root_access_key;
    options.root_secret_key = config_.root_secret_key;
    host_.emplace(reactor_, config_, options);
    TRY(host_->open());
    control_.emplace(*host_, reactor_.clock(), *transport_);
    return {};
  }

  Task<> start() {
    CO_TRY(co_await host_->start());
    listener_ = CO_TRY(transport_->listen(config_.rpc_address, [this](rpc::Request request) {
      return host_->dispatch(std::move(request));
    }));
    admin::HttpServerOptions http;
    http.host = config_.admin_host;
    http.port = config_.admin_port;
    http_ = CO_TRY(admin::HttpServer::start(
        reactor_.executor(), http, admin::make_admin_handler(*control_, config_.admin_token)));
    if (!config_.http_file.empty()) CO_TRY(write_file(config_.http_file, http_->address()));
    cluster::MapClientOptions client;
    client.manager =
        config_.manager_addresses.empty() ? config_.rpc_address : config_.manager_addresses;
    map_client_.emplace(*transport_, reactor_.clock(), map_, client);
    gate_.spawn("file system", start_files());
    log::info("a manager of array {} serves, admin API on {}", config_.array_id, http_->address());
    co_return Result<>{};
  }

  /// The admin API's own way to buckets: a gateway's, inside this process. It comes when the array
  /// is complete.
  Task<> start_files() {
    proto::RegisterGatewayRequest request;
    request.set_name("manager");
    const auto reply = CO_TRY(co_await map_client_->register_gateway(std::move(request)));
    map_client_->start();
    while (true) {
      const auto planned =
          co_await map_client_->wait_for_plan(reactor_.clock().now() + kPlanPatience);
      if (planned.ok()) break;
      if (!planned.failed_with(Errc::timeout)) co_return planned;
      log::info("waiting for blades: {}", planned.error().context);
    }
    files_ = fs::make_file_system(reactor_.clock(), Rng(secure_random_u64()), *transport_, map_,
                                  SessionId(reply.session()));
    CO_TRY(co_await files_->start());
    control_->set_files(files_.get());
    co_return Result<>{};
  }

  Task<> stop() {
    control_->set_files(nullptr);
    if (http_) CO_TRY(co_await http_->stop());
    if (map_client_) CO_TRY(co_await map_client_->stop());
    CO_TRY(co_await gate_.close());
    if (files_) CO_TRY(co_await files_->stop());
    CO_TRY(co_await host_->stop());
    if (listener_) CO_TRY(co_await listener_->stop());
    CO_TRY(co_await transport_->stop());
    log::info("the manager has stopped");
    co_return Result<>{};
  }

  const ManagerConfig config_;
  io::Reactor reactor_;
  io::ProcessMain main_;
  Gate gate_;
  std::unique_ptr<rpc::Transport> transport_;
  std::optional<ManagerHost> host_;
  cluster::MapHolder map_;
  std::optional<cluster::MapClient> map_client_;
  std::unique_ptr<fs::ArrayFileSystem> files_;
  std::optional<ManagerControl> control_;
  std::unique_ptr<rpc::Listener> listener_;
  std::unique_ptr<admin::HttpServer> http_;
};

}  // namespace

int run_manager_process(const std::string& config_path) {
  auto config = load_manager_config(config_path);
  if (!config.ok()) {
    fmt::print(stderr, "turbine: {}\n", config.error().context);
    return 2;
  }
  log::configure("manager", config->log_level);
  return ManagerProcess(std::move(*config)).run();
}

}  // namespace turbine::managerd
