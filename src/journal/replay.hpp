// Replay: reads the log after a start and finds its end.
#pragma once

#include <cstdint>
#include <deque>

#include "journal/batch.hpp"
#include "journal/journal.hpp"

namespace turbine::journal {

/// Where a journal goes on after replay.
struct ReplayEnd {
  uint64_t position = 0;  // of the next batch
  uint64_t sequence = 0;  // of the last batch
  uint64_t checksum = 0;  // of the last batch
  uint32_t run = 0;       // greatest seen, whole log
};

/// One use: run() once. Walks the chain of batches from the segment that holds the recovery
/// position; a break before that position is stepped over. Where it breaks later, the rest of the
/// region is searched for a whole batch of the same or a later run that says the broken one had
/// been flushed: then it is damage, else the torn tail. A batch of a later use than can be reached
/// from the recovery position means that the position is out of date.
class Replay {
 public:
  Replay(io::Device& device, Options options, Position recover_from, ReplayHandler handler);

  /// Errc::corrupt: the log breaks before or at the recovery position, or has gone on from it so
  /// far that what it began with was overwritten; start the blade as blank. Errors of the device
  /// (but unreadable ranges) and of the handler.
  Task<ReplayEnd> run();
  const ReplaySummary& summary() const { return summary_; }

 private:
  struct Segment {
    uint64_t number = ~uint64_t{0};
    Buffer bytes;
    ByteView from(uint64_t offset) const { return bytes.view().subspan(offset); }
  };
  struct Held {
    BatchHeader header;
    Buffer bytes;
  };

  Task<> load(uint64_t number);
  Task<> load_page_by_page(uint64_t device_offset, uint64_t offset, size_t size);
  Task<bool> next_batch();
  bool accept(uint64_t position);
  bool is_of_later_use(uint64_t position) const;
  Task<> skip_to_recovery_position();
  Task<> search_for_damage();
  Task<> deliver_flushed(uint64_t flushed_sequence);
  Task<> deliver(Held held, bool maybe_unflushed);
  uint64_t seed(uint64_t position) const;

  io::Device& device_;
  const Options options_;
  const uint64_t recover_from_;
  const ReplayHandler handler_;
  Segment segment_;
  std::deque<Held> held_;  // not yet known to have been flushed
  ReplayEnd end_;
  bool chain_begun_ = false;
  bool unreadable_ = false;
  bool out_of_date_ = false;  // the recovery position
  ReplaySummary summary_;
};

/// Number of the segment that replay from `position` begins with: the one that holds the byte
/// before it, so that the chain to the first batch wanted is always there to be checked.
inline uint64_t recovery_segment(uint64_t position, uint64_t segment_bytes) {
  return position == 0 ? 0 : (position - 1) / segment_bytes;
}
inline uint64_t device_offset_of(const Options& options, uint64_t position) {
  const uint64_t segments = options.region_bytes / options.segment_bytes;
  return options.region_offset +
         position / options.segment_bytes % segments * options.segment_bytes +
         position % options.segment_bytes;
}

}  // namespace turbine::journal
