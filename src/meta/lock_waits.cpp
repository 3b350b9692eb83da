#include "meta/lock_waits.hpp"

#include <algorithm>
#include <set>

namespace turbine::meta {

std::shared_ptr<LockWaits::Wait> LockWaits::enter(InodeId file, WantedLock wanted,
                                                  TimePoint since) {
  auto wait = std::make_shared<Wait>(std::move(wanted), since, ++last_number_, executor_);
  Queue& queue = queues_[file];
  const auto at = std::ranges::upper_bound(
      queue, wait->turn_, {}, [](const std::shared_ptr<Wait>& each) { return each->turn_; });
  queue.insert(at, wait);
  return wait;
}

void LockWaits::leave(InodeId file, const std::shared_ptr<Wait>& wait) {
  const auto found = queues_.find(file);
  if (found == queues_.end()) return;
  std::erase(found->second, wait);
  if (found->second.empty()) queues_.erase(found);
}

bool LockWaits::is_behind(InodeId file, const Wait& wait, const FileLocks& held) const {
  const auto found = queues_.find(file);
  if (found == queues_.end()) return false;
  return std::ranges::any_of(found->second, [&](const std::shared_ptr<Wait>& other) {
    return other->turn_ < wait.turn_ && !other->withdrawn_ &&
           other->wanted_.conflicts_with(wait.wanted_) && held.conflict(other->wanted_) == nullptr;
  });
}

bool LockWaits::would_deadlock(InodeId file, const WantedLock& wanted,
                               const FileLocks& held) const {
  const auto found = queues_.find(file);
  if (found == queues_.end()) return false;
  // Everybody who would be waited for, directly or over others.
  std::set<LockOwner> seen;
  std::vector<LockOwner> next;
  const auto add_holders = [&](const WantedLock& lock) {
    for (const HeldLock& each : held.locks()) {
      if (each.conflicts_with(lock) && seen.insert(each.owner).second) next.push_back(each.owner);
    }
  };
  add_holders(wanted);
  while (!next.empty()) {
    const LockOwner owner = std::move(next.back());
    next.pop_back();
    if (owner == wanted.owner) return true;
    for (const auto& wait : found->second) {
      if (wait->wanted_.owner == owner && !wait->withdrawn_) add_holders(wait->wanted_);
    }
  }
  return false;
}

void LockWaits::wake(InodeId file, const FileLocks& held) {
  const auto found = queues_.find(file);
  if (found == queues_.end()) return;
  std::vector<const WantedLock*> given;
  for (const auto& wait : found->second) {
    if (wait->withdrawn_ || held.conflict(wait->wanted_) != nullptr) continue;
    const auto in_the_way = [&](const WantedLock* other) {
      return other->conflicts_with(wait->wanted_);
    };
    if (std::ranges::any_of(given, in_the_way)) continue;
    given.push_back(&wait->wanted_);
    wait->woken_.set({});
  }
}

void LockWaits::withdraw(InodeId file, const LockOwner& owner, LockSpan span) {
  const auto found = queues_.find(file);
  if (found == queues_.end()) return;
  for (const auto& wait : found->second) {
    if (wait->wanted_.owner != owner || !wait->wanted_.span.overlaps(span)) continue;
    wait->withdrawn_ = true;
    wait->woken_.set({});
  }
}

void LockWaits::wake_all() {
  for (const auto& [file, queue] : queues_) {
    for (const auto& wait : queue) wait->woken_.set({});
  }
}

size_t LockWaits::size(InodeId file) const {
  const auto found = queues_.find(file);
  return found == queues_.end() ? 0 : found->second.size();
}

}  // namespace turbine::meta
