#include "etcd/leader_election.hpp"

#include "base/log.hpp"

namespace turbine::etcd {

using std::chrono::seconds;

LeaderElection::LeaderElection(EtcdStore& store, Clock& clock, ElectionOptions options)
    : store_(store),
      clock_(clock),
      options_(std::move(options)),
      gate_(clock.executor()),
      wake_(clock.executor()) {}

void LeaderElection::start(std::function<void(uint64_t)> won, std::function<void()> lost) {
  won_ = std::move(won);
  lost_ = std::move(lost);
  gate_.spawn("leader election", campaign_for_ever());
}

Task<> LeaderElection::stop() {
  stopping_ = true;
  wake_.notify_all();
  co_return co_await gate_.close();
}

void LeaderElection::step_down() {
  stepping_down_ = true;
  wake_.notify_all();
}

Task<> LeaderElection::pause(Duration duration) {
  const TimePoint until = clock_.now() + duration;
  const TimerId timer = clock_.call_at(until, [this] { wake_.notify_all(); });
  while (!stopping_ && !stepping_down_ && clock_.now() < until) CO_TRY(co_await wake_.wait());
  clock_.cancel(timer);
  co_return Result<>{};
}

Task<> LeaderElection::campaign_for_ever() {
  std::string said;
  while (!stopping_) {
    const Result<> ended = co_await campaign();
    if (stopping_) break;
    if (!ended.ok() && ended.error().context != said) {
      log::warn("no part in leading the array: {}", ended.error().text());
    }
    said = ended.ok() ? "" : ended.error().context;
    CO_TRY(co_await pause(options_.look));
    stepping_down_ = false;
  }
  co_return Result<>{};
}

/// One look at the record and, where there is none, one try to write it.
Task<> LeaderElection::campaign() {
  const auto record = co_await store_.get(options_.key);
  if (!record.ok()) {
    leader_.clear();
    co_return fail(record.error());
  }
  leader_ = *record ? (*record)->value : "";
  if (*record) co_return Result<>{};
  const TimePoint granted = clock_.now();
  const std::string lease = CO_TRY(co_await store_.grant_lease(options_.ttl));
  const Result<uint64_t> put = co_await store_.put_leased(options_.key, options_.name, lease);
  if (put.ok()) co_return co_await lead(lease, granted, *put);
  // Also when the outcome is not known: what may have been written goes with the lease.
  const Result<> revoked = co_await store_.revoke_lease(lease);
  if (!revoked.ok()) log::debug("revoking a lease: {}", revoked.error().text());
  if (put.failed_with(Errc::conflict)) co_return Result<>{};
  co_return fail(put.error());
}

Task<> LeaderElection::lead(std::string lease, TimePoint granted, uint64_t revision) {
  leader_ = options_.name;
  log::info("this manager leads now");
  won_(revision);
  const Result<> ended = co_await keep(lease, granted);
  leader_.clear();
  if (!stopping_) {
    log::warn("this manager leads no longer: {}",
              ended.ok() ? "another wrote to the store" : ended.error().context);
    lost_();
  }
  const Result<> revoked = co_await store_.revoke_lease(lease);
  if (!revoked.ok()) log::info("the lease ends by itself: {}", revoked.error().text());
  co_return Result<>{};
}

/// Returns when leading ends.
Task<> LeaderElection::keep(std::string lease, TimePoint granted) {
  TimePoint end = granted + options_.ttl;
  std::string trouble = "the cluster store did not answer in time";
  while (!stopping_ && !stepping_down_) {
    CO_TRY(co_await pause(std::min<Duration>(options_.ttl / 4, end - clock_.now())));
    if (stopping_ || stepping_down_) break;
    const TimePoint asked = clock_.now();
    if (asked >= end) co_return fail(Errc::timeout, "{}", trouble);
    const auto left = co_await store_.keep_alive(lease, end);
    if (!left.ok()) {
      trouble = left.error().context;
    } else if (*left == seconds(0)) {
      co_return fail(Errc::unavailable, "its lease had ended");
    } else {
      end = asked + std::min<Duration>(*left, options_.ttl);
    }
  }
  co_return Result<>{};
}

}  // namespace turbine::etcd
