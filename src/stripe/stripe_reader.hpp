// The StripeReader of gateways and blades.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "cluster/cluster_map.hpp"
#include "stripe/shard_cache.hpp"
#include "stripe/stripe.hpp"

namespace turbine::stripe {

struct StripeReaderOptions {
  Duration hedge_after = std::chrono::milliseconds(100);  // then reconstruct, first answer wins
  Duration report_every = std::chrono::seconds(10);       // per stripe
  size_t reports_held_max = 1024;                         // more lost stripes wait for scrub
  uint64_t cache_bytes = 0;                               // shards kept in memory; 0: none
};

/// Tells a stripe's home partition which shards their blades, though alive, don't have or have
/// damaged. Called on the reactor; must not block.
using ReportLostShards = std::function<void(StripeId, GroupId, std::vector<uint32_t> indexes)>;

/// Reads through the groups of the newest map. One reactor thread; all references outlive it; call
/// stop() before destruction.
class GroupStripeReader final : public StripeReader {
 public:
  GroupStripeReader(Clock& clock, ShardIo& io, cluster::MapHolder& map, ReportLostShards report,
                    StripeReaderOptions options = {})
      : clock_(clock),
        io_(io),
        map_(map),
        report_(std::move(report)),
        options_(options),
        cache_(options.cache_bytes),
        gate_(clock.executor()) {}

  /// Errc::not_found as promised; Errc::unavailable: too few blades answer now; Errc::io: more
  /// shards are damaged than parity can mend; Errc::invalid: the extent contradicts its layout.
  Task<std::vector<Buffer>> read(proto::Extent extent, uint64_t skip, uint64_t length) override;
  Task<> stop() override { return gate_.close(); }

  struct Counters {
    uint64_t shard_reads = 0, cache_hits = 0;
    uint64_t reconstructions = 0;  // pieces computed from other shards
    uint64_t hedges = 0;           // of them because a blade was slow
    uint64_t reports = 0;
  };
  const Counters& counters() const { return counters_; }

 private:
  struct Fetch;
  struct Piece;
  struct Operation;
  using OperationPtr = std::shared_ptr<Operation>;

  Result<OperationPtr> plan(const proto::Extent& extent, uint64_t skip, uint64_t length);
  std::shared_ptr<Fetch> fetch(const OperationPtr& operation, int index, uint32_t offset,
                               uint32_t size);
  static void widen_to_block(Fetch* fetch, uint32_t shard_bytes);
  static Task<> run_fetch(GroupStripeReader* self, OperationPtr operation,
                          std::shared_ptr<Fetch> fetch);
  void arm_hedge(const OperationPtr& operation);
  Result<bool> progress(const OperationPtr& operation);
  Result<bool> reconstruct(const OperationPtr& operation, Piece& piece);
  Error why_lost(const Operation& operation) const;
  void report_lost(const Operation& operation);

  Clock& clock_;
  ShardIo& io_;
  cluster::MapHolder& map_;
  ReportLostShards report_;
  StripeReaderOptions options_;
  ShardCache cache_;
  Gate gate_;
  std::map<StripeId, TimePoint> reported_;
  Counters counters_;
};

}  // namespace turbine::stripe
