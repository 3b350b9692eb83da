#include "gatewayd/gateway_process.hpp"

#include <optional>

#include "admin/http_server.hpp"
#include "admin/metrics_text.hpp"
#include "admin/routes.hpp"
#include "base/config_file.hpp"
#include "base/log.hpp"
#include "cluster/map_client.hpp"
#include "fs/array_locks.hpp"
#include "fs/file_system.hpp"
#include "gatewayd/gateway_config.hpp"
#include "gatewayd/nfs_service.hpp"
#include "io/process_main.hpp"
#include "proto/rpc.pb.h"
#include "rpc/typed.hpp"
#include "s3/credentials.hpp"
#include "s3/server.hpp"
#include "s3/service.hpp"

namespace turbine::gatewayd {

namespace {

constexpr auto kPlanPatience = std::chrono::seconds(10);

class GatewayProcess {
 public:
  explicit GatewayProcess(GatewayConfig config)
      : config_(std::move(config)), main_(reactor_), credentials_(map_) {}

  int run() {
    if (auto opened = open(); !opened.ok()) {
      log::error("{} does not start: {}", config_.name, opened.error().text());
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
    cluster::MapClientOptions client;
    client.manager = config_.manager_address;
    map_client_.emplace(*transport_, reactor_.clock(), map_, client);
    return {};
  }

  Task<> start() {
    CO_TRY(start_pages());
    proto::RegisterGatewayRequest request;
    request.set_name(config_.name);
    request.set_address(listener_->address());
    if (config_.nfs_port != 0) request.set_nfs_address(host_and_port());
    const auto reply = CO_TRY(co_await map_client_->register_gateway(std::move(request)));
    map_client_->start();
    CO_TRY(co_await wait_for_plan());
    fs::FileSystemOptions files;
    files.reader.cache_bytes = config_.shard_cache_bytes;
    files_ = fs::make_file_system(reactor_.clock(), Rng(secure_random_u64()), *transport_, map_,
                                  SessionId(reply.session()), files);
    CO_TRY(co_await files_->start());
    service_.emplace(*files_, credentials_, reactor_.clock(), config_.region);
    s3::HttpServer::Options options;
    options.address = config_.s3_host;
    options.port = config_.s3_port;
    options.share_port = config_.share_s3_port;
    s3_.emplace(
        reactor_.clock(), options,
        [this](const s3::RequestHead& head, s3::BodyReader& body, s3::ResponseWriter& response) {
          return service_->handle(head, body, response);
        },
        [this](const Error& error) { return service_->answer_bad_head(error); });
    CO_TRY(s3_->start());
    if (config_.nfs_port != 0) {
      locks_ =
          fs::make_array_locks(reactor_.clock(), *transport_, map_, SessionId(reply.session()));
      nfs_.emplace(*files_, *locks_, map_, reactor_.clock(), config_);
      CO_TRY(co_await nfs_->start());
    }
    serving_ = true;
    log::info("{} serves S3 on {}:{}, metrics on {}", config_.name, config_.s3_host, s3_->port(),
              http_->address());
    co_return Result<>{};
  }

  Result<> start_pages() {
    dispatcher_.on<proto::ProcessStatsRequest, proto::ProcessStatsReply>(
        proto::PROCESS_STATS,
        [this](proto::ProcessStatsRequest, rpc::CallInfo) { return answer_stats(stats()); });
    listener_ = TRY(transport_->listen(config_.rpc_address, [this](rpc::Request request) {
      return dispatcher_.dispatch(std::move(request));
    }));
    admin::HttpServerOptions http;
    http.host = config_.http_host;
    http.port = config_.http_port;
    http.any_port_if_taken = true;
    http_ = TRY(admin::HttpServer::start(
        reactor_.executor(), http,
        admin::make_process_handler({[this] { return ready(); }, [this] { return metrics(); }})));
    if (config_.http_file.empty()) return {};
    return write_file(config_.http_file, http_->address());
  }

  Task<> wait_for_plan() {
    while (true) {
      const auto planned =
          co_await map_client_->wait_for_plan(reactor_.clock().now() + kPlanPatience);
      if (!planned.failed_with(Errc::timeout)) co_return planned;
      log::info("waiting for blades: {}", planned.error().context);
    }
  }

  Task<> stop() {
    serving_ = false;
    if (s3_) CO_TRY(co_await s3_->stop());
    if (nfs_) CO_TRY(co_await nfs_->stop());
    if (files_) CO_TRY(co_await files_->stop());
    CO_TRY(co_await map_client_->stop());
    if (http_) CO_TRY(co_await http_->stop());
    if (listener_) CO_TRY(co_await listener_->stop());
    CO_TRY(co_await transport_->stop());
    log::info("{} has stopped", config_.name);
    co_return Result<>{};
  }

  /// For status and mount commands, which write IPv6 addresses in brackets.
  std::string host_and_port() const {
    const bool six = config_.nfs_host.contains(':');
    return fmt::format("{0}{2}{1}:{3}", six ? "[" : "", six ? "]" : "", config_.nfs_host,
                       config_.nfs_port);
  }

  Result<> ready() const {
    if (!serving_) return fail(Errc::unavailable, "the gateway waits for the manager and blades");
    return {};
  }

  static Task<rpc::With<proto::ProcessStatsReply>> answer_stats(proto::ProcessStatsReply stats) {
    co_return rpc::With<proto::ProcessStatsReply>{std::move(stats), {}};
  }

  proto::ProcessStatsReply stats() {
    proto::ProcessStatsReply out = admin::own_process_stats(config_.name);
    if (!service_) return out;
    for (const auto& [name, counters] : service_->stats().all()) {
      proto::OperationStats* operation = out.add_operations();
      operation->set_name(std::string(name));
      operation->set_count(counters.count);
      operation->set_errors(counters.client_errors + counters.server_errors);
      operation->set_bytes(counters.bytes_in + counters.bytes_out);
      operation->set_p50_us(counters.latency.quantile_us(0.5));
      operation->set_p99_us(counters.latency.quantile_us(0.99));
    }
    if (nfs_) nfs_->add_stats(out);
    return out;
  }

  std::string metrics() {
    admin::MetricsText text;
    admin::add_process_metrics(text, stats());
    if (!files_ || !service_ || !s3_) return text.text();
    const auto number = [](uint64_t value) { return static_cast<double>(value); };
    const fs::ArrayFileSystem::Counters counters = files_->counters();
    text.gauge("turbine_s3_connections", "Open client connections",
               number(s3_->connection_count()));
    text.gauge("turbine_s3_requests_inflight", "Requests being answered",
               number(service_->stats().in_flight));
    if (nfs_) nfs_->add_metrics(text);
    text.counter("turbine_stripes_written_total", "Stripes written",
                 number(counters.writer.stripes));
    text.counter("turbine_shard_reads_total", "Shards asked of blades",
                 number(counters.reader.shard_reads));
    text.counter("turbine_cache_hits_total", "Shards found in memory",
                 number(counters.reader.cache_hits));
    text.counter("turbine_reconstructions_total", "Pieces computed from other shards",
                 number(counters.reader.reconstructions));
    text.counter("turbine_retries_total", "Calls tried again", number(counters.retries));
    return text.text();
  }

  const GatewayConfig config_;
  io::Reactor reactor_;
  io::ProcessMain main_;
  std::unique_ptr<rpc::Transport> transport_;
  cluster::MapHolder map_;
  std::optional<cluster::MapClient> map_client_;
  s3::MapCredentials credentials_;
  std::unique_ptr<fs::ArrayFileSystem> files_;
  std::optional<s3::S3Service> service_;
  std::optional<s3::HttpServer> s3_;
  std::unique_ptr<fs::Locks> locks_;
  std::optional<NfsService> nfs_;
  rpc::Dispatcher dispatcher_;
  std::unique_ptr<rpc::Listener> listener_;
  std::unique_ptr<admin::HttpServer> http_;
  bool serving_ = false;
};

}  // namespace

int run_gateway_process(const std::string& config_path) {
  auto config = load_gateway_config(config_path);
  if (!config.ok()) {
    fmt::print(stderr, "turbine: {}\n", config.error().context);
    return 2;
  }
  log::configure(config->name, config->log_level);
  return GatewayProcess(std::move(*config)).run();
}

}  // namespace turbine::gatewayd
