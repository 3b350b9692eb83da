// LockService: what the lock programs of one gateway share, and who waits for locks here.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "base/async.hpp"
#include "fs/locks.hpp"
#include "nfs/nlm4.hpp"
#include "nfs/rpc_caller.hpp"

namespace turbine::nfs {

/// A lock that a client waits for, as it will be told.
struct LockWaiter {
  RpcPeer client;
  Nlm4Lock as_named;  // by the client, which knows it by that
  fs::FileLock lock;
  uint32_t state = 0;
};

/// Waits in the array for locks that were refused to clients, and calls the clients back with
/// GRANTED when the array has given them. What a client does not accept is given back. Nothing here
/// outlives the gateway: a client that waits asks again now and then (Linux: every 30 s), through
/// whatever gateway. One per process and reactor; stop() before the destruction; `locks` and
/// `clock` outlive it.
class LockService {
 public:
  struct Options {
    size_t waiters_max = 512;  // each has a call under way; a blade takes 1024 of a gateway
    size_t waiters_of_client_max = 128;
    RpcCallerOptions calls{};
    Duration call_again = std::chrono::seconds(1);  // after a call that failed, doubled each time
    Duration give_up = std::chrono::seconds(60);    // for a client that can't be told
    Duration ask_again = std::chrono::milliseconds(200);  // the array, when it can't answer
  };

  LockService(fs::Locks& locks, Clock& clock, Options options);
  LockService(fs::Locks& locks, Clock& clock) : LockService(locks, clock, Options{}) {}
  LockService(const LockService&) = delete;
  LockService& operator=(const LockService&) = delete;
  ~LockService();

  fs::Locks& locks() { return locks_; }

  /// From now on waits for it, unless it does already. False: too many wait.
  bool wait_for(LockWaiter waiter);
  /// The owner does not wait for bytes of it any more: it has them, or no longer wants them.
  void forget(const fs::FileLock& lock);
  /// Calls a procedure of the client's lock manager, which needs no answer.
  void send(RpcPeer client, uint32_t procedure, std::string arguments);

  /// Nobody waits here any more; returns when the last call under way has ended.
  Task<> stop();
  size_t waiting() const { return waiters_.size(); }

 private:
  struct Waiter {
    LockWaiter what;
    uint64_t claim = 0;
    TimePoint since{};
    bool forgotten = false;
  };
  using WaiterPtr = std::shared_ptr<Waiter>;

  Task<> serve(WaiterPtr waiter);
  /// Whether the lock was given to it.
  Task<bool> wait_in_array(WaiterPtr waiter);
  /// Whether the client has accepted it.
  Task<bool> tell(WaiterPtr waiter);
  Task<> send_now(RpcPeer client, uint32_t procedure, std::string arguments);
  Task<> pause(Duration duration);

  fs::Locks& locks_;
  Clock& clock_;
  const Options options_;
  Gate gate_;
  std::list<WaiterPtr> waiters_;
  bool stopping_ = false;
  std::vector<OneShot<>> pauses_;
};

}  // namespace turbine::nfs
