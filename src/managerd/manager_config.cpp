#include "managerd/manager_config.hpp"

#include "base/config_file.hpp"

namespace turbine::managerd {
namespace {

constexpr uint64_t kReplicasMax = 3;

}  // namespace

Result<ManagerConfig> load_manager_config(const std::string& path) {
  ConfigFile file = TRY(ConfigFile::load(path));
  ManagerConfig config;
  config.array_id = TRY(file.text("array.id"));
  config.array_name = TRY(file.text_or("array.name", config.array_name));
  config.secret = TRY(file.text("array.secret"));
  config.region = TRY(file.text_or("array.region", config.region));
  config.root_access_key = TRY(file.text("array.root_access_key"));
  config.root_secret_key = TRY(file.text("array.root_secret_key"));
  config.partition_count = static_cast<uint32_t>(TRY(file.number("array.partitions")));
  config.expected_blades = static_cast<uint32_t>(TRY(file.number("array.blades")));
  const uint64_t replicas = TRY(file.number_or("array.replicas", config.replicas));
  config.directory = TRY(file.text_or("manager.directory", ""));
  config.log_level = TRY(file.text_or("manager.log_level", config.log_level));
  config.rpc_address = TRY(file.text("network.rpc"));
  config.manager_addresses = TRY(file.text_or("network.managers", ""));
  config.admin_host = TRY(file.text_or("network.admin_host", config.admin_host));
  config.admin_port = static_cast<uint16_t>(TRY(file.number("network.admin_port")));
  config.admin_token = TRY(file.text("network.admin_token"));
  config.http_file = TRY(file.text_or("network.http_file", ""));
  config.cluster_store = TRY(file.text_or("store.address", ""));
  config.store_ca_file = TRY(file.text_or("store.ca_file", ""));
  config.store_cert_file = TRY(file.text_or("store.cert_file", ""));
  config.store_key_file = TRY(file.text_or("store.key_file", ""));
  config.store_user = TRY(file.text_or("store.user", ""));
  config.store_password_file = TRY(file.text_or("store.password_file", ""));
  config.tls = TRY(rpc::read_tls_files(file));
  TRY(file.finish());
  if (config.cluster_store.empty() && config.directory.empty()) {
    return fail(Errc::invalid, "{}: wants manager.directory, or store.address for etcd", path);
  }
  if (config.partition_count == 0 || config.partition_count > 4096) {
    return fail(Errc::invalid, "{}: array.partitions must be 1 to 4096", path);
  }
  if (replicas == 0 || replicas > kReplicasMax) {
    return fail(Errc::invalid, "{}: array.replicas must be 1 to {}", path, kReplicasMax);
  }
  config.replicas = static_cast<uint32_t>(replicas);
  return config;
}

std::string to_toml(const ManagerConfig& config) {
  ConfigText file("The manager process. Written by `turbine up`; holds secrets.");
  file.set("array.id", config.array_id);
  file.set("array.name", config.array_name);
  file.set("array.secret", config.secret);
  file.set("array.region", config.region);
  file.set("array.root_access_key", config.root_access_key);
  file.set("array.root_secret_key", config.root_secret_key);
  file.set("array.partitions", config.partition_count);
  file.set("array.blades", config.expected_blades);
  file.set("array.replicas", config.replicas);
  if (!config.directory.empty()) file.set("manager.directory", config.directory);
  file.set("manager.log_level", config.log_level);
  file.set("network.rpc", config.rpc_address);
  file.set("network.admin_host", config.admin_host);
  file.set("network.admin_port", config.admin_port);
  file.set("network.admin_token", config.admin_token);
  file.set("network.http_file", config.http_file);
  const auto set_if_any = [&file](std::string_view key, const std::string& value) {
    if (!value.empty()) file.set(key, value);
  };
  set_if_any("network.managers", config.manager_addresses);
  set_if_any("store.address", config.cluster_store);
  set_if_any("store.ca_file", config.store_ca_file);
  set_if_any("store.cert_file", config.store_cert_file);
  set_if_any("store.key_file", config.store_key_file);
  set_if_any("store.user", config.store_user);
  set_if_any("store.password_file", config.store_password_file);
  rpc::write_tls_files(file, config.tls);
  return file.text();
}

}  // namespace turbine::managerd
