// SmallArray: partition services with journals and a shard service per blade, in one process and
// in virtual time, for tests of what stands above them. Shards are kept in memory.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/rng.hpp"
#include "cluster/cluster_map.hpp"
#include "io/sim_clock.hpp"
#include "rpc/mem_transport.hpp"

// Their headers are slow to parse; most tests need none of them.
namespace turbine::fs {
class ArrayFileSystem;
struct FileSystemOptions;
}  // namespace turbine::fs
namespace turbine::meta {
class PartitionHost;
}  // namespace turbine::meta
namespace turbine::rpc {
class Dispatcher;
}  // namespace turbine::rpc

namespace turbine::test {

/// Shards of one blade behind its dispatcher; may be spoilt at will.
struct MemoryShards {
  std::map<ShardId, std::string> shards;
  bool full = false;

  void register_handlers(rpc::Dispatcher& dispatcher);
};

class SmallArray {
 public:
  struct Blade {
    Blade(uint32_t number, io::SimClock& clock);
    ~Blade();
    struct Parts;  // what the host stands on
    std::unique_ptr<Parts> parts;
    std::unique_ptr<meta::PartitionHost> host;
    MemoryShards shards;
    std::unique_ptr<rpc::Dispatcher> dispatcher;
    std::unique_ptr<rpc::Listener> listener;
  };

  SmallArray(uint32_t blade_count, uint32_t partitions);
  SmallArray(uint32_t blade_count, uint32_t partitions, const fs::FileSystemOptions& options);
  ~SmallArray();

  /// The map says so, and the blade is cut off; or it is back.
  void set_dead(uint32_t id, bool dead);
  /// As the manager gives a bucket without one a quota.
  void set_quota(InodeId bucket, uint64_t bytes);

  io::SimClock clock;
  rpc::MemNetwork network{clock, Rng(5)};
  cluster::MapHolder map;
  std::vector<std::unique_ptr<Blade>> blades;
  std::unique_ptr<rpc::Transport> gateway;
  std::unique_ptr<fs::ArrayFileSystem> files;

 private:
  static std::string name_of(uint32_t id);
  proto::ClusterMap make_map();
  void set_up(Blade& blade, uint32_t id);
  static Task<> start(SmallArray& array, Blade& blade, uint32_t id);

  uint32_t blade_count_, partitions_;
  uint64_t epoch_ = 0;
  std::set<BladeId> dead_;
  std::vector<proto::BucketQuota> quotas_;
};

}  // namespace turbine::test
