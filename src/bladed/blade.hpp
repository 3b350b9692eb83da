// Blade: one blade of an array, over its seams. Processes and the simulator run the same.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/rng.hpp"
#include "bladed/blade_shard_io.hpp"
#include "bladed/superblock.hpp"
#include "chunk/chunk_service.hpp"
#include "chunk/scrubber.hpp"
#include "cluster/map_client.hpp"
#include "journal/journal.hpp"
#include "kv/kv.hpp"
#include "meta/orphan_sweep.hpp"
#include "meta/partition_host.hpp"
#include "rpc/typed.hpp"
#include "stripe/stripe_ids.hpp"
#include "stripe/stripe_reader.hpp"
#include "stripe/stripe_writer.hpp"

namespace turbine::bladed {

/// What a blade stands on; all of it outlives the Blade.
struct BladeSeams {
  Clock& clock;
  Rng& rng;
  io::Device& device;
  kv::Kv& kv;
  rpc::Transport& transport;
  /// The device or the Kv failed, or the array refused this blade: stop. Called once.
  std::function<void(Error)> fatal;
};

struct BladeOptions {
  Superblock identity;  // must be what the device says
  rpc::Address address;
  rpc::Address manager;
  std::string host;
  uint64_t chunk_cache_bytes = uint64_t{64} << 20;
  meta::Options partitions;  // self and session are filled in
  chunk::ScrubOptions scrub;
  meta::SweepOptions sweep;
  Duration sweep_interval = std::chrono::minutes(15);
  Duration sweep_interval_short_of_space = std::chrono::minutes(2);
  cluster::MapClientOptions map;  // manager is filled in
  stripe::ShardIoOptions shard_io;
  bool scrubbing = true;
  bool skip_checksums_for_test = false;  // a planted fault: the simulator must find it
  bool skip_flush_for_test = false;      // another: the journal's check must end the process
};

/// One reactor thread. start() once, stop() once and before destruction, also when start() failed.
/// A crash is the same without stop(): what was acknowledged is in the journal, on the device.
class Blade {
 public:
  Blade(BladeSeams seams, BladeOptions options);
  ~Blade();

  /// Makes a blank device a blade's: zeroed journal, then the superblock; durable on return.
  static Task<> format(io::Device& device, Superblock superblock);

  /// Opens the stores, replays the journal, listens, registers and serves. Errc::corrupt,
  /// Errc::denied: this device is not what the array expects here; the context says whose it is.
  Task<> start();
  /// Tells the manager, ends requests and jobs, flushes the Kv.
  Task<> stop();

  /// Why requests are not served, if they are not.
  Result<> ready() const;

  struct Counters {
    chunk::Capacity capacity;
    chunk::Counters chunks;
    journal::Journal::Counters journal;
    uint64_t journal_used_bytes = 0;
    stripe::GroupStripeReader::Counters reader;
    stripe::GroupStripeWriter::Counters writer;
    proto::RepairStats repair;
    uint64_t partitions = 0;
    uint64_t scrubbed_bytes = 0;
  };
  Counters counters() const;

  const cluster::MapHolder& map() const { return map_; }
  chunk::ChunkStore& chunks() { return *chunks_; }
  meta::PartitionHost& host() { return *host_; }
  /// For handlers besides the blade's own; before start().
  rpc::Dispatcher& dispatcher() { return dispatcher_; }

 private:
  Task<> check_identity();
  Task<> open_stores();
  Task<> replay_journal();
  Task<> join_array();
  Result<> listen();
  proto::BladeHeartbeatRequest heartbeat() const;
  Task<> change_partitions(std::vector<proto::PartitionChange> changes);
  Task<stripe::StripeIdRange> lease_stripe_ids(PartitionId home, uint32_t count);
  void report_lost(StripeId stripe, GroupId group, std::vector<uint32_t> indexes);
  Task<> send_report(StripeId stripe, GroupId group, std::vector<uint32_t> indexes);
  Task<> sweep_orphans();
  bool short_of_space() const;
  void fail_with(Error error);

  BladeSeams seams_;
  BladeOptions options_;
  const BladeId id_;
  Gate gate_;
  cluster::MapHolder map_;
  rpc::Dispatcher dispatcher_;
  cluster::MapClient map_client_;
  meta::PartitionClient partitions_;
  stripe::RpcShardIo remote_shards_;
  std::unique_ptr<chunk::ChunkStore> chunks_;
  std::unique_ptr<chunk::ChunkService> chunk_service_;
  std::optional<BladeShardIo> shards_;
  std::optional<stripe::LeasedStripeIds> stripe_ids_;
  std::optional<stripe::GroupStripeWriter> writer_;
  std::optional<stripe::GroupStripeReader> reader_;
  std::optional<meta::PartitionHost> host_;
  std::unique_ptr<journal::Journal> journal_;
  std::optional<chunk::Scrubber> scrubber_;
  std::optional<meta::OrphanSweep> sweep_;
  std::optional<OneShot<>> sweep_woken_;
  std::unique_ptr<rpc::Listener> listener_;
  journal::ReplaySummary replayed_;
  std::string trouble_;
  bool serving_ = false, stopped_ = false, failed_ = false;
};

}  // namespace turbine::bladed
