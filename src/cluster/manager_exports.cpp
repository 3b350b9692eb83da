// Manager: the policies of NFS exports, and what NFS signs with.
#include "base/log.hpp"
#include "cluster/export_rules.hpp"
#include "cluster/manager.hpp"

namespace turbine::cluster {
namespace {

constexpr size_t kHandleKeyBytes = 16;

int index_of_policy(const proto::NfsSettings& settings, std::string_view name) {
  for (int i = 0; i < settings.policies_size(); ++i) {
    if (settings.policies(i).name() == name) return i;
  }
  return -1;
}

}  // namespace

proto::NfsSettings Manager::make_nfs_settings() const {
  proto::NfsSettings settings;
  std::string& key = *settings.add_handle_keys();
  key.resize(kHandleKeyBytes);
  options_.random_bytes(std::as_writable_bytes(std::span(key)));
  uint64_t verifier = 0;
  while (verifier == 0) options_.random_bytes(std::as_writable_bytes(std::span(&verifier, 1)));
  settings.set_write_verifier(verifier);
  export_to_loopback(settings);
  return settings;
}

/// An array, or a backup of one, from before there was NFS.
Task<> Manager::complete_nfs_settings() {
  if (map_->record().has_nfs()) co_return Result<>{};
  co_return co_await change([this](proto::ClusterMap& map, proto::ArrayCounters&) {
    if (map.has_nfs()) return Result<bool>(false);
    *map.mutable_nfs() = make_nfs_settings();
    log::info("the array has a key for NFS file handles now, and exports to loopback only");
    return Result<bool>(true);
  });
}

Task<> Manager::set_export_policy(proto::NfsExportPolicy policy) {
  CO_TRY(check_policy_name(policy.name()));
  co_return co_await change([&](proto::ClusterMap& map, proto::ArrayCounters&) -> Result<bool> {
    proto::NfsSettings& settings = *map.mutable_nfs();
    const int index = index_of_policy(settings, policy.name());
    if (index >= 0) {
      *settings.mutable_policies(index) = policy;
      return true;
    }
    if (settings.policies_size() >= kExportPoliciesMax) {
      return fail(Errc::no_space, "there are {} export policies, more are not kept",
                  settings.policies_size());
    }
    *settings.add_policies() = policy;
    return true;
  });
}

Task<> Manager::delete_export_policy(std::string name) {
  co_return co_await change([&](proto::ClusterMap& map, proto::ArrayCounters&) -> Result<bool> {
    proto::NfsSettings& settings = *map.mutable_nfs();
    const int index = index_of_policy(settings, name);
    if (index < 0) return fail(Errc::not_found, "export {} has no policy of its own", name);
    settings.mutable_policies()->DeleteSubrange(index, 1);
    return true;
  });
}

}  // namespace turbine::cluster
