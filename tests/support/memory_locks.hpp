// MemoryLocks: fs::Locks on a map, for tests of front-ends. Behaves as the contract in fs/locks.hpp
// says, without deadlocks but those that a test wants.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/async.hpp"
#include "fs/locks.hpp"
#include "meta/file_locks.hpp"

namespace turbine::test {

class MemoryLocks final : public fs::Locks {
 public:
  explicit MemoryLocks(Clock& clock) : clock_(clock) {}

  // What a test sets and sees.
  std::optional<Errc> failure;  // of all calls, while it is set
  bool deadlocks = false;       // what is denied, while it is set
  std::vector<fs::CallContext> mutations;
  fs::Credentials last_who;
  std::vector<fs::FileLock> given_back;
  uint64_t waits = 0;  // calls of wait()

  const meta::FileLocks& of(InodeId file) { return files_[file]; }

  Task<fs::LockVerdict> lock(fs::CallContext call, fs::Credentials who, fs::FileLock lock,
                             uint32_t state, bool) override {
    CO_TRY(begin(call));
    last_who = std::move(who);
    if (files_[lock.file].conflict(wanted(lock)) != nullptr) {
      co_return deadlocks ? fs::LockVerdict::deadlock : fs::LockVerdict::denied;
    }
    take(lock, state, 0);
    co_return fs::LockVerdict::granted;
  }
  Task<> unlock(fs::CallContext call, fs::FileLock lock) override {
    CO_TRY(begin(call));
    drop(lock, std::nullopt);
    co_return Result<>{};
  }
  Task<std::optional<fs::LockHolder>> test(fs::Credentials who, fs::FileLock lock) override {
    if (failure) co_return fail(*failure, "as the test wants");
    last_who = std::move(who);
    const meta::HeldLock* held = files_[lock.file].conflict(wanted(lock));
    if (held == nullptr) co_return std::optional<fs::LockHolder>{};
    const meta::LockOwner& o = held->owner;
    co_return std::optional<fs::LockHolder>({{o.address, o.name, o.handle, o.process},
                                             {held->span.begin, held->span.end},
                                             held->exclusive});
  }
  Task<> cancel(fs::CallContext call, fs::FileLock) override { co_return begin(call); }

  uint64_t new_claim() override { return ++last_claim_; }
  Task<fs::WaitVerdict> wait(fs::FileLock lock, uint32_t state, uint64_t claim,
                             TimePoint) override {
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
  Task<> give_back(fs::FileLock lock, uint64_t claim) override {
    if (failure) co_return fail(*failure, "as the test wants");
    given_back.push_back(lock);
    drop(lock, claim);
    co_return Result<>{};
  }

  Task<bool> share(fs::CallContext call, fs::Credentials who, fs::FileShare share) override {
    CO_TRY(begin(call));
    last_who = std::move(who);
    const meta::HeldShare held{owner(share.owner),
                               (share.reads ? 1U : 0U) | (share.writes ? 2U : 0U),
                               (share.deny_reads ? 1U : 0U) | (share.deny_writes ? 2U : 0U)};
    if (files_[share.file].share_conflict(held) != nullptr) co_return false;
    proto::ChangeLocksMutation change = change_of(share.owner);
    change.mutable_take_share()->set_access(held.access);
    change.mutable_take_share()->set_deny(held.deny);
    apply(share.file, change);
    co_return true;
  }
  Task<> unshare(fs::CallContext call, InodeId file, fs::LockOwner owner) override {
    CO_TRY(begin(call));
    proto::ChangeLocksMutation change = change_of(owner);
    change.mutable_drop_share();
    apply(file, change);
    co_return Result<>{};
  }
  Task<> release_client(std::string address, std::string name, uint32_t state) override {
    if (failure) co_return fail(*failure, "as the test wants");
    proto::ChangeLocksMutation change = change_of({std::move(address), std::move(name), {}, 0});
    change.mutable_release()->set_state(state);
    for (auto& [file, table] : files_) apply(file, change);
    co_return Result<>{};
  }

 private:
  static constexpr Duration kWait = std::chrono::milliseconds(50);

  static meta::LockOwner owner(const fs::LockOwner& from) {
    return {from.address, from.name, from.handle, from.process};
  }
  static meta::WantedLock wanted(const fs::FileLock& lock) {
    return {owner(lock.owner), {lock.span.begin, lock.span.end}, lock.exclusive};
  }
  static proto::ChangeLocksMutation change_of(const fs::LockOwner& from) {
    proto::ChangeLocksMutation change;
    *change.mutable_owner() = meta::record_of(owner(from));
    return change;
  }
  Result<> begin(const fs::CallContext& call) {
    if (failure) return fail(*failure, "as the test wants");
    mutations.push_back(call);
    return {};
  }
  void take(const fs::FileLock& lock, uint32_t state, uint64_t claim) {
    proto::ChangeLocksMutation change = change_of(lock.owner);
    change.mutable_take()->set_begin(lock.span.begin);
    change.mutable_take()->set_end(lock.span.end);
    change.mutable_take()->set_exclusive(lock.exclusive);
    change.mutable_take()->set_state(state);
    change.mutable_take()->set_claim(claim);
    apply(lock.file, change);
  }
  void drop(const fs::FileLock& lock, std::optional<uint64_t> claim) {
    proto::ChangeLocksMutation change = change_of(lock.owner);
    change.mutable_drop()->set_begin(lock.span.begin);
    change.mutable_drop()->set_end(lock.span.end);
    if (claim) change.mutable_drop()->set_claim(*claim);
    apply(lock.file, change);
  }
  void apply(InodeId file, const proto::ChangeLocksMutation& change) {
    files_[file].apply(change);
    for (OneShot<>& waiting : std::exchange(changes_, {})) waiting.set({});
  }

  Clock& clock_;
  std::map<InodeId, meta::FileLocks> files_;
  std::vector<OneShot<>> changes_;
  uint64_t last_claim_ = 0;
};

}  // namespace turbine::test
