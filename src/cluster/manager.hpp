// Manager: keeps the cluster map. Takes registrations and heartbeats, declares blades dead, plans.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/async.hpp"
#include "base/rng.hpp"
#include "cluster/cluster_map.hpp"
#include "cluster/cluster_store.hpp"
#include "cluster/replica_plan.hpp"
#include "rpc/typed.hpp"

namespace turbine::cluster {

struct ManagerOptions {
  uint32_t expected_blades = 6;  // the first plan is made when so many have registered
  uint32_t partition_count = 256;
  int groups_per_layout = 256;
  int replica_count = 1;  // of a partition; fewer where there are fewer blades
  Duration replan_delay = std::chrono::seconds(10);  // before a dead blade's replicas are replaced
  Duration silence = std::chrono::milliseconds(1000);  // a blade silent for so long is dead
  Duration find_time{};  // after a start, that blades get to find this manager in place of another
  std::string array_name = "turbine";
  std::string region = "us-east-1";
  // Of a new array; empty: made here.
  std::string array_id, root_access_key, root_secret_key;
  std::function<uint64_t()> random = secure_random_u64;               // ids and keys
  std::function<void(MutableByteView)> random_bytes = secure_random;  // what NFS signs with
};

/// The last heartbeat of a blade, kept in memory.
struct BladeNote {
  uint32_t blade = 0;
  TimePoint arrived{};
  proto::BladeHeartbeatRequest heartbeat;
};

struct GatewayNote {
  uint64_t session = 0;
  std::string name, address;
  std::string nfs_address;  // "host:port"; empty: none
  TimePoint last_seen{};
};

/// One reactor thread. Every change of the map is a transaction of the store and durable before
/// anyone sees it; heartbeats live in memory only. Call start() before serve()d messages arrive,
/// stop() before the listener's stop(): it ends the long polls.
class Manager {
 public:
  Manager(ClusterStore& store, Clock& clock, ManagerOptions options);
  ~Manager();

  /// Loads the array, or makes it: an id, a root user with one key, exports to loopback only.
  Task<> start();
  Task<> stop();
  /// Adds the handlers of REGISTER_BLADE … GET_MAP.
  void serve(rpc::Dispatcher& dispatcher);

  /// As committed, with users and keys.
  MapPtr map() const { return map_; }
  /// map() with each blade's capacity and use as of its last heartbeat.
  MapPtr map_with_usage() const;
  std::vector<BladeNote> blade_notes() const;
  std::vector<GatewayNote> gateway_notes() const;

  /// Errc::exists; Errc::invalid for a name that is empty or longer than 64 bytes.
  Task<proto::User> create_user(std::string name);
  /// With its keys. Errc::not_found; Errc::denied for root.
  Task<> delete_user(std::string name);
  /// access_key: 20 of [A-Z0-9]; secret_key: 40 of [A-Za-z0-9]. Errc::not_found.
  Task<proto::AccessKey> create_key(std::string user_name);
  Task<> delete_key(std::string access_key);

  /// Makes or replaces the policy of an export (export_rules.hpp); its rules are sound.
  /// Errc::invalid: the name; Errc::no_space: there are too many policies.
  Task<> set_export_policy(proto::NfsExportPolicy policy);
  /// Errc::not_found.
  Task<> delete_export_policy(std::string name);

  /// What the files of a bucket may have together; nothing: no limit (any more). `buckets`: all
  /// that are there; the quotas of others are forgotten.
  Task<> set_bucket_quota(InodeId bucket, std::optional<uint64_t> bytes,
                          std::vector<InodeId> buckets);

  /// The array's records as of one moment, encoded (config_backup.hpp). Errc::unavailable before
  /// the array is complete.
  Task<std::string> config_backup() const;

 private:
  template <class Body>
  using Answer = Task<rpc::With<Body>>;
  /// Changes copies; returns false when there is nothing to change.
  using Mutation = std::function<Result<bool>(proto::ClusterMap&, proto::ArrayCounters&)>;

  struct Alive {
    TimePoint last_seen{};
    std::shared_ptr<rpc::PeerLink> link;  // that its last message came on
    std::optional<BladeNote> note;
  };

  Task<> create_array();
  Task<> complete_nfs_settings();
  proto::NfsSettings make_nfs_settings() const;
  Task<> reload();
  Task<> change(Mutation mutation);
  Task<> change_locked(Mutation mutation);
  void publish(proto::ClusterMap map);
  Task<> watch_blades();
  void heard(uint32_t blade, uint64_t session, std::shared_ptr<rpc::PeerLink> link);
  Task<> mark_dead(uint32_t blade, uint64_t session, std::string why);

  Answer<proto::RegisterBladeReply> register_blade(proto::RegisterBladeRequest request,
                                                   rpc::CallInfo info);
  Answer<proto::BladeHeartbeatReply> blade_heartbeat(proto::BladeHeartbeatRequest request,
                                                     rpc::CallInfo info);
  Answer<proto::RegisterGatewayReply> register_gateway(proto::RegisterGatewayRequest request);
  Answer<proto::GatewayHeartbeatReply> gateway_heartbeat(proto::GatewayHeartbeatRequest request);
  /// One transaction for all changes that the rules allow (partition_change.hpp), also of those
  /// who ask while the store is busy.
  Answer<proto::ChangePartitionsReply> change_partitions(proto::ChangePartitionsRequest request);
  struct AskedChanges {
    proto::ChangePartitionsRequest request;
    proto::ChangePartitionsReply reply;
    std::optional<Result<>> outcome;
  };
  static bool apply(proto::ClusterMap& map, AskedChanges& asked);
  Task<> decide_asked();
  Answer<proto::GetMapReply> get_map(proto::GetMapRequest request);

  Result<proto::Blade*> admit_blade(const proto::RegisterBladeRequest& request,
                                    proto::ClusterMap& map, proto::ArrayCounters& counters);
  void plan_if_complete(proto::ClusterMap& map, const proto::ArrayCounters& counters);
  const std::vector<Members>& home_plan(std::vector<BladeHost> blades, uint32_t partition_count);
  /// Brings every partition's `wanted` up to date; part of every change. True when it changed.
  bool keep_wanted(proto::ClusterMap& map);
  void note_deaths();
  Task<> replan();
  std::string random_text(size_t count, std::string_view alphabet) const;
  proto::AccessKey make_key(uint64_t user) const;
  uint64_t wall_ms() const;

  ClusterStore& store_;
  Clock& clock_;
  const ManagerOptions options_;
  Gate gate_;
  Semaphore one_change_;
  std::vector<std::shared_ptr<AskedChanges>> asked_;  // not begun
  MapPtr map_;
  proto::ArrayCounters counters_;
  uint64_t map_revision_ = 0, counters_revision_ = 0;
  std::map<uint32_t, Alive> alive_;
  std::map<uint32_t, TimePoint> dead_since_;  // as far as this manager has seen
  TimePoint replan_due_ = TimePoint::max();   // when `wanted` changes by time alone
  std::vector<BladeHost> home_blades_;        // that home_plan_ was made for
  std::vector<Members> home_plan_;
  std::map<uint64_t, GatewayNote> gateways_;
  std::vector<OneShot<>> polls_;
  std::shared_ptr<Manager*> self_;  // for callbacks that may come after this object's end
};

/// `map` without users, keys and what NFS signs with, for those who need none.
proto::ClusterMap without_keys(proto::ClusterMap map);

}  // namespace turbine::cluster
