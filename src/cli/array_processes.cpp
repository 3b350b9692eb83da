#include "cli/array_processes.hpp"

#include <unistd.h>

#include <boost/json.hpp>
#include <charconv>
#include <chrono>
#include <thread>

#include "admin/client_connection.hpp"
#include "base/config_file.hpp"
#include "bladed/blade_config.hpp"
#include "gatewayd/gateway_config.hpp"
#include "managerd/manager_config.hpp"

namespace turbine::cli {

namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(15);
constexpr size_t kTailLines = 8;

/// An array on one machine shares its memory: a part of it for each cache.
uint64_t cache_bytes_for(uint32_t sharers, uint64_t least, uint64_t most) {
  const uint64_t memory =
      static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return std::clamp(memory / 16 / sharers, least, most);
}

std::string kind_of(const std::string& process) {
  return process.substr(0, process.find('-'));
}

Result<> write_manager(const ArrayDir& dir, const ArraySettings& settings, uint32_t id) {
  const std::string name = ArrayDir::manager_name(id);
  managerd::ManagerConfig config;
  config.array_id = settings.array_id;
  config.array_name = dir.root().substr(dir.root().rfind('/') + 1);
  config.secret = settings.secret;
  config.region = settings.region;
  if (settings.cluster_store.empty()) config.directory = dir.path("manager");
  config.cluster_store = settings.cluster_store;
  config.store_ca_file = settings.store_ca;
  config.store_cert_file = settings.store_cert;
  config.store_key_file = settings.store_key;
  config.store_user = settings.store_user;
  config.store_password_file = settings.store_password_file;
  config.rpc_address = dir.rpc_address(name, settings.array_id);
  if (settings.managers > 1) config.manager_addresses = dir.manager_addresses(settings);
  config.admin_host = settings.listen;
  config.admin_port = settings.admin_port_of(id);
  config.admin_token = settings.admin_token;
  config.http_file = dir.http_path(name);
  config.root_access_key = settings.access_key;
  config.root_secret_key = settings.secret_key;
  config.partition_count = settings.partitions;
  config.replicas = settings.replicas;
  config.expected_blades = settings.blades;
  return write_file(dir.config_path(name), to_toml(config), 0600);
}

Result<> write_blade(const ArrayDir& dir, const ArraySettings& settings, uint32_t id) {
  const std::string name = fmt::format("blade-{}", id);
  bladed::BladeConfig config;
  config.blade_id = id;
  config.array_id = settings.array_id;
  config.incarnation = settings.incarnations[id - 1];
  config.secret = settings.secret;
  config.directory = dir.path(name);
  config.device = dir.path(name + "/blade.img");
  config.device_bytes = settings.blade_bytes;
  config.manager_address = dir.manager_addresses(settings);
  config.rpc_address = dir.rpc_address(name, settings.array_id);
  config.http_host = "127.0.0.1";
  config.http_port = static_cast<uint16_t>(
      settings.admin_port + 100 + id > 65000 ? 0 : settings.admin_port + 100 + id);
  config.http_file = dir.http_path(name);
  config.chunk_cache_bytes =
      cache_bytes_for(settings.blades, uint64_t{16} << 20, uint64_t{256} << 20);
  config.kv_cache_bytes =
      cache_bytes_for(settings.blades * 2, uint64_t{8} << 20, uint64_t{128} << 20);
  return write_file(dir.config_path(name), to_toml(config), 0600);
}

Result<> write_gateway(const ArrayDir& dir, const ArraySettings& settings, uint32_t id) {
  const std::string name = fmt::format("gateway-{}", id);
  gatewayd::GatewayConfig config;
  config.name = name;
  config.secret = settings.secret;
  config.region = settings.region;
  config.manager_address = dir.manager_addresses(settings);
  config.rpc_address = dir.rpc_address(name, settings.array_id);
  config.s3_host = settings.listen;
  config.s3_port = settings.s3_port;
  config.share_s3_port = settings.gateways > 1;
  config.nfs_host = settings.listen;
  config.nfs_port = settings.nfs_port;
  config.share_nfs_port = settings.gateways > 1;
  config.portmap_port = settings.portmap_port;
  config.http_host = "127.0.0.1";
  config.http_port = static_cast<uint16_t>(
      settings.admin_port + 50 + id > 65000 ? 0 : settings.admin_port + 50 + id);
  config.http_file = dir.http_path(name);
  config.shard_cache_bytes =
      cache_bytes_for(settings.gateways, uint64_t{32} << 20, uint64_t{256} << 20);
  return write_file(dir.config_path(name), to_toml(config), 0600);
}

/// The last thing that kept `process` from being ready; empty when it is.
std::string not_ready(const ArrayDir& dir, const std::string& process) {
  const auto address = read_file(dir.http_path(process));
  if (!address.ok()) return "it has not opened its ports";
  const size_t colon = address->rfind(':');
  if (colon == std::string::npos) return "it has not opened its ports";
  admin::ClientRequest request;
  request.host = address->substr(0, colon);
  if (request.host == "0.0.0.0") request.host = "127.0.0.1";
  std::from_chars(address->data() + colon + 1, address->data() + address->size(), request.port);
  request.target = "/health/ready";
  request.timeout_ms = 2000;
  const auto answer = admin::http_call(request);
  if (!answer.ok()) return answer.error().context;
  if (answer->status == 200) return "";
  boost::system::error_code error;
  const auto body = boost::json::parse(answer->body, error);
  const auto* detail =
      !error && body.is_object() ? body.as_object().if_contains("detail") : nullptr;
  return detail != nullptr && detail->is_string() ? std::string(detail->as_string())
                                                  : fmt::format("HTTP {}", answer->status);
}

}  // namespace

Daemon daemon_of(const ArrayDir& dir, const std::string& process) {
  return {process, dir.pid_path(process), dir.log_path(process)};
}

Result<> write_configs(const ArrayDir& dir, const ArraySettings& settings) {
  for (uint32_t id = 1; id <= settings.managers; ++id) TRY(write_manager(dir, settings, id));
  for (uint32_t id = 1; id <= settings.blades; ++id) TRY(write_blade(dir, settings, id));
  for (uint32_t id = 1; id <= settings.gateways; ++id) TRY(write_gateway(dir, settings, id));
  return {};
}

Result<> start_process(const ArrayDir& dir, const std::string& process) {
  // A page address left by an earlier life would be asked in this one's place.
  unlink(dir.http_path(process).c_str());
  TRY(daemon_of(dir, process).start({kind_of(process), "--config", dir.config_path(process)}));
  return {};
}

Result<> wait_ready(const ArrayDir& dir, const std::vector<std::string>& processes, int wait_ms) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
  for (const std::string& process : processes) {
    while (true) {
      const std::string why = not_ready(dir, process);
      if (why.empty()) break;
      // Any of them may have ended, and the one that waits for it would tell less.
      for (const std::string& other : processes) {
        const Daemon daemon = daemon_of(dir, other);
        if (daemon.running().has_value()) continue;
        return fail(Errc::unavailable, "{} ended while starting; the end of {}:\n{}", other,
                    daemon.log_path, daemon.log_tail(kTailLines));
      }
      if (std::chrono::steady_clock::now() >= deadline) {
        return fail(Errc::timeout, "{} is not ready after {} s: {}; the end of {}:\n{}", process,
                    wait_ms / 1000, why, dir.log_path(process),
                    daemon_of(dir, process).log_tail(kTailLines));
      }
      std::this_thread::sleep_for(kPollInterval);
    }
  }
  return {};
}

}  // namespace turbine::cli
