// tidy: long because tests of several folders include it and link nothing for it
// SmallArray: partition services with journals and a shard service per blade, in one process and
// in virtual time, for tests of what stands above them. Shards are kept in memory.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/rng.hpp"
#include "fs/file_system.hpp"
#include "io/sim_clock.hpp"
#include "io/sim_device.hpp"
#include "journal/journal.hpp"
#include "kv/mem_kv.hpp"
#include "meta/partition_host.hpp"
#include "proto/chunk.pb.h"
#include "proto/rpc.pb.h"
#include "rpc/mem_transport.hpp"
#include "rpc/typed.hpp"
#include "stripe/shard_io_rpc.hpp"
#include "support/faulty_shards.hpp"

namespace turbine::test {

/// Shards of one blade behind its dispatcher; may be spoilt at will.
struct MemoryShards {
  std::map<ShardId, std::string> shards;
  bool full = false;

  static ShardId id(const proto::ShardRef& ref) {
    return {StripeId(ref.stripe()), static_cast<uint8_t>(ref.index())};
  }
  void register_handlers(rpc::Dispatcher& dispatcher) {
    dispatcher.on<proto::PutShardRequest, proto::PutShardReply>(
        proto::PUT_SHARD,
        [this](proto::PutShardRequest r, rpc::CallInfo i) { return put(std::move(r), i); });
    dispatcher.on<proto::ReadShardRequest, proto::ReadShardReply>(
        proto::READ_SHARD, [this](proto::ReadShardRequest r, rpc::CallInfo) { return read(r); });
    dispatcher.on<proto::FreeShardsRequest, proto::FreeShardsReply>(
        proto::FREE_SHARDS, [this](proto::FreeShardsRequest r, rpc::CallInfo) { return free(r); });
  }
  Task<rpc::With<proto::PutShardReply>> put(proto::PutShardRequest request, rpc::CallInfo info) {
    if (full) co_return fail(Errc::no_space, "full");
    shards[id(request.shard())] = info.payload.text();
    co_return rpc::With<proto::PutShardReply>{};
  }
  Task<rpc::With<proto::ReadShardReply>> read(proto::ReadShardRequest request) {
    const auto found = shards.find(id(request.shard()));
    if (found == shards.end()) co_return fail(Errc::not_found, "no such shard");
    if (uint64_t{request.offset()} + request.size() > found->second.size()) {
      co_return fail(Errc::out_of_range, "beyond the shard");
    }
    rpc::With<proto::ReadShardReply> reply;
    reply.payload =
        Buffer::copy_of(std::string_view(found->second).substr(request.offset(), request.size()));
    co_return reply;
  }
  Task<rpc::With<proto::FreeShardsReply>> free(proto::FreeShardsRequest request) {
    for (const auto& ref : request.shards()) shards.erase(id(ref));
    co_return rpc::With<proto::FreeShardsReply>{};
  }
};

class SmallArray {
 public:
  struct Blade {
    Blade(uint32_t number, io::SimClock& clock)
        : disk(uint64_t{256} << 20, number), rng(number), device(disk, clock) {}
    io::SimDisk disk;
    kv::MemKvDisk kv_disk;
    Rng rng;
    io::SimDevice device;
    std::unique_ptr<rpc::Transport> transport;
    std::unique_ptr<kv::Kv> kv;
    std::unique_ptr<meta::PartitionClient> client;
    std::unique_ptr<stripe::RpcShardIo> shard_io;
    std::unique_ptr<journal::Journal> journal;
    std::unique_ptr<meta::PartitionHost> host;
    MemoryShards shards;
    rpc::Dispatcher dispatcher;
    std::unique_ptr<rpc::Listener> listener;
  };

  SmallArray(uint32_t blade_count, uint32_t partitions, fs::FileSystemOptions options = {})
      : blade_count_(blade_count), partitions_(partitions) {
    map.update(make_map());
    std::vector<Task<>> starts;
    for (uint32_t id = 1; id <= blade_count; ++id) {
      blades.push_back(std::make_unique<Blade>(id, clock));
      set_up(*blades.back(), id);
    }
    for (uint32_t id = 1; id <= blade_count; ++id) {
      CHECK(clock.run(start(*this, *blades[id - 1], id)).ok());
    }
    gateway = network.attach("gateway");
    files = fs::make_file_system(clock, Rng(99), *gateway, map, SessionId(1000), options);
    CHECK(clock.run(files->start()).ok());
  }
  ~SmallArray() {
    CHECK(clock.run(files->stop()).ok());
    clock.run_until_idle();
    files.reset();
    for (auto& blade : blades) {
      CHECK(clock.run(blade->listener->stop()).ok());
      CHECK(clock.run(blade->host->stop()).ok());
      CHECK(clock.run(blade->journal->stop()).ok());
    }
    for (auto& blade : blades) CHECK(clock.run(blade->transport->stop()).ok());
    CHECK(clock.run(gateway->stop()).ok());
    clock.run_until_idle();
  }

