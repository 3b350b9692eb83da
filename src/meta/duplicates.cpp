#include "meta/duplicates.hpp"

namespace turbine::meta {

std::shared_ptr<Duplicates::Running> Duplicates::running(RequestId id) const {
  const auto found = running_.find(id);
  return found == running_.end() ? nullptr : found->second;
}

void Duplicates::begin(RequestId id) {
  running_.emplace(id, std::make_shared<Running>(clock_.executor()));
}

std::shared_ptr<Duplicates::Running> Duplicates::take(RequestId id) {
  const auto found = running_.find(id);
  std::shared_ptr<Running> taken = std::move(found->second);
  running_.erase(found);
  return taken;
}

void Duplicates::forget_old(TimePoint now) {
  while (!order_.empty() && order_.front().first + kept_ < now) {
    answered_.erase(order_.front().second);
    order_.pop_front();
  }
}

void Duplicates::end(RequestId id) {
  take(id)->ended.notify_all();
}

void Duplicates::end(RequestId id, Outcome outcome, bool remember) {
  const TimePoint now = clock_.now();
  forget_old(now);
  if (remember && answered_.insert_or_assign(id, outcome).second) order_.emplace_back(now, id);
  const std::shared_ptr<Running> ended = take(id);
  ended->outcome = std::move(outcome);
  ended->ended.notify_all();
}

const Outcome* Duplicates::answered(RequestId id) const {
  const auto found = answered_.find(id);
  return found == answered_.end() ? nullptr : &found->second;
}

}  // namespace turbine::meta
