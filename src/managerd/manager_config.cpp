#include "managerd/manager_config.hpp"

#include "base/config_file.hpp"

namespace turbine::managerd {

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
  config.directory = TRY(file.text("manager.directory"));
  config.log_level = TRY(file.text_or("manager.log_level", config.log_level));
  config.rpc_address = TRY(file.text("network.rpc"));
  config.admin_host = TRY(file.text_or("network.admin_host", config.admin_host));
  config.admin_port = static_cast<uint16_t>(TRY(file.number("network.admin_port")));
  config.admin_token = TRY(file.text("network.admin_token"));
  config.http_file = TRY(file.text_or("network.http_file", ""));
  TRY(file.finish());
  if (config.partition_count == 0 || config.partition_count > 4096) {
    return fail(Errc::invalid, "{}: array.partitions must be 1 to 4096", path);
  }
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
  file.set("manager.directory", config.directory);
  file.set("manager.log_level", config.log_level);
  file.set("network.rpc", config.rpc_address);
  file.set("network.admin_host", config.admin_host);
  file.set("network.admin_port", config.admin_port);
  file.set("network.admin_token", config.admin_token);
  file.set("network.http_file", config.http_file);
  return file.text();
}

}  // namespace turbine::managerd
