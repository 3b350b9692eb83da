#include "gatewayd/gateway_config.hpp"

#include "base/config_file.hpp"

namespace turbine::gatewayd {

Result<GatewayConfig> load_gateway_config(const std::string& path) {
  ConfigFile file = TRY(ConfigFile::load(path));
  GatewayConfig config;
  config.name = TRY(file.text("gateway.name"));
  config.secret = TRY(file.text("gateway.secret"));
  config.region = TRY(file.text_or("gateway.region", config.region));
  config.log_level = TRY(file.text_or("gateway.log_level", config.log_level));
  config.shard_cache_bytes =
      TRY(file.number_or("gateway.shard_cache_bytes", config.shard_cache_bytes));
  config.manager_address = TRY(file.text("network.manager"));
  config.rpc_address = TRY(file.text("network.rpc"));
  config.s3_host = TRY(file.text_or("network.s3_host", config.s3_host));
  config.s3_port = static_cast<uint16_t>(TRY(file.number("network.s3_port")));
  config.share_s3_port = TRY(file.flag_or("network.share_s3_port", false));
  config.nfs_host = TRY(file.text_or("nfs.host", config.nfs_host));
  config.nfs_port = static_cast<uint16_t>(TRY(file.number_or("nfs.port", 0)));
  config.share_nfs_port = TRY(file.flag_or("nfs.share_port", false));
  config.portmap_port = static_cast<uint16_t>(TRY(file.number_or("nfs.portmap_port", 0)));
  config.register_rpcbind = TRY(file.flag_or("nfs.register_rpcbind", false));
  config.http_host = TRY(file.text_or("network.http_host", config.http_host));
  config.http_port = static_cast<uint16_t>(TRY(file.number_or("network.http_port", 0)));
  config.http_file = TRY(file.text_or("network.http_file", ""));
  config.tls = TRY(rpc::read_tls_files(file));
  TRY(file.finish());
  if (config.portmap_port != 0 && config.register_rpcbind) {
    return fail(Errc::invalid, "{}: rpcbind has port 111, so there is no nfs.portmap_port", path);
  }
  if (config.nfs_port == 0 && (config.portmap_port != 0 || config.register_rpcbind)) {
    return fail(Errc::invalid, "{}: nfs.portmap_port and nfs.register_rpcbind want nfs.port", path);
  }
  return config;
}

std::string to_toml(const GatewayConfig& config) {
  ConfigText file("A gateway process. Written by `turbine up`; holds a secret.");
  file.set("gateway.name", config.name);
  file.set("gateway.secret", config.secret);
  file.set("gateway.region", config.region);
  file.set("gateway.log_level", config.log_level);
  file.set("gateway.shard_cache_bytes", config.shard_cache_bytes);
  file.set("network.manager", config.manager_address);
  file.set("network.rpc", config.rpc_address);
  file.set("network.s3_host", config.s3_host);
  file.set("network.s3_port", config.s3_port);
  file.set_flag("network.share_s3_port", config.share_s3_port);
  file.set("network.http_host", config.http_host);
  file.set("network.http_port", config.http_port);
  file.set("network.http_file", config.http_file);
  file.set("nfs.host", config.nfs_host);
  file.set("nfs.port", config.nfs_port);
  file.set_flag("nfs.share_port", config.share_nfs_port);
  file.set("nfs.portmap_port", config.portmap_port);
  file.set_flag("nfs.register_rpcbind", config.register_rpcbind);
  rpc::write_tls_files(file, config.tls);
  return file.text();
}

}  // namespace turbine::gatewayd
