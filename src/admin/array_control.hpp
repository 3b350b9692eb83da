// ArrayControl: what the admin API needs of the manager. The manager process implements it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "admin/array_status.hpp"
#include "base/task.hpp"
#include "cluster/cluster_map.hpp"
#include "fs/fs.hpp"

namespace turbine::admin {

/// One reactor thread. Changes are durable in the cluster store on return.
class ArrayControl {
 public:
  virtual ~ArrayControl() = default;

  /// Null before there is one; never null again.
  virtual cluster::MapPtr map() const = 0;
  /// Of several managers only one leads and serves this API. Why this one does not, and who does;
  /// nothing when it leads.
  virtual std::optional<std::string> standby() const { return std::nullopt; }
  /// The newest heartbeat of each blade since the manager started.
  virtual std::vector<BladeReport> reports() const = 0;

  /// Errc::exists when the name is taken.
  virtual Task<proto::User> create_user(std::string name) = 0;
  /// Its keys go with it. Errc::not_found; Errc::denied for the root user.
  virtual Task<> delete_user(std::string name) = 0;
  /// The only time that the secret is shown.
  virtual Task<proto::AccessKey> create_key(std::string user_name) = 0;
  virtual Task<> delete_key(std::string access_key) = 0;
  /// Makes or replaces the rules of an NFS export; they are sound.
  virtual Task<> set_export_policy(proto::NfsExportPolicy policy) = 0;
  /// Errc::not_found.
  virtual Task<> delete_export_policy(std::string name) = 0;
  /// What the files of a bucket may have together; nothing: no limit. `buckets`: all there are.
  virtual Task<> set_bucket_quota(InodeId bucket, std::optional<uint64_t> bytes,
                                  std::vector<InodeId> buckets) = 0;
  /// Where gateways serve NFS, each address once: "10.0.0.1:2049".
  virtual std::vector<std::string> nfs_addresses() const = 0;
  /// The records of the cluster store (docs/format/config_backup.md), secrets included.
  /// Errc::unavailable before the array is complete.
  virtual Task<std::string> config_backup() = 0;

  /// Buckets go through the same door as S3's. Errc::unavailable before the array is complete.
  virtual Result<fs::FileSystem*> files() = 0;
  /// Asks every live process; those that do not answer within 2 s are left out.
  virtual Task<std::vector<proto::ProcessStatsReply>> process_stats() = 0;
};

}  // namespace turbine::admin
