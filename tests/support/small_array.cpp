#include "support/small_array.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/log.hpp"
#include "fs/file_system.hpp"
#include "io/sim_device.hpp"
#include "journal/journal.hpp"
#include "kv/mem_kv.hpp"
#include "meta/partition_host.hpp"
#include "proto/chunk.pb.h"
#include "proto/rpc.pb.h"
#include "rpc/typed.hpp"
#include "stripe/shard_io_rpc.hpp"
#include "support/faulty_shards.hpp"

namespace turbine::test {
namespace {

using Shards = std::map<ShardId, std::string>;

ShardId id_of(const proto::ShardRef& ref) {
  return {StripeId(ref.stripe()), static_cast<uint8_t>(ref.index())};
}

Task<rpc::With<proto::PutShardReply>> put_shard(MemoryShards& to, proto::PutShardRequest request,
                                                rpc::CallInfo info) {
  if (to.full) co_return fail(Errc::no_space, "full");
  to.shards[id_of(request.shard())] = info.payload.text();
  co_return rpc::With<proto::PutShardReply>{};
}

Task<rpc::With<proto::ReadShardReply>> read_shard(const Shards& shards,
                                                  proto::ReadShardRequest request) {
  const auto found = shards.find(id_of(request.shard()));
  if (found == shards.end()) co_return fail(Errc::not_found, "no such shard");
  if (uint64_t{request.offset()} + request.size() > found->second.size()) {
    co_return fail(Errc::out_of_range, "beyond the shard");
  }
  rpc::With<proto::ReadShardReply> reply;
  reply.payload =
      Buffer::copy_of(std::string_view(found->second).substr(request.offset(), request.size()));
  co_return reply;
}

Task<rpc::With<proto::FreeShardsReply>> free_shards(Shards& shards,
                                                    proto::FreeShardsRequest request) {
  for (const auto& ref : request.shards()) shards.erase(id_of(ref));
  co_return rpc::With<proto::FreeShardsReply>{};
}

}  // namespace

void MemoryShards::register_handlers(rpc::Dispatcher& dispatcher) {
  dispatcher.on<proto::PutShardRequest, proto::PutShardReply>(
      proto::PUT_SHARD, [this](proto::PutShardRequest r, rpc::CallInfo i) {
        return put_shard(*this, std::move(r), std::move(i));
      });
  dispatcher.on<proto::ReadShardRequest, proto::ReadShardReply>(
      proto::READ_SHARD, [this](proto::ReadShardRequest r, rpc::CallInfo) {
        return read_shard(shards, std::move(r));
      });
  dispatcher.on<proto::FreeShardsRequest, proto::FreeShardsReply>(
      proto::FREE_SHARDS, [this](proto::FreeShardsRequest r, rpc::CallInfo) {
        return free_shards(shards, std::move(r));
      });
}

struct SmallArray::Blade::Parts {
  Parts(uint32_t number, io::SimClock& clock)
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
};

SmallArray::Blade::Blade(uint32_t number, io::SimClock& clock)
    : parts(std::make_unique<Parts>(number, clock)),
      dispatcher(std::make_unique<rpc::Dispatcher>()) {}

SmallArray::Blade::~Blade() = default;

SmallArray::SmallArray(uint32_t blade_count, uint32_t partitions)
    : SmallArray(blade_count, partitions, {}) {}

SmallArray::SmallArray(uint32_t blade_count, uint32_t partitions,
                       const fs::FileSystemOptions& options)
    : blade_count_(blade_count), partitions_(partitions) {
  map.update(make_map());
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

SmallArray::~SmallArray() {
  CHECK(clock.run(files->stop()).ok());
  clock.run_until_idle();
  files.reset();
  for (auto& blade : blades) {
    CHECK(clock.run(blade->listener->stop()).ok());
    CHECK(clock.run(blade->host->stop()).ok());
    CHECK(clock.run(blade->parts->journal->stop()).ok());
  }
  for (auto& blade : blades) CHECK(clock.run(blade->parts->transport->stop()).ok());
  CHECK(clock.run(gateway->stop()).ok());
  clock.run_until_idle();
}

void SmallArray::set_dead(uint32_t id, bool dead) {
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

void SmallArray::set_quota(InodeId bucket, uint64_t bytes) {
  quotas_.emplace_back();
  quotas_.back().set_bucket(bucket.value);
  quotas_.back().set_bytes(bytes);
  quotas_.back().set_generation(epoch_ + 1);
  map.update(make_map());
}

std::string SmallArray::name_of(uint32_t id) {
  return fmt::format("blade-{}", id);
}

proto::ClusterMap SmallArray::make_map() {
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

void SmallArray::set_up(Blade& blade, uint32_t id) {
  Blade::Parts& parts = *blade.parts;
  parts.transport = network.attach(name_of(id));
  parts.kv = kv::open_mem_kv(clock, parts.kv_disk);
  parts.client = std::make_unique<meta::PartitionClient>(clock, *parts.transport, map);
  parts.shard_io = std::make_unique<stripe::RpcShardIo>(clock, *parts.transport, map);
  meta::Options options;
  options.self = BladeId(id);
  options.session = SessionId(id);
  blade.host = std::make_unique<meta::PartitionHost>(
      meta::Seams{.executor = clock.executor(),
                  .clock = clock,
                  .rng = parts.rng,
                  .kv = *parts.kv,
                  .map = map,
                  .client = *parts.client,
                  .shard_io = *parts.shard_io,
                  .call_blade = {},
                  .change_partitions = {},
                  .chunk_unapplied = {},
                  .fatal =
                      [](const Error& error) {
                        turbine::log::error("blade stops: {}", error.text());
                        CHECK(!"a blade's partition service failed");
                      }},
      options);
  blade.host->register_handlers(*blade.dispatcher);
  blade.shards.register_handlers(*blade.dispatcher);
  auto listener = parts.transport->listen("mem:" + name_of(id), [&blade](rpc::Request request) {
    return blade.dispatcher->dispatch(std::move(request));
  });
  CHECK(listener.ok());
  blade.listener = std::move(*listener);
}

Task<> SmallArray::start(SmallArray& array, Blade& blade, uint32_t id) {
  const journal::Options options{.region_bytes = uint64_t{128} << 20, .identity_seed = id};
  CO_TRY(co_await journal::Journal::format(blade.parts->device, options));
  journal::ReplaySummary summary;
  blade.parts->journal = CO_TRY(co_await journal::Journal::open(
      array.clock.executor(), blade.parts->device, options, {},
      [](const journal::Record&, journal::Position, bool) -> Task<> { co_return Result<>{}; },
      &summary));
  co_return co_await blade.host->start(*blade.parts->journal);
}

}  // namespace turbine::test
