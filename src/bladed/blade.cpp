#include "bladed/blade.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "bladed/process_list.hpp"
#include "meta/stripe_lease.hpp"
#include "proto/rpc.pb.h"

namespace turbine::bladed {

namespace {

constexpr uint64_t kJournalSegmentBytes = uint64_t{8} << 20;
constexpr uint64_t kSegmentsMin = 8;

journal::Options journal_options(const Superblock& superblock) {
  journal::Options options;
  options.region_offset = superblock.journal_offset;
  options.region_bytes = superblock.journal_bytes;
  // Small journals (simulation) keep enough segments to be reused one by one.
  options.segment_bytes = std::min(kJournalSegmentBytes, superblock.journal_bytes / kSegmentsMin);
  options.identity_seed = superblock.identity_seed();
  return options;
}

/// Kept free for repairs and for what deletes have to write.
uint64_t reserve_bytes(const Superblock& superblock) {
  return superblock.chunk_bytes / 20;
}

}  // namespace

Blade::Blade(BladeSeams seams, BladeOptions options)
    : seams_(std::move(seams)),
      options_(std::move(options)),
      id_(options_.identity.blade_id),
      gate_(seams_.clock.executor()),
      map_client_(seams_.transport, seams_.clock, map_,
                  [this] {
                    cluster::MapClientOptions map = options_.map;
                    map.manager = options_.manager;
                    return map;
                  }()),
      partitions_(seams_.clock, seams_.transport, map_),
      remote_shards_(seams_.clock, seams_.transport, map_, options_.shard_io) {}

Blade::~Blade() = default;

Task<> Blade::format(io::Device& device, Superblock superblock) {
  CO_TRY(co_await journal::Journal::format(device, journal_options(superblock)));
  co_return co_await write_superblock(device, superblock);
}

// --- start -----------------------------------------------------------------------------------

Task<> Blade::start() {
  CO_TRY(co_await check_identity());
  CO_TRY(co_await open_stores());
  CO_TRY(co_await replay_journal());
  CO_TRY(listen());
  CO_TRY(co_await join_array());
  co_return Result<>{};
}

Task<> Blade::check_identity() {
  auto found = co_await read_superblock(seams_.device);
  if (found.failed_with(Errc::not_found)) {
    co_return fail(
        Errc::denied,
        "the device is blank, but blade {} holds data of array {}: attach its own device", id_,
        options_.identity.array_id);
  }
  if (found.failed_with(Errc::corrupt)) {
    co_return fail(found.error().within("no copy of the device's superblock is good"));
  }
  const Superblock device = CO_TRY(std::move(found));
  if (device.array_id != options_.identity.array_id || device.blade_id != id_.value ||
      device.incarnation != options_.identity.incarnation) {
    co_return fail(
        Errc::denied,
        "the device belongs to blade {} of array {} (incarnation {:016x}), this is blade "
        "{} of array {} (incarnation {:016x}): attach the right device",
        device.blade_id, device.array_id, device.incarnation, id_, options_.identity.array_id,
        options_.identity.incarnation);
  }
  if (device.device_bytes > seams_.device.size_bytes()) {
    co_return fail(Errc::denied, "the device has {} bytes, it had {} when it was formatted",
                   seams_.device.size_bytes(), device.device_bytes);
  }
  options_.identity = device;
  co_return Result<>{};
}

Task<> Blade::open_stores() {
  chunk::Options chunks;
  chunks.area_offset = options_.identity.chunk_offset;
  chunks.area_bytes = options_.identity.chunk_bytes;
  chunks.cache_bytes = options_.chunk_cache_bytes;
  chunks.reserve_bytes = reserve_bytes(options_.identity);
  chunks.identity_seed = options_.identity.identity_seed();
  chunks.skip_checksums_for_test = options_.skip_checksums_for_test;
  chunks_ =
      CO_TRY(chunk::ChunkStore::open(seams_.clock.executor(), seams_.device, seams_.kv, chunks));
  chunk_service_ = std::make_unique<chunk::ChunkService>(*chunks_, map_);
  shards_.emplace(id_, *chunks_, remote_shards_);
  stripe_ids_.emplace(
      seams_.clock,
      [this](PartitionId home, uint32_t count) { return lease_stripe_ids(home, count); },
      options_.partitions.range_age_max / 4);
  writer_.emplace(seams_.clock, *shards_, map_, *stripe_ids_);
  reader_.emplace(seams_.clock, *shards_, map_,
                  [this](StripeId stripe, GroupId group, std::vector<uint32_t> indexes) {
                    report_lost(stripe, group, std::move(indexes));
                  });
  meta::Options partitions = options_.partitions;
  partitions.self = id_;
  // The manager counts its sessions from 1; this half of the numbers is the blades'.
  partitions.session = SessionId((uint64_t{1} << 63) | (seams_.rng.next() >> 1));
  host_.emplace(
      meta::Seams{
          .executor = seams_.clock.executor(),
          .clock = seams_.clock,
          .rng = seams_.rng,
          .kv = seams_.kv,
          .map = map_,
          .client = partitions_,
          .shard_io = *shards_,
          .call_blade =
              [this](BladeId blade, rpc::Request request, TimePoint deadline) {
                return partitions_.call_raw(blade, std::move(request), deadline);
              },
          .change_partitions =
              [this](std::vector<proto::PartitionChange> changes) {
                return change_partitions(std::move(changes));
              },
          .reader = &*reader_,
          .writer = &*writer_,
          .chunk_unapplied = [this](journal::Position end) { return chunks_->unapplied_from(end); },
          .fatal = [this](Error error) { fail_with(std::move(error)); }},
      partitions);
  options_.partitions = partitions;
  co_return Result<>{};
}

Task<> Blade::replay_journal() {
  const journal::Position from = CO_TRY(meta::PartitionHost::recovery_position(seams_.kv));
  const journal::ReplayHandler handler = [this](const journal::Record& record,
                                                journal::Position position,
                                                bool maybe_unflushed) -> Task<> {
    if (record.type == journal::RecordType::chunk_put ||
        record.type == journal::RecordType::chunk_free) {
      return chunks_->replay(record, maybe_unflushed);
    }
    const auto done = [](Result<> result) -> Task<> { co_return result; };
    return done(host_->replay(record, position));
  };
  journal::Options options = journal_options(options_.identity);
  options.skip_flush_for_test = options_.skip_flush_for_test;
  journal_ = CO_TRY(co_await journal::Journal::open(seams_.clock.executor(), seams_.device, options,
                                                    from, handler, &replayed_));
  log::info("blade {}: replayed {} records from position {} to {}{}", id_, replayed_.record_count,
            from.value, replayed_.end.value, replayed_.torn_tail ? ", torn tail dropped" : "");
  if (replayed_.damaged) {
    trouble_ = "the journal was damaged behind a proven flush; some changes may be lost";
    log::error("blade {}: {}", id_, trouble_);
  }
  co_return chunks_->start(*journal_);
}

Result<> Blade::listen() {
  chunk_service_->register_on(dispatcher_);
  host_->register_handlers(dispatcher_);
  listener_ = TRY(seams_.transport.listen(options_.address, [this](rpc::Request request) {
    return dispatcher_.dispatch(std::move(request));
  }));
  return {};
}

Task<> Blade::join_array() {
  const chunk::Capacity capacity = chunks_->capacity();
  proto::RegisterBladeRequest request;
  request.set_blade_id(id_.value);
  // A blade without a single record has nothing that an array could miss or mistake.
  const bool blank = replayed_.record_count == 0 && replayed_.end == journal::Position{} &&
                     capacity.shard_count == 0;
  if (!blank) request.set_array_id(options_.identity.array_id);
  request.set_incarnation(options_.identity.incarnation);
  request.set_address(listener_->address());
  request.set_capacity_bytes(capacity.total_bytes);
  request.set_used_bytes(capacity.used_bytes);
  request.set_host(options_.host);
  request.set_damaged(replayed_.damaged);
  std::vector<uint64_t> processes = CO_TRY(read_process_list(seams_.kv));
  processes.push_back(seams_.rng.next());
  CO_TRY(write_process_list(seams_.kv, processes));
  CO_TRY(co_await seams_.kv.flush());
  for (const uint64_t process : processes) request.add_processes(process);
  request.set_journal_position(replayed_.end.value);
  request.set_starting(true);
  for (proto::ReplicaLog& log : CO_TRY(host_->replica_logs())) *request.add_logs() = std::move(log);
  const auto reply = CO_TRY(co_await map_client_.register_blade(std::move(request)));
  if (reply.array_id() != options_.identity.array_id) {
    co_return fail(Errc::denied, "the manager at {} is of array {}, this blade of array {}",
                   options_.manager, reply.array_id(), options_.identity.array_id);
  }
  CO_TRY(write_process_list(seams_.kv, {processes.back()}));
  CO_TRY(co_await host_->start(*journal_));
  map_client_.report_with([this] { return heartbeat(); });
  map_client_.on_refused([this](Error error) { fail_with(std::move(error)); });
  map_client_.start();
  if (options_.scrubbing) {
    scrubber_.emplace(seams_.clock, *chunks_, options_.scrub,
                      [this](const chunk::ShardInfo& shard, const Error& why) {
                        log::warn("scrub: shard {}: {}", shard.shard, why.text());
                        report_lost(shard.shard.stripe, shard.group, {shard.shard.index});
                      });
    scrubber_->start();
  }
  sweep_.emplace(seams_.clock, *chunks_, partitions_, options_.sweep);
  gate_.spawn("orphan sweep", sweep_orphans());
  serving_ = true;
  co_return Result<>{};
}

// --- stop ------------------------------------------------------------------------------------

Task<> Blade::stop() {
  if (stopped_) co_return Result<>{};
  stopped_ = true;
  serving_ = false;
  // In order: nobody new, no job, no request, then what they stand on.
  Result<> outcome;
  const auto note = [&outcome](Result<> result) {
    if (!result.ok() && outcome.ok()) outcome = std::move(result);
  };
  if (host_ && journal_) note(co_await host_->hand_over());
  note(co_await map_client_.stop());
  if (sweep_) sweep_->stop();
  if (sweep_woken_) sweep_woken_->set({});
  if (scrubber_) note(co_await scrubber_->stop());
  if (host_) note(co_await host_->stop());
  if (listener_) note(co_await listener_->stop());
  if (reader_) note(co_await reader_->stop());
  note(co_await gate_.close());
  if (chunks_ && journal_) note(co_await chunks_->stop());
  if (journal_) note(co_await journal_->stop());
  co_return outcome;
}

// --- in between ------------------------------------------------------------------------------

Result<> Blade::ready() const {
  if (failed_) return fail(Errc::unavailable, "the blade has failed: {}", trouble_);
  if (!serving_) return fail(Errc::unavailable, "the blade is starting or stopping");
  return {};
}

bool Blade::short_of_space() const {
  return chunks_->capacity().free_bytes <= reserve_bytes(options_.identity);
}

Task<> Blade::sweep_orphans() {
  while (!stopped_) {
    sweep_woken_.emplace(seams_.clock.executor());
    const Duration pause =
        short_of_space() ? options_.sweep_interval_short_of_space : options_.sweep_interval;
    (void)co_await sweep_woken_->wait_until(seams_.clock, seams_.clock.now() + pause);
    if (stopped_) break;
    const Result<> swept = co_await sweep_->run_once(short_of_space());
    if (!swept.ok() && !stopped_) log::warn("orphan sweep: {}", swept.error().text());
  }
  co_return Result<>{};
}

void Blade::fail_with(Error error) {
  if (std::exchange(failed_, true)) return;
  trouble_ = error.text();
  serving_ = false;
  log::critical("blade {} stops: {}", id_, trouble_);
  if (seams_.fatal) seams_.fatal(std::move(error));
}

proto::BladeHeartbeatRequest Blade::heartbeat() const {
  proto::BladeHeartbeatRequest request;
  const chunk::Capacity capacity = chunks_->capacity();
  request.set_capacity_bytes(capacity.total_bytes);
  request.set_used_bytes(capacity.used_bytes);
  request.set_full(short_of_space());
  request.set_journal_position(journal_->durable_end().value);
  for (proto::PartitionStats& stats : host_->partition_stats()) {
    if (stats.object_count() + stats.small_bytes() + stats.striped_bytes() +
            stats.degraded_stripes() + stats.lost_stripes() >
        0) {
      *request.add_partitions() = std::move(stats);
    }
  }
  *request.mutable_repair() = host_->repair_stats();
  const chunk::Counters chunks = chunks_->counters();
  request.mutable_repair()->set_checksum_errors(chunks.checksum_errors);
  if (sweep_) request.mutable_repair()->set_quarantined_shards(sweep_->quarantined());
  const std::string damage = seams_.kv.damage();
  request.set_suspect(replayed_.damaged || !damage.empty());
  request.set_trouble(trouble_.empty() ? damage : trouble_);
  return request;
}

Task<> Blade::change_partitions(std::vector<proto::PartitionChange> changes) {
  CO_TRY(co_await map_client_.change_partitions(std::move(changes)));
  co_return Result<>{};
}

Task<stripe::StripeIdRange> Blade::lease_stripe_ids(PartitionId home, uint32_t count) {
  const meta::PartitionPtr partition = CO_TRY(host_->admit(home));
  const uint64_t first =
      CO_TRY(co_await meta::lease_stripe_numbers(partition, options_.partitions.session, count));
  co_return stripe::StripeIdRange{first, count};
}

void Blade::report_lost(StripeId stripe, GroupId group, std::vector<uint32_t> indexes) {
  gate_.spawn("report lost shards", send_report(stripe, group, std::move(indexes)));
}

Task<> Blade::send_report(StripeId stripe, GroupId group, std::vector<uint32_t> indexes) {
  proto::ReportLostShardsRequest request;
  request.set_stripe(stripe.value);
  request.set_group(group.value);
  for (const uint32_t index : indexes) request.add_indexes(index);
  const auto sent = co_await partitions_.call<proto::ReportLostShardsReply>(
      stripe.home(), proto::REPORT_LOST_SHARDS, std::move(request), {}, {}, seams_.clock.now());
  // Who reads it next reports it again.
  if (!sent.ok()) log::debug("lost shards of {} not reported: {}", stripe, sent.error().text());
  co_return Result<>{};
}

Blade::Counters Blade::counters() const {
  Counters counters;
  if (!chunks_ || !journal_ || !host_) return counters;
  counters.capacity = chunks_->capacity();
  counters.chunks = chunks_->counters();
  counters.journal = journal_->counters();
  counters.journal_used_bytes = journal_->used_bytes();
  counters.reader = reader_->counters();
  counters.writer = writer_->counters();
  counters.repair = host_->repair_stats();
  counters.partitions = host_->partitions().size();
  if (scrubber_) counters.scrubbed_bytes = scrubber_->bytes_verified();
  return counters;
}

}  // namespace turbine::bladed
