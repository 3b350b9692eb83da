#include "nfs/lock_service.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace turbine::nfs {
namespace {

bool passes_by_waiting(Errc code) {
  return to_nfsstat3(code) == Nfsstat3::jukebox;
}

bool overlap(const fs::FileLock& a, const fs::FileLock& b) {
  return a.file == b.file && a.owner == b.owner && a.span.begin < b.span.end &&
         b.span.begin < a.span.end;
}

}  // namespace

LockService::LockService(fs::Locks& locks, Clock& clock, Options options)
    : locks_(locks), clock_(clock), options_(options), gate_(clock.executor()) {}

LockService::~LockService() = default;

bool LockService::wait_for(LockWaiter waiter) {
  size_t of_client = 0;
  for (const WaiterPtr& other : waiters_) {
    if (other->forgotten) continue;
    const fs::FileLock& lock = other->what.lock;
    if (lock.owner.address == waiter.lock.owner.address) ++of_client;
    if (lock.file == waiter.lock.file && lock.owner == waiter.lock.owner &&
        lock.span == waiter.lock.span && lock.exclusive == waiter.lock.exclusive) {
      other->what.client = waiter.client;
      return true;
    }
  }
  const bool full = waiters_.size() >= options_.waiters_max;
  if (stopping_ || full || of_client >= options_.waiters_of_client_max) return false;
  auto added = std::make_shared<Waiter>();
  added->what = std::move(waiter);
  added->claim = locks_.new_claim();
  added->since = clock_.now();
  waiters_.push_back(added);
  gate_.spawn("nfs lock waiter", serve(std::move(added)));
  return true;
}

void LockService::forget(const fs::FileLock& lock) {
  for (const WaiterPtr& waiter : waiters_) {
    if (overlap(waiter->what.lock, lock)) waiter->forgotten = true;
  }
}

Task<> LockService::serve(WaiterPtr waiter) {
  const auto given = co_await wait_in_array(waiter);
  if (given.ok() && *given) {
    const auto told = co_await tell(waiter);
    if (!told.ok() || !*told) {
      // Whatever the owner has asked for itself meanwhile stays.
      const auto back = co_await locks_.give_back(waiter->what.lock, waiter->claim);
      if (!back.ok()) {
        log::warn(
            "nfs: a lock of {} in file {} stays until the client unlocks it or asks again: {}",
            waiter->what.lock.owner.address, waiter->what.lock.file, back.error().text());
      }
    }
  }
  std::erase(waiters_, waiter);
  co_return Result<>{};
}

Task<bool> LockService::wait_in_array(WaiterPtr waiter) {
  const LockWaiter& what = waiter->what;
  while (!stopping_ && !waiter->forgotten) {
    const auto verdict = co_await locks_.wait(what.lock, what.state, waiter->claim, waiter->since);
    if (!verdict.ok()) {
      if (!passes_by_waiting(verdict.error().code)) co_return false;
      CO_TRY(co_await pause(options_.ask_again));
    } else if (*verdict == fs::WaitVerdict::granted) {
      co_return true;
    } else if (*verdict != fs::WaitVerdict::waiting) {
      co_return false;  // the client hears of it when it asks again
    }
  }
  co_return false;
}

Task<bool> LockService::tell(WaiterPtr waiter) {
  Nlm4TestArgs args;
  args.cookie.bytes = fmt::format("{:016x}", waiter->claim);
  args.exclusive = waiter->what.lock.exclusive;
  args.lock = waiter->what.as_named;
  const TimePoint until = clock_.now() + options_.give_up;
  for (Duration again = options_.call_again; !waiter->forgotten; again *= 2) {
    const auto answer = co_await call_host(clock_, waiter->what.client, kNlmProgram, kNlmVersion,
                                           kNlmGranted, xdr_text(args), options_.calls);
    if (answer.ok()) {
      XdrReader reader(*answer);
      Nlm4Result result;
      reader(result);
      if (!reader.finished()) co_return false;
      if (result.stat != Nlm4Stats::denied_grace_period) {
        co_return result.stat == Nlm4Stats::granted;
      }
    } else {
      log::info("nfs: client {} can't be told that it has a lock: {}",
                waiter->what.lock.owner.address, answer.error().text());
    }
    if (stopping_ || clock_.now() + again >= until) break;
    CO_TRY(co_await pause(again));
  }
  co_return false;
}

void LockService::send(RpcPeer client, uint32_t procedure, std::string arguments) {
  gate_.spawn("nfs lock result", send_now(std::move(client), procedure, std::move(arguments)));
}

Task<> LockService::send_now(RpcPeer client, uint32_t procedure, std::string arguments) {
  const std::string address = client.address.to_string();
  const auto sent = co_await call_host(clock_, std::move(client), kNlmProgram, kNlmVersion,
                                       procedure, std::move(arguments), options_.calls);
  // The client sends its message again.
  if (!sent.ok()) {
    log::info("nfs: client {} does not get the result of a lock message: {}", address,
              sent.error().text());
  }
  co_return Result<>{};
}

Task<> LockService::pause(Duration duration) {
  if (stopping_) co_return Result<>{};
  std::erase_if(pauses_, [](const OneShot<>& pause) { return pause.is_set(); });
  OneShot<> pause(clock_.executor());
  pauses_.push_back(pause);
  (void)co_await pause.wait_until(clock_, clock_.now() + duration);
  co_return Result<>{};
}

Task<> LockService::stop() {
  stopping_ = true;
  for (OneShot<>& pause : pauses_) pause.set({});
  co_return co_await gate_.close();
}

}  // namespace turbine::nfs
