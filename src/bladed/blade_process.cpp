#include "bladed/blade_process.hpp"

#include <unistd.h>

#include "admin/http_server.hpp"
#include "admin/metrics_text.hpp"
#include "admin/routes.hpp"
#include "base/config_file.hpp"
#include "base/log.hpp"
#include "bladed/blade.hpp"
#include "bladed/disk_identity.hpp"
#include "bladed/test_faults.hpp"
#include "io/process_main.hpp"
#include "kv/rocks_kv.hpp"
#include "proto/rpc.pb.h"

namespace turbine::bladed {

namespace {

std::string host_name() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

class BladeProcess {
 public:
  explicit BladeProcess(BladeConfig config)
      : config_(std::move(config)),
        name_(fmt::format("blade-{}", config_.blade_id)),
        main_(reactor_),
        rng_(secure_random_u64()) {}

  int run() {
    if (auto opened = open(); !opened.ok()) {
      log::error("{} does not start: {}", name_, opened.error().text());
      return 1;
    }
    return main_.run([this] { return start(); }, [this] { return stop(); });
  }

 private:
  Result<> open() {
    rpc::TlsContextPtr tls = TRY(rpc::load_tls(config_.tls));
    auto device = TRY(open_own_device(reactor_, config_));
    const TestFaults faults = TRY(test_faults_from_environment());
    device_ = with_faults(reactor_, std::move(device), faults);
    kv::RocksOptions kv;
    kv.directory = config_.directory + "/kv";
    kv.block_cache_bytes = config_.kv_cache_bytes;
    kv_ = TRY(kv::open_rocks_kv(reactor_.executor(), reactor_.pool(), kv));
    rpc::TransportOptions transport;
    transport.secret = config_.secret;
    transport.tls = std::move(tls);
    transport_ = rpc::make_socket_transport(reactor_.executor(), reactor_.clock(), transport);
    BladeOptions options;
    options.identity = TRY(expected_superblock(config_, device_->size_bytes()));
    options.address = config_.rpc_address;
    options.manager = config_.manager_address;
    options.host = config_.host.empty() ? host_name() : config_.host;
    options.chunk_cache_bytes = config_.chunk_cache_bytes;
    options.skip_flush_for_test = faults.skip_flush;
    blade_.emplace(BladeSeams{.clock = reactor_.clock(),
                              .rng = rng_,
                              .device = *device_,
                              .kv = *kv_,
                              .transport = *transport_,
                              .fatal = [this](Error error) { main_.fail(std::move(error)); }},
                   std::move(options));
    blade_->dispatcher().on<proto::ProcessStatsRequest, proto::ProcessStatsReply>(
        proto::PROCESS_STATS,
        [this](proto::ProcessStatsRequest, rpc::CallInfo) { return answer_stats(stats()); });
    return {};
  }

  Task<> start() {
    admin::HttpServerOptions http;
    http.host = config_.http_host;
    http.port = config_.http_port;
    http.any_port_if_taken = true;
    http_ = CO_TRY(
        admin::HttpServer::start(reactor_.executor(), http,
                                 admin::make_process_handler({[this] { return blade_->ready(); },
                                                              [this] { return metrics(); }})));
    if (!config_.http_file.empty()) CO_TRY(write_file(config_.http_file, http_->address()));
    CO_TRY(co_await blade_->start());
    log::info("{} serves on {}, metrics on {}", name_, config_.rpc_address, http_->address());
    co_return Result<>{};
  }

  Task<> stop() {
    Result<> stopped = co_await blade_->stop();
    if (http_) CO_TRY(co_await http_->stop());
    CO_TRY(co_await transport_->stop());
    log::info("{} has stopped", name_);
    co_return stopped;
  }

  static Task<rpc::With<proto::ProcessStatsReply>> answer_stats(proto::ProcessStatsReply stats) {
    co_return rpc::With<proto::ProcessStatsReply>{std::move(stats), {}};
  }

  proto::ProcessStatsReply stats() const {
    proto::ProcessStatsReply out = admin::own_process_stats(name_);
    const Blade::Counters counters = blade_->counters();
    const auto add = [&out](const char* name, uint64_t count, uint64_t errors, uint64_t bytes) {
      proto::OperationStats* operation = out.add_operations();
      operation->set_name(name);
      operation->set_count(count);
      operation->set_errors(errors);
      operation->set_bytes(bytes);
    };
    add("shard_put", counters.chunks.puts, 0, 0);
    add("shard_read", counters.chunks.reads,
        counters.chunks.checksum_errors + counters.chunks.read_errors, 0);
    add("shard_free", counters.chunks.frees, 0, 0);
    add("journal_record", counters.journal.records, 0, counters.journal.bytes);
    add("journal_flush", counters.journal.flushes, 0, 0);
    return out;
  }

  std::string metrics() const {
    admin::MetricsText text;
    const Blade::Counters counters = blade_->counters();
    const auto number = [](uint64_t value) { return static_cast<double>(value); };
    admin::add_process_metrics(text, stats());
    text.gauge("turbine_blade_capacity_bytes", "Chunk area", number(counters.capacity.total_bytes));
    text.gauge("turbine_blade_used_bytes", "Used of it", number(counters.capacity.used_bytes));
    text.gauge("turbine_blade_shards", "Shards held", number(counters.capacity.shard_count));
    text.gauge("turbine_blade_partitions", "Metadata partitions served",
               number(counters.partitions));
    text.counter("turbine_blade_cache_hits_total", "Shard reads answered from memory",
                 number(counters.chunks.cache_hits));
    text.counter("turbine_blade_checksum_errors_total", "Damaged shards found",
                 number(counters.chunks.checksum_errors));
    text.counter("turbine_blade_read_errors_total", "Reads the device failed",
                 number(counters.chunks.read_errors));
    text.gauge("turbine_blade_journal_used_bytes", "Journal not yet free for reuse",
               number(counters.journal_used_bytes));
    text.counter("turbine_blade_reconstructions_total", "Pieces computed from other shards",
                 number(counters.reader.reconstructions));
    text.counter("turbine_blade_stripes_repaired_total", "Stripes made whole again",
                 number(counters.repair.stripes_repaired()));
    text.counter("turbine_blade_scrubbed_bytes_total", "Bytes verified by scrubbing",
                 number(counters.scrubbed_bytes));
    return text.text();
  }

  const BladeConfig config_;
  const std::string name_;
  io::Reactor reactor_;
  io::ProcessMain main_;
  Rng rng_;
  std::unique_ptr<io::Device> device_;
  std::unique_ptr<kv::Kv> kv_;
  std::unique_ptr<rpc::Transport> transport_;
  std::optional<Blade> blade_;
  std::unique_ptr<admin::HttpServer> http_;
};

}  // namespace

int run_blade_process(const std::string& config_path) {
  auto config = load_blade_config(config_path);
  if (!config.ok()) {
    fmt::print(stderr, "turbine: {}\n", config.error().context);
    return 2;
  }
  log::configure(fmt::format("blade-{}", config->blade_id), config->log_level);
  return BladeProcess(std::move(*config)).run();
}

}  // namespace turbine::bladed
