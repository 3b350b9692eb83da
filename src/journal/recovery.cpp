// Format, replay and opening of the journal.
#include <algorithm>
#include <cstring>
#include <optional>

#include "base/log.hpp"
#include "journal/log.hpp"

namespace turbine::journal {
namespace {

constexpr uint64_t kReadBytes = uint64_t{1} << 20;

/// Walks the batches of the region in log order.
class Reader {
 public:
  Reader(io::Device& device, Options options) : device_(device), options_(options) {}

  struct Found {
    BatchHeader header;
    std::vector<PlacedRecord> records;
  };

  /// The batch at `position`, or nothing.
  Task<std::optional<Found>> batch_at(uint64_t position) {
    CO_TRY(co_await load_segment(position / options_.segment_bytes));
    const ByteView bytes = rest_of_segment(position);
    const Result<BatchHeader> header = verify_batch(bytes, position, options_.identity_seed);
    if (!header.ok()) co_return std::optional<Found>();
    Found found{*header, CO_TRY(parse_records(bytes, *header))};
    co_return std::optional<Found>(std::move(found));
  }

  /// Whether a sound batch lies behind `position` that says that bytes there had been flushed.
  Task<bool> flushed_batch_behind(uint64_t position, uint64_t start) {
    const uint64_t segment = options_.segment_bytes;
    CO_TRY(co_await load_segment(position / segment));
    const uint64_t segment_end = (position / segment + 1) * segment;
    for (uint64_t at = position + kPageBytes; at < segment_end; at += kPageBytes) {
      if (proves_flush(at, position)) co_return true;
    }
    const uint64_t region_end = start / segment * segment + options_.region_bytes;
    for (uint64_t at = segment_end; at < region_end; at += segment) {
      CO_TRY(co_await load_segment(at / segment));
      if (proves_flush(at, position)) co_return true;
    }
    co_return false;
  }

 private:
  bool proves_flush(uint64_t at, uint64_t position) const {
    const auto header = verify_batch(rest_of_segment(at), at, options_.identity_seed);
    return header.ok() && header->flushed > position;
  }

  ByteView rest_of_segment(uint64_t position) const {
    return segment_.view().subspan(position % options_.segment_bytes);
  }

  Task<> load_segment(uint64_t number) {
    if (loaded_ == number) co_return Result<>{};
    if (segment_.empty()) segment_ = Buffer::allocate(options_.segment_bytes);
    const uint64_t base =
        options_.region_offset + number * options_.segment_bytes % options_.region_bytes;
    loaded_.reset();
    for (uint64_t at = 0; at < options_.segment_bytes; at += kReadBytes) {
      const uint64_t bytes = std::min(kReadBytes, options_.segment_bytes - at);
      const Buffer part = CO_TRY(co_await device_.read(base + at, bytes));
      std::memcpy(segment_.data() + at, part.data(), bytes);
    }
    loaded_ = number;
    co_return Result<>{};
  }

  io::Device& device_;
  Options options_;
  Buffer segment_;
  std::optional<uint64_t> loaded_;
};

Task<> deliver(const Reader::Found& batch, Position from, bool maybe_unflushed,
               const ReplayHandler& handler, ReplaySummary* summary) {
  for (const PlacedRecord& placed : batch.records) {
    if (placed.position < from) continue;
    CO_TRY(co_await handler(placed.record, placed.position, maybe_unflushed));
    ++summary->record_count;
  }
  co_return Result<>{};
}

/// Hands out all sound batches in order; the last one, whose flush nothing proves, is marked.
/// Returns where the last batch ended.
Task<uint64_t> replay_batches(Reader& reader, Options options, Position from,
                              const ReplayHandler& handler, ReplaySummary* summary) {
  const uint64_t segment = options.segment_bytes;
  uint64_t next = from.value / segment * segment;  // a segment begins with a batch
  uint64_t last_end = next;
  std::optional<Reader::Found> held;
  for (;;) {
    std::optional<Reader::Found> found = CO_TRY(co_await reader.batch_at(next));
    if (!found && next % segment != 0) {  // the next batch may not have fitted in this segment
      const uint64_t segment_end = (next / segment + 1) * segment;
      found = CO_TRY(co_await reader.batch_at(segment_end));
      if (found && found->header.previous != last_end) found.reset();
    }
    if (!found) break;
    if (held) CO_TRY(co_await deliver(*held, from, false, handler, summary));
    held = std::move(found);
    last_end = held->header.position + round_up_to_page(held->header.bytes);
    next = last_end;
  }
  if (held) CO_TRY(co_await deliver(*held, from, true, handler, summary));
  co_return last_end;
}

Result<> check_options(const io::Device& device, const Options& options) {
  const bool sound = options.segment_bytes % kPageBytes == 0 &&
                     options.segment_bytes >= kBatchBytesMax &&
                     options.region_bytes % options.segment_bytes == 0 &&
                     options.region_bytes / options.segment_bytes >= 2 &&
                     options.region_offset % kPageBytes == 0 &&
                     options.region_offset + options.region_bytes <= device.size_bytes();
  if (sound) return {};
  return fail(Errc::invalid, "a journal of {} bytes at {} in segments of {} does not fit",
              options.region_bytes, options.region_offset, options.segment_bytes);
}

}  // namespace

Task<> Journal::format(io::Device& device, Options options) {
  CO_TRY(check_options(device, options));
  const Buffer zeroes = Buffer::zeroed(kReadBytes);
  for (uint64_t at = 0; at < options.region_bytes; at += kReadBytes) {
    const uint64_t bytes = std::min(kReadBytes, options.region_bytes - at);
    CO_TRY(co_await device.write(options.region_offset + at, zeroes.slice(0, bytes)));
  }
  co_return co_await device.flush();
}

Task<std::unique_ptr<Journal>> Journal::open(Executor executor, io::Device& device, Options options,
                                             Position recover_from, ReplayHandler handler,
                                             ReplaySummary* summary) {
  CO_TRY(check_options(device, options));
  ReplaySummary seen;
  Reader reader(device, options);
  const uint64_t end =
      CO_TRY(co_await replay_batches(reader, options, recover_from, handler, &seen));
  if (end < recover_from.value) {
    // The recovery position lies behind the last sound batch: a flushed part of the log is bad.
    seen.damaged = true;
  } else {
    seen.damaged = CO_TRY(co_await reader.flushed_batch_behind(end, recover_from.value));
  }
  seen.end = Position{end};
  // What replay accepted may sit in a volatile cache only.
  CO_TRY(co_await device.flush());
  if (summary != nullptr) *summary = seen;
  co_return std::make_unique<Log>(executor, device, options, std::min(recover_from, seen.end),
                                  seen.end, seen.end);
}

}  // namespace turbine::journal
