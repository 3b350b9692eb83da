// TestArray: blades with partition services in one thread under virtual time, for tests of meta.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "io/sim_clock.hpp"
#include "journal/fake_journal.hpp"
#include "kv/mem_kv.hpp"
#include "meta/partition_host.hpp"
#include "proto/rpc.pb.h"
#include "rpc/mem_transport.hpp"

namespace turbine::meta {

using journal::FakeJournal;
using journal::FakeLog;

/// Keeps nothing but the ids of what was freed.
class FakeShardIo final : public stripe::ShardIo {
 public:
  Task<> put(BladeId, ShardId, GroupId, uint64_t, uint64_t, Buffer) override {
    co_return Result<>{};
  }
  Task<Buffer> read(BladeId, ShardId, uint32_t, uint32_t) override {
    co_return fail(Errc::not_found, "no shards here");
  }
  Task<> free(BladeId, std::vector<ShardId> shards) override {
    for (const ShardId& shard : shards) freed.insert(shard.stripe);
    co_return Result<>{};
  }
  bool alive(BladeId) const override { return true; }
  std::set<StripeId> freed;
};

class TestArray {
 public:
  struct Blade {
    BladeId id;
    kv::MemKvDisk disk;
    std::shared_ptr<FakeLog> log = std::make_shared<FakeLog>();
    cluster::MapHolder map;
    std::unique_ptr<kv::Kv> kv;
    std::unique_ptr<rpc::Transport> transport;
    std::unique_ptr<rpc::Listener> listener;
    std::unique_ptr<PartitionClient> client;
    std::unique_ptr<FakeJournal> journal;
    std::unique_ptr<rpc::Dispatcher> dispatcher;
    std::unique_ptr<PartitionHost> host;
    bool failed = false;
  };

  explicit TestArray(uint32_t blade_count = 2, uint32_t partition_count = 4, uint64_t seed = 1,
                     Options options = {}, uint32_t replica_count = 1);
  ~TestArray();

  void start(Blade& blade);
  /// Power off: what was not durable is gone. The blade must be started again.
  void crash(Blade& blade, Rng* rng = nullptr);
  Blade& blade(uint32_t number) { return *blades[number - 1]; }
  Blade& blade_of(PartitionId partition) {
    return blade(map.record().partitions(static_cast<int>(partition.value)).primary());
  }
  /// The partition as its primary holds it; null when nobody serves it.
  PartitionPtr served(PartitionId partition);
  /// The map says that the blade is dead, or up again.
  void set_alive(Blade& blade, bool alive);
  /// As the manager gives a bucket a quota, or takes it away.
  void set_quota(InodeId bucket, std::optional<uint64_t> bytes);
  RequestId next_request() { return {SessionId(900), ++last_request}; }

  template <class Reply, class Request>
  Result<rpc::With<Reply>> call(PartitionId partition, int type, Request request,
                                std::string payload = {}, RequestId id = {}) {
    return clock.run(client->call<Reply>(partition, type, std::move(request),
                                         payload.empty() ? Buffer() : Buffer::copy_of(payload), id,
                                         clock.now()));
  }

  // The operations as a gateway would ask them.
  Result<InodeId> make_bucket(const std::string& name);
  Result<> remove_bucket(const std::string& name);
  Result<InodeId> find_directory(InodeId parent, const std::string& name);
  /// Resolves what exists of the path and puts the rest, again after Errc::stale.
  Result<proto::PutFileReply> put(InodeId bucket, std::vector<std::string> path,
                                  std::string content, proto::Condition condition = {});
  Result<std::string> get(InodeId bucket, std::vector<std::string> path);
  Result<bool> remove(InodeId bucket, std::vector<std::string> path);
  /// A content of one whole stripe under a hidden inode, as a long PUT of `session` gathers it.
  proto::NewContent hidden_content(PartitionId home, SessionId session);
  /// Keys below `directory` in listing order, directories that hold nothing as `name/`.
  Result<std::vector<std::string>> list(InodeId directory, const std::string& prefix = {});

  io::SimClock clock;
  Rng rng;
  rpc::MemNetwork network;
  cluster::ClusterMap map;
  Options options;
  FakeShardIo shard_io;
  kv::MemKvOptions kv_options;  // of blades started from now on
  std::vector<std::unique_ptr<Blade>> blades;
  cluster::MapHolder client_map;
  std::unique_ptr<rpc::Transport> client_transport;
  std::unique_ptr<PartitionClient> client;
  uint64_t last_request = 0;

 private:
  Task<> decide(BladeId issuer, std::vector<proto::PartitionChange> changes);
  void publish(proto::ClusterMap record);
};

}  // namespace turbine::meta
