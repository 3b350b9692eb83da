// MemoryLocks: fs::Locks on a map, for tests of front-ends. Behaves as the contract in fs/locks.hpp
// says, without deadlocks but those that a test wants.
#pragma once

#include <map>
#include <optional>
#include <string>
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
                             uint32_t state, bool) override;
  Task<> unlock(fs::CallContext call, fs::FileLock lock) override;
  Task<std::optional<fs::LockHolder>> test(fs::Credentials who, fs::FileLock lock) override;
  Task<> cancel(fs::CallContext call, fs::FileLock) override;

  uint64_t new_claim() override { return ++last_claim_; }
  Task<fs::WaitVerdict> wait(fs::FileLock lock, uint32_t state, uint64_t claim, TimePoint) override;
  Task<> give_back(fs::FileLock lock, uint64_t claim) override;

  Task<bool> share(fs::CallContext call, fs::Credentials who, fs::FileShare share) override;
  Task<> unshare(fs::CallContext call, InodeId file, fs::LockOwner owner) override;
  Task<> release_client(std::string address, std::string name, uint32_t state) override;

 private:
  static constexpr Duration kWait = std::chrono::milliseconds(50);

  static meta::LockOwner owner(const fs::LockOwner& from);
  static meta::WantedLock wanted(const fs::FileLock& lock);
  static proto::ChangeLocksMutation change_of(const fs::LockOwner& from);
  Result<> begin(const fs::CallContext& call);
  void take(const fs::FileLock& lock, uint32_t state, uint64_t claim);
  void drop(const fs::FileLock& lock, std::optional<uint64_t> claim);
  void apply(InodeId file, const proto::ChangeLocksMutation& change);

  Clock& clock_;
  std::map<InodeId, meta::FileLocks> files_;
  std::vector<OneShot<>> changes_;
  uint64_t last_claim_ = 0;
};

}  // namespace turbine::test
