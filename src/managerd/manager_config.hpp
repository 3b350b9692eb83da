// The configuration file of a manager process.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "rpc/tls_context.hpp"

namespace turbine::managerd {

struct ManagerConfig {
  std::string array_id;  // 32 hex digits
  std::string array_name = "turbine";
  std::string secret;  // between the array's processes
  std::string region = "us-east-1";
  std::string log_level = "info";

  uint32_t replicas = 3;  // of each metadata partition, 1 to 3

  std::string directory;  // embedded cluster store; not used with etcd
  std::string rpc_address;
  rpc::TlsFiles tls;              // of tcp: addresses; empty: plain
  std::string manager_addresses;  // of all managers, with commas between; empty: this one only
  std::string admin_host = "127.0.0.1";
  uint16_t admin_port = 9090;
  std::string admin_token;
  std::string http_file;  // where "host:port" of the admin API is written; empty: nowhere

  // etcd as the cluster store, "etcd://host:port,host:port" or etcds://; empty: embedded.
  std::string cluster_store;
  std::string store_ca_file, store_cert_file, store_key_file;  // PEM; empty: system's, none
  std::string store_user, store_password_file;                 // empty: without authentication

  // For a new array only.
  std::string root_access_key, root_secret_key;
  uint32_t partition_count = 256;
  uint32_t expected_blades = 1;  // partitions and layouts are planned when so many have come
};

/// Errc::not_found, Errc::invalid with file and key.
Result<ManagerConfig> load_manager_config(const std::string& path);
std::string to_toml(const ManagerConfig& config);

}  // namespace turbine::managerd
