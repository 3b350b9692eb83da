// KeyLocks: the locks of one partition. A request names all its keys at once.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/task.hpp"

namespace turbine::meta {

enum class LockKind : uint8_t {
  name = 1,        // a name in a directory, with and without slash
  present = 2,     // shared: the directory stays; exclusive: it is being removed
  inode = 3,       // an inode's content and attributes
  upload = 4,      // a multipart upload; `name` is its id
  file_locks = 5,  // the locks that clients hold in a file
  usage = 6,       // shared: what a bucket uses changes; exclusive: it is being counted
};

struct LockKey {
  LockKind kind{};
  InodeId inode{};
  std::string name;
  auto operator<=>(const LockKey&) const = default;
};

struct LockRequest {
  LockKey key;
  bool exclusive = false;
};

inline LockRequest lock_name(InodeId directory, std::string_view name) {
  return {{LockKind::name, directory, std::string(name)}, true};
}
inline LockRequest lock_present(InodeId directory, bool exclusive) {
  return {{LockKind::present, directory, {}}, exclusive};
}
inline LockRequest lock_inode(InodeId inode, bool exclusive) {
  return {{LockKind::inode, inode, {}}, exclusive};
}
inline LockRequest lock_upload(InodeId bucket, std::string_view id, bool exclusive) {
  return {{LockKind::upload, bucket, std::string(id)}, exclusive};
}
inline LockRequest lock_usage(InodeId bucket, bool exclusive) {
  return {{LockKind::usage, bucket, {}}, exclusive};
}

/// Shared and exclusive locks on keys; one reactor thread. A request waits in the queues of all its
/// keys at once and is granted when it is first (or compatible with all before it) in each, so two
/// requests of one partition never wait for each other in a circle: take all keys with one call;
/// keys found later only with try_acquire(). First come, first served; deterministic.
class KeyLocks {
 private:
  struct Ticket;
  struct State;

 public:
  explicit KeyLocks(Executor executor);
  KeyLocks(const KeyLocks&) = delete;
  KeyLocks& operator=(const KeyLocks&) = delete;

  /// Releases when destroyed; may outlive the KeyLocks.
  class Guard {
   public:
    Guard() = default;
    Guard(Guard&& other) noexcept;
    Guard& operator=(Guard&& other) noexcept;
    ~Guard() { release(); }
    void release();
    bool held() const { return state_ != nullptr; }

   private:
    friend class KeyLocks;
    Guard(std::shared_ptr<State> state, std::shared_ptr<Ticket> ticket)
        : state_(std::move(state)), ticket_(std::move(ticket)) {}
    std::shared_ptr<State> state_;
    std::shared_ptr<Ticket> ticket_;
  };

  /// A key named twice is taken once, in the stronger mode.
  Task<Guard> acquire(std::vector<LockRequest> requests);
  /// As acquire(), but Errc::busy after `deadline`.
  Task<Guard> acquire_until(std::vector<LockRequest> requests, Clock& clock, TimePoint deadline);
  /// Takes all or none, at once.
  std::optional<Guard> try_acquire(std::vector<LockRequest> requests);

  /// Keys that are held or waited for.
  size_t key_count() const;

 private:
  static Task<Guard> wait_for(std::shared_ptr<State> state, std::shared_ptr<Ticket> ticket);
  static Task<Guard> wait_until(std::shared_ptr<State> state, std::shared_ptr<Ticket> ticket,
                                Clock& clock, TimePoint deadline);
  std::shared_ptr<State> state_;
};

}  // namespace turbine::meta
