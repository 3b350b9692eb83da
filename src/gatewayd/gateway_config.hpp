// The configuration file of a gateway process.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "rpc/tls_context.hpp"

namespace turbine::gatewayd {

struct GatewayConfig {
  std::string name = "gateway-1";
  std::string secret;  // between the array's processes
  std::string region = "us-east-1";
  std::string log_level = "info";

  std::string manager_address, rpc_address;
  rpc::TlsFiles tls;  // of tcp: addresses; empty: plain
  std::string s3_host = "127.0.0.1";
  uint16_t s3_port = 9000;
  bool share_s3_port = false;  // with the other gateways of this host

  // NFS and MOUNT; port 0: not served.
  std::string nfs_host = "127.0.0.1";
  uint16_t nfs_port = 0;
  bool share_nfs_port = false;    // with the other gateways of this host
  uint16_t portmap_port = 0;      // the port mapper, 111 for clients that ask; 0: none
  bool register_rpcbind = false;  // tell this host's rpcbind, which answers on port 111

  std::string http_host = "127.0.0.1";
  uint16_t http_port = 0;  // health and metrics; any other free one when it is taken
  std::string http_file;   // where "host:port" of it is written; empty: nowhere

  uint64_t shard_cache_bytes = uint64_t{128} << 20;
};

/// Errc::not_found, Errc::invalid with file and key.
Result<GatewayConfig> load_gateway_config(const std::string& path);
std::string to_toml(const GatewayConfig& config);

}  // namespace turbine::gatewayd
