// ArrayDir: the directory of an array on one machine: what is where, and who holds it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace turbine::cli {

/// DIR/array.toml: all that `up` decided when it formatted DIR, secrets included (mode 0600).
struct ArraySettings {
  std::string array_id;  // 32 hex digits
  std::string secret;    // between the array's processes
  std::string admin_token;
  std::string access_key, secret_key;  // of the root user
  std::string region = "us-east-1";
  std::string listen = "127.0.0.1";
  uint32_t blades = 6, gateways = 1, partitions = 256;
  uint32_t replicas = 3;  // of each partition
  uint32_t managers = 1;  // more than one only with etcd
  // "etcd://…"; empty: the embedded store in DIR/manager. Then: PEM files, user, password's file.
  std::string cluster_store, store_ca, store_cert, store_key, store_user, store_password_file;
  uint16_t s3_port = 9000, nfs_port = 2049, admin_port = 9090;
  uint16_t portmap_port = 0;  // 0: no port mapper
  uint64_t blade_bytes = uint64_t{8} << 30;
  std::vector<uint64_t> incarnations;  // of the blades, in order

  /// Of the managers, with commas between: the first that leads answers.
  std::string admin_urls() const;
  /// Managers' admin ports follow each other.
  uint16_t admin_port_of(uint32_t manager) const {
    return static_cast<uint16_t>(admin_port + manager - 1);
  }
  std::string endpoint_url() const;
  /// "127.0.0.1:2049", as a client on this machine reaches it.
  std::string nfs_address() const;
};

/// `address`: "host:port" of NFS. What mounts BUCKET there.
std::string mount_command(std::string_view address);

class ArrayDir {
 public:
  /// `dir` need not exist.
  explicit ArrayDir(const std::string& dir);

  const std::string& root() const { return root_; }
  std::string path(const std::string& name) const { return root_ + "/" + name; }
  std::string config_path(const std::string& process) const;
  std::string pid_path(const std::string& process) const;
  std::string log_path(const std::string& process) const;
  /// Where a process writes "host:port" of its health and metrics page.
  std::string http_path(const std::string& process) const;
  /// unix: address of a process. Below DIR/run, or below /tmp when that path is too long for one.
  std::string rpc_address(const std::string& process, const std::string& array_id) const;

  bool formatted() const;
  /// Errc::not_found when DIR holds no array.
  Result<ArraySettings> load() const;
  Result<> save(const ArraySettings& settings) const;
  Result<> make_directories(const ArraySettings& settings) const;
  /// DIR/env, for shells: `set -a; . DIR/env`.
  Result<> save_env(const ArraySettings& settings) const;

  /// rpc_address() of all managers, with commas between.
  std::string manager_addresses(const ArraySettings& settings) const;
  /// "manager", "manager-2", …
  static std::string manager_name(uint32_t manager);
  static std::vector<std::string> process_names(const ArraySettings& settings);

 private:
  std::string root_;  // absolute
};

/// Holds DIR's lock until destroyed.
class DirLock {
 public:
  enum class Kind { exclusive, shared };
  /// Errc::conflict when another command holds it; waits up to `wait_ms` first.
  static Result<DirLock> take(const ArrayDir& dir, Kind kind, int wait_ms);
  DirLock(DirLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  DirLock& operator=(DirLock&&) = delete;
  ~DirLock();

 private:
  explicit DirLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace turbine::cli
