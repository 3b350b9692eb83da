#include "support/memory_locks.hpp"

#include <utility>

namespace turbine::test {

Task<fs::LockVerdict> MemoryLocks::lock(fs::CallContext call, fs::Credentials who,
                                        fs::FileLock lock, uint32_t state, bool) {
  CO_TRY(begin(call));
  last_who = std::move(who);
  if (files_[lock.file].conflict(wanted(lock)) != nullptr) {
    co_return deadlocks ? fs::LockVerdict::deadlock : fs::LockVerdict::denied;
  }
  take(lock, state, 0);
  co_return fs::LockVerdict::granted;
}

Task<> MemoryLocks::unlock(fs::CallContext call, fs::FileLock lock) {
  CO_TRY(begin(call));
  drop(lock, std::nullopt);
  co_return Result<>{};
}

Task<std::optional<fs::LockHolder>> MemoryLocks::test(fs::Credentials who, fs::FileLock lock) {
  if (failure) co_return fail(*failure, "as the test wants");
  last_who = std::move(who);
  const meta::HeldLock* held = files_[lock.file].conflict(wanted(lock));
  if (held == nullptr) co_return std::optional<fs::LockHolder>{};
  const meta::LockOwner& o = held->owner;
  co_return std::optional<fs::LockHolder>({{o.address, o.name, o.handle, o.process},
                                           {held->span.begin, held->span.end},
                                           held->exclusive});
}

Task<> MemoryLocks::cancel(fs::CallContext call, fs::FileLock) {
  co_return begin(call);
}

Task<fs::WaitVerdict> MemoryLocks::wait(fs::FileLock lock, uint32_t state, uint64_t claim,
                                        TimePoint) {
  ++waits;
  if (failure) co_return fail(*failure, "as the test wants");
  OneShot<> changed(clock_.executor());
  changes_.push_back(changed);
  const auto free = [&] { return files_[lock.file].conflict(wanted(lock)) == nullptr; };
  if (!free()) (void)co_await changed.wait_until(clock_, clock_.now() + kWait);
  if (!free()) co_return fs::WaitVerdict::waiting;
  if (files_[lock.file].holds(wanted(lock))) co_return fs::WaitVerdict::held;
  take(lock, state, claim);
  co_return fs::WaitVerdict::granted;
}

Task<> MemoryLocks::give_back(fs::FileLock lock, uint64_t claim) {
  if (failure) co_return fail(*failure, "as the test wants");
  given_back.push_back(lock);
  drop(lock, claim);
  co_return Result<>{};
}

Task<bool> MemoryLocks::share(fs::CallContext call, fs::Credentials who, fs::FileShare share) {
  CO_TRY(begin(call));
  last_who = std::move(who);
  const meta::HeldShare held{owner(share.owner), (share.reads ? 1U : 0U) | (share.writes ? 2U : 0U),
                             (share.deny_reads ? 1U : 0U) | (share.deny_writes ? 2U : 0U)};
  if (files_[share.file].share_conflict(held) != nullptr) co_return false;
  proto::ChangeLocksMutation change = change_of(share.owner);
  change.mutable_take_share()->set_access(held.access);
  change.mutable_take_share()->set_deny(held.deny);
  apply(share.file, change);
  co_return true;
}

Task<> MemoryLocks::unshare(fs::CallContext call, InodeId file, fs::LockOwner owner) {
  CO_TRY(begin(call));
  proto::ChangeLocksMutation change = change_of(owner);
  change.mutable_drop_share();
  apply(file, change);
  co_return Result<>{};
}

Task<> MemoryLocks::release_client(std::string address, std::string name, uint32_t state) {
  if (failure) co_return fail(*failure, "as the test wants");
  proto::ChangeLocksMutation change = change_of({std::move(address), std::move(name), {}, 0});
  change.mutable_release()->set_state(state);
  for (auto& [file, table] : files_) apply(file, change);
  co_return Result<>{};
}

meta::LockOwner MemoryLocks::owner(const fs::LockOwner& from) {
  return {from.address, from.name, from.handle, from.process};
}

meta::WantedLock MemoryLocks::wanted(const fs::FileLock& lock) {
  return {owner(lock.owner), {lock.span.begin, lock.span.end}, lock.exclusive};
}

proto::ChangeLocksMutation MemoryLocks::change_of(const fs::LockOwner& from) {
  proto::ChangeLocksMutation change;
  *change.mutable_owner() = meta::record_of(owner(from));
  return change;
}

Result<> MemoryLocks::begin(const fs::CallContext& call) {
  if (failure) return fail(*failure, "as the test wants");
  mutations.push_back(call);
  return {};
}

void MemoryLocks::take(const fs::FileLock& lock, uint32_t state, uint64_t claim) {
  proto::ChangeLocksMutation change = change_of(lock.owner);
  change.mutable_take()->set_begin(lock.span.begin);
  change.mutable_take()->set_end(lock.span.end);
  change.mutable_take()->set_exclusive(lock.exclusive);
  change.mutable_take()->set_state(state);
  change.mutable_take()->set_claim(claim);
  apply(lock.file, change);
}

void MemoryLocks::drop(const fs::FileLock& lock, std::optional<uint64_t> claim) {
  proto::ChangeLocksMutation change = change_of(lock.owner);
  change.mutable_drop()->set_begin(lock.span.begin);
  change.mutable_drop()->set_end(lock.span.end);
  if (claim) change.mutable_drop()->set_claim(*claim);
  apply(lock.file, change);
}

void MemoryLocks::apply(InodeId file, const proto::ChangeLocksMutation& change) {
  files_[file].apply(change);
  for (OneShot<>& waiting : std::exchange(changes_, {})) waiting.set({});
}

}  // namespace turbine::test
