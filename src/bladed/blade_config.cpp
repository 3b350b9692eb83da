#include "bladed/blade_config.hpp"

#include <charconv>

#include "base/config_file.hpp"

namespace turbine::bladed {

Result<BladeConfig> load_blade_config(const std::string& path) {
  ConfigFile file = TRY(ConfigFile::load(path));
  BladeConfig config;
  config.blade_id = static_cast<uint32_t>(TRY(file.number("blade.id")));
  config.array_id = TRY(file.text("blade.array_id"));
  const std::string incarnation = TRY(file.text("blade.incarnation"));
  const char* end = incarnation.data() + incarnation.size();
  const auto parsed = std::from_chars(incarnation.data(), end, config.incarnation, 16);
  if (parsed.ec != std::errc{} || parsed.ptr != end) {
    return fail(Errc::invalid, "{}: blade.incarnation must be hexadecimal", path);
  }
  config.secret = TRY(file.text("blade.secret"));
  config.host = TRY(file.text_or("blade.host", ""));
  config.log_level = TRY(file.text_or("blade.log_level", config.log_level));
  config.directory = TRY(file.text("storage.directory"));
  config.device = TRY(file.text("storage.device"));
  config.device_bytes = TRY(file.number_or("storage.device_bytes", 0));
  config.chunk_cache_bytes =
      TRY(file.number_or("storage.chunk_cache_bytes", config.chunk_cache_bytes));
  config.kv_cache_bytes = TRY(file.number_or("storage.kv_cache_bytes", config.kv_cache_bytes));
  config.manager_address = TRY(file.text("network.manager"));
  config.rpc_address = TRY(file.text("network.rpc"));
  config.http_host = TRY(file.text_or("network.http_host", config.http_host));
  config.http_port = static_cast<uint16_t>(TRY(file.number_or("network.http_port", 0)));
  config.http_file = TRY(file.text_or("network.http_file", ""));
  config.tls = TRY(rpc::read_tls_files(file));
  TRY(file.finish());
  if (config.blade_id == 0) return fail(Errc::invalid, "{}: blade.id must be at least 1", path);
  return config;
}

std::string to_toml(const BladeConfig& config) {
  ConfigText file("A blade process. Written by `turbine up`; holds a secret.");
  file.set("blade.id", config.blade_id);
  file.set("blade.array_id", config.array_id);
  file.set("blade.incarnation", fmt::format("{:016x}", config.incarnation));
  file.set("blade.secret", config.secret);
  if (!config.host.empty()) file.set("blade.host", config.host);
  file.set("blade.log_level", config.log_level);
  file.set("storage.directory", config.directory);
  file.set("storage.device", config.device);
  file.set("storage.device_bytes", config.device_bytes);
  file.set("storage.chunk_cache_bytes", config.chunk_cache_bytes);
  file.set("storage.kv_cache_bytes", config.kv_cache_bytes);
  file.set("network.manager", config.manager_address);
  file.set("network.rpc", config.rpc_address);
  file.set("network.http_host", config.http_host);
  file.set("network.http_port", config.http_port);
  file.set("network.http_file", config.http_file);
  rpc::write_tls_files(file, config.tls);
  return file.text();
}

}  // namespace turbine::bladed
