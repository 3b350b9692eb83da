// Journal: a blade's write-ahead log with group commit, in a fixed region of its device.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/task.hpp"
#include "io/device.hpp"

namespace turbine::journal {

enum class RecordType : uint8_t {
  entry = 1,       // an entry of a partition's log
  truncate = 2,    // partition: entries from lsn on are void
  term = 3,        // partition: a new term begins at lsn
  chunk_put = 4,   // a shard's index record
  chunk_free = 5,  // shards freed
  blade = 6,       // the blade's own small records
};

/// Place of a record in the endless log, in bytes; only ever grows.
struct Position {
  uint64_t value = 0;
  auto operator<=>(const Position&) const = default;
};

struct Record {
  RecordType type{};
  PartitionId partition{};
  Term term{};
  Lsn lsn{};
  std::string payload;  // ≤ kRecordBytesMax
};

/// A record whose payload lies elsewhere.
struct RecordView {
  RecordType type{};
  PartitionId partition{};
  Term term{};
  Lsn lsn{};
  std::string_view payload;
  RecordView(RecordType type_in, PartitionId partition_in, Term term_in, Lsn lsn_in,
             std::string_view payload_in)
      : type(type_in), partition(partition_in), term(term_in), lsn(lsn_in), payload(payload_in) {}
  // NOLINTNEXTLINE(google-explicit-constructor,hicpp-explicit-conversions): the same record
  RecordView(const Record& record)
      : RecordView(record.type, record.partition, record.term, record.lsn, record.payload) {}
  Record copy() const { return {type, partition, term, lsn, std::string(payload)}; }
};

inline constexpr size_t kRecordBytesMax = size_t{2} << 20;

struct Options {
  uint64_t region_offset = 0;
  uint64_t region_bytes = uint64_t{128} << 20;
  uint64_t segment_bytes = uint64_t{8} << 20;
  uint64_t identity_seed = 0;        // array, blade and incarnation; mixed into every checksum
  bool skip_flush_for_test = false;  // a planted fault: check_durable() must catch it
};

/// What replay learnt of the log's end.
struct ReplaySummary {
  Position end;  // append goes on from here
  uint64_t record_count = 0;
  bool torn_tail = false;  // the last, unflushed batch was incomplete: normal after a crash
  bool damaged = false;    // a record that had been flushed is bad: the blade is suspect
};

/// Called for each record in log order. `maybe_unflushed`: the record belongs to the last batch,
/// whose flush is not proven; what it refers to on the device must be verified before use.
using ReplayHandler =
    std::function<Task<>(const Record& record, Position position, bool maybe_unflushed)>;

/// One reactor thread. Records become durable in the order of append() calls, many with one flush.
/// The device must outlive it.
class Journal {
 public:
  virtual ~Journal() = default;

  /// Zeroes the region and makes it durable.
  static Task<> format(io::Device& device, Options options);
  /// Reads the log from `recover_from` on, hands each record to `handler`, and opens for append.
  /// All that was replayed is durable on return. Errc::corrupt: the log breaks at or before
  /// `recover_from`, or that position is so old that what followed was overwritten; the blade must
  /// start as blank. Damage after it is told in `summary`: replay
  /// stops there, appends go on there, and what followed is lost.
  static Task<std::unique_ptr<Journal>> open(Executor executor, io::Device& device, Options options,
                                             Position recover_from, ReplayHandler handler,
                                             ReplaySummary* summary);

  /// Queues the record at once (order of calls is order in the log), with a copy of the payload in
  /// the buffer that is written, and returns when it is durable.
  /// `depends_on`: a data write that the record makes reachable; it has completed, and the flush
  /// that makes the record durable covers it too. Waits while the region is full of records that
  /// may not be reused yet. Errc::io after a failed write: the blade must stop.
  virtual Task<Position> append(RecordView record, io::WriteTicket depends_on = {}) = 0;

  /// Everything before `position` is no longer needed for recovery; its segments are reused at
  /// once, so the caller has made `position` durable before. Not beyond what is durable.
  virtual void set_recovery_position(Position position) = 0;
  virtual Position recovery_position() const = 0;
  /// End of what was queued.
  virtual Position end() const = 0;
  /// Everything before it is durable: a later process finds it.
  virtual Position durable_end() const = 0;
  /// Bytes between the recovery position and the end, of `capacity_bytes`.
  virtual uint64_t used_bytes() const = 0;
  virtual uint64_t capacity_bytes() const = 0;
  /// Waits for the last batch; no append afterwards. To be called before the destructor, also
  /// after a failure; records that wait for space fail with Errc::closed.
  virtual Task<> stop() = 0;

  struct Counters {
    uint64_t records = 0, batches = 0, flushes = 0, bytes = 0;
  };
  virtual Counters counters() const = 0;
};

}  // namespace turbine::journal
