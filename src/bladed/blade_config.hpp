// The configuration file of a blade process.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "rpc/tls_context.hpp"

namespace turbine::bladed {

struct BladeConfig {
  uint32_t blade_id = 0;
  std::string array_id;      // 32 hex digits
  uint64_t incarnation = 0;  // of the disk's contents; a blank blade is formatted with it
  std::string secret;        // between the array's processes
  std::string host;          // or chassis, which fails as a whole; empty: the machine's name
  std::string log_level = "info";

  std::string directory;      // identity and RocksDB
  std::string device;         // file or block device
  uint64_t device_bytes = 0;  // size of a new file; 0: the device's own

  std::string manager_address, rpc_address;
  rpc::TlsFiles tls;  // of tcp: addresses; empty: plain
  std::string http_host = "127.0.0.1";
  uint16_t http_port = 0;  // health and metrics; any other free one when it is taken
  std::string http_file;   // where "host:port" of it is written; empty: nowhere

  uint64_t chunk_cache_bytes = uint64_t{64} << 20;
  uint64_t kv_cache_bytes = uint64_t{32} << 20;
};

/// Errc::not_found, Errc::invalid with file and key.
Result<BladeConfig> load_blade_config(const std::string& path);
std::string to_toml(const BladeConfig& config);

}  // namespace turbine::bladed
