// Log: the end of one partition's log at one replica, in memory; the journal keeps it on disk.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "journal/journal.hpp"

namespace turbine::replica {

struct Entry {
  Lsn lsn;
  Term term;
  std::shared_ptr<const std::string> payload;
  journal::Position before{};    // the journal's end when it was appended
  journal::Position position{};  // its place there, once durable
  bool durable = false;
};

/// Entries without gaps up to last(): all that are not applied, and for replicas that were away a
/// short time the newest of those that are.
class Log {
 public:
  /// Empties it: the state holds everything up to `applied`.
  void reset(Lsn applied);
  Lsn last() const { return last_; }
  /// Of the entries kept; last() + 1 when there is none.
  Lsn first() const { return Lsn(last_.value + 1 - entries_.size()); }
  bool holds(Lsn lsn) const { return lsn >= first() && lsn <= last_; }
  /// holds(lsn).
  Entry& at(Lsn lsn) { return entries_[lsn.value - first().value]; }
  const Entry& at(Lsn lsn) const { return entries_[lsn.value - first().value]; }
  /// `entry` follows last().
  void append(Entry entry);
  /// What follows `after` goes; what is kept before stays.
  void cut(Lsn after);
  /// Forgets the oldest applied entries beyond the bound, but none from `needed` on.
  void trim(Lsn applied, Lsn needed);
  uint64_t kept_bytes() const { return bytes_; }

 private:
  std::deque<Entry> entries_;
  Lsn last_;
  uint64_t bytes_ = 0;
};

/// Applied entries of one partition that are kept for replicas that come back.
inline constexpr uint64_t kKeptBytes = uint64_t{256} << 10;

}  // namespace turbine::replica
