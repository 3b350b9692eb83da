#include "journal/replay.hpp"

#include <cstring>

#include "base/log.hpp"

namespace turbine::journal {
namespace {

constexpr size_t kReadBytes = size_t{1} << 20;

}  // namespace

Replay::Replay(io::Device& device, Options options, Position recover_from, ReplayHandler handler)
    : device_(device),
      options_(options),
      recover_from_(recover_from.value),
      handler_(std::move(handler)) {}

uint64_t Replay::seed(uint64_t position) const {
  return segment_seed(options_.identity_seed, position / options_.segment_bytes);
}

Task<ReplayEnd> Replay::run() {
  end_.position = recovery_segment(recover_from_, options_.segment_bytes) * options_.segment_bytes;
  while (CO_TRY(co_await next_batch())) {
  }
  if (end_.position < recover_from_) CO_TRY(co_await skip_to_recovery_position());
  CO_TRY(co_await search_for_damage());
  if (out_of_date_) {
    co_return fail(Errc::corrupt,
                   "the journal has gone on long past position {}, where recovery was to begin: "
                   "the metadata store is lost or an old copy; the blade must start as blank",
                   recover_from_);
  }
  if (end_.position < recover_from_ || (!chain_begun_ && summary_.damaged && !unreadable_)) {
    co_return fail(
        Errc::corrupt,
        "the journal is damaged at position {}, not behind its recovery position {}; the "
        "blade must start as blank",
        end_.position, recover_from_);
  }
  while (!held_.empty()) {
    Held held = std::move(held_.front());
    held_.pop_front();
    CO_TRY(co_await deliver(std::move(held), true));
  }
  summary_.end = Position{end_.position};
  if (summary_.damaged) {
    log::error("journal: damaged at position {}: what was flushed there can't be read",
               end_.position);
  }
  co_return end_;
}

/// Reads a whole segment; what can't be read is zero, so that it fails its checksums.
Task<> Replay::load(uint64_t number) {
  if (segment_.number == number) co_return Result<>{};
  segment_.bytes = Buffer::allocate(options_.segment_bytes);
  segment_.number = number;
  const uint64_t start = device_offset_of(options_, number * options_.segment_bytes);
  for (uint64_t at = 0; at < options_.segment_bytes; at += kReadBytes) {
    const size_t size = std::min<uint64_t>(kReadBytes, options_.segment_bytes - at);
    auto piece = co_await device_.read(start + at, size);
    if (piece.ok()) {
      std::memcpy(segment_.bytes.data() + at, piece->data(), size);
    } else if (piece.failed_with(Errc::io)) {
      CO_TRY(co_await load_page_by_page(start + at, at, size));
    } else {
      co_return fail(std::move(piece).error());
    }
  }
  co_return Result<>{};
}

Task<> Replay::load_page_by_page(uint64_t device_offset, uint64_t offset, size_t size) {
  size_t unreadable = 0;
  for (size_t at = 0; at < size; at += kPageBytes) {
    auto page = co_await device_.read(device_offset + at, kPageBytes);
    std::byte* out = segment_.bytes.data() + offset + at;
    if (page.ok()) {
      std::memcpy(out, page->data(), kPageBytes);
    } else if (page.failed_with(Errc::io)) {
      std::memset(out, 0, kPageBytes);
      ++unreadable;
    } else {
      co_return fail(std::move(page).error());
    }
  }
  if (unreadable * kPageBytes == size) {
    co_return fail(Errc::io, "the journal can't be read: {} bytes at device offset {}", size,
                   device_offset);
  }
  unreadable_ = true;
  log::warn("journal: {} unreadable pages at device offset {}", unreadable, device_offset);
  co_return Result<>{};
}

/// Takes the next batch of the chain: it lies behind the last one, or, where it found no room
/// there, at the start of the next segment. False at the end of the chain.
Task<bool> Replay::next_batch() {
  const uint64_t number = end_.position / options_.segment_bytes;
  const uint64_t next_start = (number + 1) * options_.segment_bytes;
  const uint64_t segments = options_.region_bytes / options_.segment_bytes;
  const uint64_t first = recovery_segment(recover_from_, options_.segment_bytes);
  for (const uint64_t position : {end_.position, next_start}) {
    if (position / options_.segment_bytes >= first + segments) break;
    if (position == next_start && !chain_begun_) break;
    CO_TRY(co_await load(position / options_.segment_bytes));
    if (!accept(position)) continue;
    CO_TRY(co_await deliver_flushed(held_.back().header.flushed_sequence));
    co_return true;
  }
  co_return false;
}

bool Replay::accept(uint64_t position) {
  const uint64_t offset = position % options_.segment_bytes;
  auto header = parse_batch(segment_.from(offset), position, seed(position));
  if (!header.ok()) return false;
  if (chain_begun_ &&
      (header->sequence != end_.sequence + 1 || header->previous_checksum != end_.checksum)) {
    return false;
  }
  if (position == 0 && header->sequence != 1) return false;
  chain_begun_ = true;
  held_.push_back({*header, segment_.bytes.slice(offset, header->bytes)});
  end_.position = header->end();
  end_.sequence = header->sequence;
  end_.checksum = header->checksum;
  end_.run = std::max(end_.run, header->run);
  return true;
}

/// Whether the page at `position` of the loaded segment begins a whole batch of a later use of it.
bool Replay::is_of_later_use(uint64_t position) const {
  const uint64_t offset = position % options_.segment_bytes;
  const auto claimed = claimed_position(segment_.from(offset));
  return claimed.has_value() && *claimed > position &&
         (*claimed - position) % options_.region_bytes == 0 &&
         parse_batch(segment_.from(offset), *claimed, seed(*claimed)).ok();
}

/// The chain broke in batches that nobody needs any more: begins again with the one that holds the
/// byte before the recovery position. Changes nothing when that one is bad too.
Task<> Replay::skip_to_recovery_position() {
  CO_TRY(co_await load(recovery_segment(recover_from_, options_.segment_bytes)));
  const uint64_t start = segment_.number * options_.segment_bytes;
  for (uint64_t at = (recover_from_ - 1) / kPageBytes * kPageBytes; at >= start; at -= kPageBytes) {
    const auto header = parse_batch(segment_.from(at - start), at, seed(at));
    if (header.ok()) {
      if (header->end() < recover_from_) break;
      log::warn("journal: damaged before position {}, where nothing is needed any more", at);
      held_.clear();
      chain_begun_ = false;
      end_.position = at;
      while (CO_TRY(co_await next_batch())) {
      }
      break;
    }
    if (at < kPageBytes) break;
  }
  co_return Result<>{};
}

Task<> Replay::search_for_damage() {
  const uint64_t segments = options_.region_bytes / options_.segment_bytes;
  const uint64_t first = end_.position / options_.segment_bytes;
  const uint64_t limit = recovery_segment(recover_from_, options_.segment_bytes) + segments;
  const uint32_t last_run = end_.run;
  for (uint64_t number = first; number < limit; ++number) {
    CO_TRY(co_await load(number));
    const uint64_t start = number * options_.segment_bytes;
    if (number == first) {
      summary_.torn_tail = begins_like_batch(segment_.from(end_.position - start), end_.position);
    }
    const uint64_t from = std::max(start, end_.position);
    for (uint64_t at = from; at < start + options_.segment_bytes; at += kPageBytes) {
      const auto header = parse_batch(segment_.from(at - start), at, seed(at));
      if (!header.ok()) {
        out_of_date_ = out_of_date_ || is_of_later_use(at);
        continue;
      }
      end_.run = std::max(end_.run, header->run);
      if (header->run >= last_run && header->flushed_sequence > end_.sequence) {
        summary_.damaged = true;
      }
    }
  }
  if (unreadable_) summary_.damaged = true;
  if (summary_.damaged) summary_.torn_tail = false;
  co_return Result<>{};
}

Task<> Replay::deliver_flushed(uint64_t flushed_sequence) {
  while (!held_.empty() && held_.front().header.sequence <= flushed_sequence) {
    Held held = std::move(held_.front());
    held_.pop_front();
    CO_TRY(co_await deliver(std::move(held), false));
  }
  co_return Result<>{};
}

Task<> Replay::deliver(Held held, bool maybe_unflushed) {
  std::vector<std::pair<Record, uint64_t>> records;
  CO_TRY(parse_records(held.bytes.view().subspan(kBatchHeaderBytes), held.header.record_count,
                       [&](Record record, size_t offset) {
                         records.emplace_back(std::move(record), held.header.position + offset);
                       }));
  for (const auto& [record, position] : records) {
    if (position < recover_from_) continue;
    ++summary_.record_count;
    if (handler_) CO_TRY(co_await handler_(record, Position{position}, maybe_unflushed));
  }
  co_return Result<>{};
}

}  // namespace turbine::journal
