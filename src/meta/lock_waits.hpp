// LockWaits: who waits for locks of files, at the partition's primary.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/async.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "meta/file_locks.hpp"

namespace turbine::meta {

/// Calls that wait, each while it is here: who still wants the lock calls again and says since when
/// it has been wanted, which keeps its turn, over fail-overs too. So nothing of this is replicated,
/// and nobody who has gone stands in the way.
///
/// A lock is never refused for the sake of those who wait: who waits for a lock must not wait for
/// others who wait, or locks of two files could make a circle that nobody sees. Turns decide only
/// between those who could have it now. One reactor thread.
class LockWaits {
 public:
  explicit LockWaits(Executor executor) : executor_(executor) {}
  LockWaits(const LockWaits&) = delete;
  LockWaits& operator=(const LockWaits&) = delete;

  class Wait {
   public:
    Wait(WantedLock wanted, TimePoint since, uint64_t number, Executor executor)
        : wanted_(std::move(wanted)), turn_(since, number), woken_(executor) {}
    const WantedLock& wanted() const { return wanted_; }
    bool withdrawn() const { return withdrawn_; }
    /// Errc::timeout after `deadline`.
    Task<> woken(Clock& clock, TimePoint deadline) { return woken_.wait_until(clock, deadline); }

   private:
    friend class LockWaits;
    WantedLock wanted_;
    std::pair<TimePoint, uint64_t> turn_;
    OneShot<> woken_;
    bool withdrawn_ = false;
  };

  /// `since`: when it was first wanted.
  std::shared_ptr<Wait> enter(InodeId file, WantedLock wanted, TimePoint since);
  void leave(InodeId file, const std::shared_ptr<Wait>& wait);
  /// From now on wake-ups count; before the locks are looked at.
  void arm(Wait& wait) { wait.woken_ = OneShot<>(executor_); }

  /// It is another's turn, who could have the lock now.
  bool is_behind(InodeId file, const Wait& wait, const FileLocks& held) const;
  /// Who holds what `wanted` needs waits, perhaps over others, for its owner, in this file.
  bool would_deadlock(InodeId file, const WantedLock& wanted, const FileLocks& held) const;

  /// After a change: wakes those whose turn it is.
  void wake(InodeId file, const FileLocks& held);
  /// The owner no longer waits for bytes of `span`.
  void withdraw(InodeId file, const LockOwner& owner, LockSpan span);
  /// Everybody looks again: this is no primary any more.
  void wake_all();
  size_t size(InodeId file) const;

 private:
  using Queue = std::vector<std::shared_ptr<Wait>>;  // by turn
  Executor executor_;
  std::map<InodeId, Queue> queues_;
  uint64_t last_number_ = 0;
};

}  // namespace turbine::meta