  /// The map says so, and the blade is cut off; or it is back.
  void set_dead(uint32_t id, bool dead) {
    if (dead) {
      dead_.insert(BladeId(id));
      network.isolate(name_of(id));
    } else {
      dead_.erase(BladeId(id));
      network.heal();
      for (const BladeId still : dead_) network.isolate(name_of(still.value));
    }
    map.update(make_map());
  }

  /// As the manager gives a bucket without one a quota.
  void set_quota(InodeId bucket, uint64_t bytes) {
    quotas_.emplace_back();
    quotas_.back().set_bucket(bucket.value);
    quotas_.back().set_bytes(bytes);
    quotas_.back().set_generation(epoch_ + 1);
    map.update(make_map());
  }

  io::SimClock clock;
  rpc::MemNetwork network{clock, Rng(5)};
  cluster::MapHolder map;
  std::vector<std::unique_ptr<Blade>> blades;
  std::unique_ptr<rpc::Transport> gateway;
  std::unique_ptr<fs::ArrayFileSystem> files;

 private:
  static std::string name_of(uint32_t id) { return fmt::format("blade-{}", id); }

  proto::ClusterMap make_map() {
    proto::ClusterMap record =
        stripe::make_test_map(++epoch_, blade_count_, blade_count_ >= 4 ? 2 : 0, dead_);
    for (proto::Blade& blade : *record.mutable_blades()) {
      blade.set_address("mem:" + name_of(blade.id()));
      blade.set_session(blade.id());
      blade.set_capacity_bytes(uint64_t{1} << 30);
    }
    for (const proto::BucketQuota& quota : quotas_) *record.add_quotas() = quota;
    record.clear_partitions();
    for (uint32_t i = 0; i < partitions_; ++i) {
      proto::Partition& partition = *record.add_partitions();
      partition.set_primary(i % blade_count_ + 1);
      partition.add_replicas(partition.primary());
      partition.set_term(1);
    }
    return record;
  }
  void set_up(Blade& blade, uint32_t id) {
    blade.transport = network.attach(name_of(id));
    blade.kv = kv::open_mem_kv(clock, blade.kv_disk);
    blade.client = std::make_unique<meta::PartitionClient>(clock, *blade.transport, map);
    blade.shard_io = std::make_unique<stripe::RpcShardIo>(clock, *blade.transport, map);
    meta::Options options;
    options.self = BladeId(id);
    options.session = SessionId(id);
    blade.host = std::make_unique<meta::PartitionHost>(
        meta::Seams{.executor = clock.executor(),
                    .clock = clock,
                    .rng = blade.rng,
                    .kv = *blade.kv,
                    .map = map,
                    .client = *blade.client,
                    .shard_io = *blade.shard_io,
                    .call_blade = {},
                    .change_partitions = {},
                    .chunk_unapplied = {},
                    .fatal =
                        [](const Error& error) {
                          turbine::log::error("blade stops: {}", error.text());
                          CHECK(!"a blade's partition service failed");
                        }},
        options);
    blade.host->register_handlers(blade.dispatcher);
    blade.shards.register_handlers(blade.dispatcher);
    auto listener = blade.transport->listen("mem:" + name_of(id), [&blade](rpc::Request request) {
      return blade.dispatcher.dispatch(std::move(request));
    });
    CHECK(listener.ok());
    blade.listener = std::move(*listener);
  }
  static Task<> start(SmallArray& array, Blade& blade, uint32_t id) {
    const journal::Options options{.region_bytes = uint64_t{128} << 20, .identity_seed = id};
    CO_TRY(co_await journal::Journal::format(blade.device, options));
    journal::ReplaySummary summary;
    blade.journal = CO_TRY(co_await journal::Journal::open(
        array.clock.executor(), blade.device, options, {},
        [](const journal::Record&, journal::Position, bool) -> Task<> { co_return Result<>{}; },
        &summary));
    co_return co_await blade.host->start(*blade.journal);
  }

  uint32_t blade_count_, partitions_;
  uint64_t epoch_ = 0;
  std::set<BladeId> dead_;
  std::vector<proto::BucketQuota> quotas_;
};

}  // namespace turbine::test
