// ManagerControl: the admin API's view of the manager and its array.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "admin/array_control.hpp"
#include "cluster/manager.hpp"
#include "rpc/rpc.hpp"

namespace turbine::managerd {

/// One reactor thread; all references outlive it and its calls.
class ManagerControl final : public admin::ArrayControl {
 public:
  ManagerControl(cluster::Manager& manager, Clock& clock, rpc::Transport& transport)
      : manager_(manager), clock_(clock), transport_(transport) {}

  /// Buckets can be asked for from now on.
  void set_files(fs::FileSystem* files) { files_ = files; }

  cluster::MapPtr map() const override { return manager_.map_with_usage(); }
  std::vector<admin::BladeReport> reports() const override;
  Task<proto::User> create_user(std::string name) override {
    return manager_.create_user(std::move(name));
  }
  Task<> delete_user(std::string name) override { return manager_.delete_user(std::move(name)); }
  Task<proto::AccessKey> create_key(std::string user_name) override {
    return manager_.create_key(std::move(user_name));
  }
  Task<> delete_key(std::string access_key) override {
    return manager_.delete_key(std::move(access_key));
  }
  Result<fs::FileSystem*> files() override;
  Task<std::vector<proto::ProcessStatsReply>> process_stats() override;

 private:
  Task<proto::ProcessStatsReply> ask_stats(rpc::Address address);

  cluster::Manager& manager_;
  Clock& clock_;
  rpc::Transport& transport_;
  fs::FileSystem* files_ = nullptr;
};

}  // namespace turbine::managerd
