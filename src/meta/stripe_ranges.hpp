// StripeRanges: which stripe ids of a partition are leased to whom, and which are spent.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "proto/meta_log.pb.h"

namespace turbine::meta {

/// Mirrors the range records in memory; the caller writes what changes into the Kv. Besides holds
/// the ids that entries on their way and prepared intents name (reservations), which are not in the
/// Kv. One reactor thread.
class StripeRanges {
 public:
  /// Called by apply and load.
  void add(proto::StripeRange range);
  /// Marks the id spent. Returns the range as it is now; without a value when no live range has it.
  /// A range whose last id was spent is dropped: `dropped` is set.
  std::optional<proto::StripeRange> spend(StripeId id, bool* dropped);
  /// Drops the session's ranges, or the one that begins at `first`, and returns them.
  std::vector<proto::StripeRange> end(SessionId session, uint64_t first = 0);

  /// Whether the id may be committed now: in a live range, neither spent nor reserved.
  Result<> check(StripeId id) const;
  void reserve(StripeId id) { reserved_.insert(id); }
  void unreserve(StripeId id) { reserved_.erase(id); }
  bool reserved(StripeId id) const { return reserved_.contains(id); }
  /// In a live range and not spent.
  bool open(StripeId id) const;

  std::set<SessionId> sessions() const;
  /// Live ranges: first number and session.
  std::vector<std::pair<uint64_t, SessionId>> all() const;
  size_t count(SessionId session) const;
  /// First number of the session's oldest range; 0: it has none.
  uint64_t oldest(SessionId session) const;
  size_t size() const { return ranges_.size(); }

 private:
  const proto::StripeRange* find(uint64_t number) const;
  std::map<uint64_t, proto::StripeRange> ranges_;  // by first number
  std::set<StripeId> reserved_;
};

}  // namespace turbine::meta
