// ManagerControl: the admin API's view of the manager and its array.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "admin/array_control.hpp"
#include "managerd/manager_host.hpp"
#include "rpc/rpc.hpp"

namespace turbine::managerd {

/// One reactor thread; all references outlive it and its calls. Each call stays with the manager it
/// began with.
class ManagerControl final : public admin::ArrayControl {
 public:
  ManagerControl(ManagerHost& host, Clock& clock, rpc::Transport& transport)
      : host_(host), clock_(clock), transport_(transport) {}

  /// Buckets can be asked for from now on.
  void set_files(fs::FileSystem* files) { files_ = files; }

  cluster::MapPtr map() const override;
  std::optional<std::string> standby() const override { return host_.standby(); }
  std::vector<admin::BladeReport> reports() const override;
  Task<proto::User> create_user(std::string name) override;
  Task<> delete_user(std::string name) override;
  Task<proto::AccessKey> create_key(std::string user_name) override;
  Task<> delete_key(std::string access_key) override;
  Task<> set_export_policy(proto::NfsExportPolicy policy) override;
  Task<> delete_export_policy(std::string name) override;
  Task<> set_bucket_quota(InodeId bucket, std::optional<uint64_t> bytes,
                          std::vector<InodeId> buckets) override;
  std::vector<std::string> nfs_addresses() const override;
  Task<std::string> config_backup() override;
  Result<fs::FileSystem*> files() override;
  Task<std::vector<proto::ProcessStatsReply>> process_stats() override;

 private:
  Task<proto::ProcessStatsReply> ask_stats(rpc::Address address);

  ManagerHost& host_;
  Clock& clock_;
  rpc::Transport& transport_;
  fs::FileSystem* files_ = nullptr;
};

}  // namespace turbine::managerd
