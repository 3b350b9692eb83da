// Locks: byte-range locks and share reservations of files. NLM stands on this and nothing below.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/task.hpp"
#include "fs/files.hpp"

namespace turbine::fs {

/// A process of a client; owners are equal when all of it is.
struct LockOwner {
  std::string address;  // of the client, as text
  std::string name;     // that the client calls itself
  std::string handle;   // the client's word for the owner
  uint32_t process = 0;
  auto operator<=>(const LockOwner&) const = default;
};

inline constexpr uint64_t kLockToEnd = UINT64_MAX;  // however long the file grows

/// Bytes [begin, end), not empty.
struct LockSpan {
  uint64_t begin = 0, end = kLockToEnd;
  auto operator<=>(const LockSpan&) const = default;
};

struct FileLock {
  InodeId file;
  LockOwner owner;
  LockSpan span;
  bool exclusive = false;
};

/// A lock that stands in the way.
struct LockHolder {
  LockOwner owner;
  LockSpan span;
  bool exclusive = false;
};

enum class LockVerdict : uint8_t {
  granted,
  denied,    // by somebody's lock
  deadlock,  // whoever holds it waits for the owner, directly or over others, in the same file
};

/// What has become of a lock that is waited for.
enum class WaitVerdict : uint8_t {
  granted,    // under the claim: the owner is to be told, or the lock given back
  held,       // the owner has it already, and knows
  waiting,    // ask again
  withdrawn,  // cancelled, or unlocked
  deadlock,
};

struct FileShare {
  InodeId file;
  LockOwner owner;  // without a process
  bool reads = false, writes = false;
  bool deny_reads = false, deny_writes = false;
};

/// Locks are the array's: they outlive gateways and blades, go with the file, and end when their
/// owner unlocks them or its client begins anew. They are advice: nothing stops reads and writes.
/// Locks of one owner never conflict; a new one takes the place of what it covers.
///
/// One per gateway process and reactor. A mutation with the request id of an earlier one is not
/// executed again and gives the same answer. Errors: stale, denied (the owner may not read the
/// file), invalid (no regular file), no_space (too many locks in the file); unavailable, busy and
/// timeout: to be asked again under the same request id.
class Locks {
 public:
  virtual ~Locks() = default;

  /// `state`: number of the client's present life (NSM); release_client() spares its locks.
  /// `will_wait`: if it is denied, its owner will wait for it, so a deadlock is told.
  virtual Task<LockVerdict> lock(CallContext call, Credentials who, FileLock lock, uint32_t state,
                                 bool will_wait) = 0;
  /// Also what the owner waits for. No error when there was nothing, or the file is gone.
  virtual Task<> unlock(CallContext call, FileLock lock) = 0;
  /// Who stands in its way; empty: nobody.
  virtual Task<std::optional<LockHolder>> test(Credentials who, FileLock lock) = 0;
  /// The owner no longer waits for it; what it was granted and has not been told goes too.
  virtual Task<> cancel(CallContext call, FileLock lock) = 0;

  /// A name for one waiting: unique in the array.
  virtual uint64_t new_claim() = 0;
  /// Waits a bounded time for a lock that was denied. `since`: when it was asked for first; who has
  /// waited longest is served first. Whoever was granted it must tell the owner or give_back().
  virtual Task<WaitVerdict> wait(FileLock lock, uint32_t state, uint64_t claim,
                                 TimePoint since) = 0;
  /// Unlocks what wait() was granted, unless the owner has asked for it again since.
  virtual Task<> give_back(FileLock lock, uint64_t claim) = 0;

  /// False: denied by another's share. Takes the place of the owner's earlier one.
  virtual Task<bool> share(CallContext call, Credentials who, FileShare share) = 0;
  virtual Task<> unshare(CallContext call, InodeId file, LockOwner owner) = 0;

  /// A client at `address` that calls itself `name` is in a new life: all that it held in earlier
  /// ones is released, everywhere. `state` 0: not known, all is.
  virtual Task<> release_client(std::string address, std::string name, uint32_t state) = 0;
};

}  // namespace turbine::fs
