// FileLocks: the byte-range locks and share reservations of one file, as a value.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "proto/locks.pb.h"

namespace turbine::meta {

/// A process of a client. Owners are equal when all of it is.
struct LockOwner {
  std::string address, name, handle;
  uint32_t process = 0;
  auto operator<=>(const LockOwner&) const = default;
};

inline constexpr uint64_t kLockToEnd = UINT64_MAX;  // however long the file grows

/// Bytes [begin, end).
struct LockSpan {
  uint64_t begin = 0, end = kLockToEnd;
  bool overlaps(const LockSpan& other) const { return begin < other.end && other.begin < end; }
  bool contains(const LockSpan& other) const { return begin <= other.begin && other.end <= end; }
  auto operator<=>(const LockSpan&) const = default;
};

/// A lock that is asked for.
struct WantedLock {
  LockOwner owner;
  LockSpan span;
  bool exclusive = false;

  /// The two can't be held together.
  bool conflicts_with(const WantedLock& other) const {
    return (exclusive || other.exclusive) && span.overlaps(other.span) && owner != other.owner;
  }
};

/// `claim`: of a lock that was waited for and whose owner has not asked for it again since; else 0.
/// `state`: of the client's status monitor.
struct HeldLock : WantedLock {
  uint64_t claim = 0;
  uint32_t state = 0;
};

inline constexpr uint32_t kShareReads = 1, kShareWrites = 2;

/// What an owner does with the file, and what others may not do meanwhile (bits kShare…).
struct HeldShare {
  LockOwner owner;
  uint32_t access = 0, deny = 0;
};

/// Pure: the log's entries go through apply(), so it gives the same everywhere. Locks of one owner
/// never overlap; what is equal and touches is one lock. Any number of owners; whoever changes it
/// looks at size() first.
class FileLocks {
 public:
  FileLocks() = default;
  /// Errc::corrupt: an index that points nowhere.
  static Result<FileLocks> parse(const proto::FileLocks& record);
  proto::FileLocks record() const;

  bool empty() const { return locks_.empty() && shares_.empty(); }
  size_t size() const { return locks_.size() + shares_.size(); }
  const std::vector<HeldLock>& locks() const { return locks_; }
  const std::vector<HeldShare>& shares() const { return shares_; }

  /// The first lock of another owner that forbids it; null: it may be granted.
  const HeldLock* conflict(const WantedLock& wanted) const;
  /// The owner has all of it, at least as strong.
  bool holds(const WantedLock& wanted) const { return covered(wanted, std::nullopt); }
  /// And by this claim.
  bool holds_by(const WantedLock& wanted, uint64_t claim) const { return covered(wanted, claim); }
  const HeldShare* share_conflict(const HeldShare& wanted) const;

  /// False: it changes nothing. Checks no conflict: that was done before it was logged.
  bool apply(const proto::ChangeLocksMutation& change);

 private:
  bool covered(const WantedLock& wanted, std::optional<uint64_t> claim) const;
  bool take(HeldLock lock);
  bool drop(const LockOwner& owner, LockSpan span, std::optional<uint64_t> claim);
  bool take_share(HeldShare share);
  bool release(const LockOwner& client, uint32_t state);
  void add_joined(HeldLock lock);
  void sort();

  std::vector<HeldLock> locks_;  // by beginning, then owner
  std::vector<HeldShare> shares_;
};

LockOwner lock_owner_of(const proto::LockOwner& record);
proto::LockOwner record_of(const LockOwner& owner);
/// Whether locks of `owner` are those of a client that calls itself `name` now: by that name, by
/// its first label (hosts are called with and without their domain), or by its address.
bool is_client(const LockOwner& owner, const LockOwner& client);

}  // namespace turbine::meta
