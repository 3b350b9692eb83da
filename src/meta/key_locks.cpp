#include "meta/key_locks.hpp"

#include <algorithm>
#include <list>
#include <utility>

namespace turbine::meta {

struct KeyLocks::Ticket {
  explicit Ticket(Executor executor) : granted(executor) {}
  std::vector<LockRequest> requests;  // sorted, each key once
  size_t waiting_in = 0;              // queues where somebody incompatible is before it
  OneShot<> granted;
};

/// Each key has one queue of tickets in order of arrival; those at its front that are compatible
/// with each other hold it.
struct KeyLocks::State {
  struct Place {
    std::shared_ptr<Ticket> ticket;
    bool exclusive;
    bool holds;
  };
  struct Queue {
    std::list<Place> places;
  };

  explicit State(Executor e) : executor(e) {}
  Executor executor;
  std::map<LockKey, Queue> queues;

  void enqueue(const std::shared_ptr<Ticket>& ticket) {
    for (const LockRequest& request : ticket->requests) {
      Queue& queue = queues[request.key];
      const bool holds = could_hold(queue, request.exclusive);
      if (!holds) ++ticket->waiting_in;
      queue.places.push_back({ticket, request.exclusive, holds});
    }
    if (ticket->waiting_in == 0) ticket->granted.set({});
  }

  static bool could_hold(const Queue& queue, bool exclusive) {
    if (queue.places.empty()) return true;
    if (exclusive) return false;
    return std::ranges::all_of(queue.places,
                               [](const Place& p) { return p.holds && !p.exclusive; });
  }

  void leave(const std::shared_ptr<Ticket>& ticket) {
    for (const LockRequest& request : ticket->requests) {
      const auto found = queues.find(request.key);
      auto& places = found->second.places;
      places.remove_if([&](const Place& place) { return place.ticket == ticket; });
      if (places.empty()) {
        queues.erase(found);
      } else {
        promote(places);
      }
    }
  }

  static void promote(std::list<Place>& places) {
    bool first = true;
    for (Place& place : places) {
      if (place.exclusive && !first) return;
      if (!place.holds) {
        place.holds = true;
        if (--place.ticket->waiting_in == 0) place.ticket->granted.set({});
      }
      if (place.exclusive) return;
      first = false;
    }
  }
};

namespace {

std::vector<LockRequest> normalised(std::vector<LockRequest> requests) {
  std::ranges::sort(requests, {}, &LockRequest::key);
  std::vector<LockRequest> out;
  for (LockRequest& request : requests) {
    if (!out.empty() && out.back().key == request.key) {
      out.back().exclusive |= request.exclusive;
    } else {
      out.push_back(std::move(request));
    }
  }
  return out;
}

}  // namespace

KeyLocks::KeyLocks(Executor executor) : state_(std::make_shared<State>(executor)) {}

KeyLocks::Guard::Guard(Guard&& other) noexcept
    : state_(std::exchange(other.state_, nullptr)), ticket_(std::move(other.ticket_)) {}

KeyLocks::Guard& KeyLocks::Guard::operator=(Guard&& other) noexcept {
  if (this != &other) {
    release();
    state_ = std::exchange(other.state_, nullptr);
    ticket_ = std::move(other.ticket_);
  }
  return *this;
}

void KeyLocks::Guard::release() {
  if (state_ == nullptr) return;
  std::exchange(state_, nullptr)->leave(ticket_);
  ticket_.reset();
}

Task<KeyLocks::Guard> KeyLocks::acquire(std::vector<LockRequest> requests) {
  auto ticket = std::make_shared<Ticket>(state_->executor);
  ticket->requests = normalised(std::move(requests));
  state_->enqueue(ticket);
  return wait_for(state_, std::move(ticket));
}

Task<KeyLocks::Guard> KeyLocks::wait_for(std::shared_ptr<State> state,
                                         std::shared_ptr<Ticket> ticket) {
  Guard guard(state, ticket);
  if (!ticket->granted.is_set()) CO_TRY(co_await ticket->granted.wait());
  co_return std::move(guard);
}

Task<KeyLocks::Guard> KeyLocks::acquire_until(std::vector<LockRequest> requests, Clock& clock,
                                              TimePoint deadline) {
  auto ticket = std::make_shared<Ticket>(state_->executor);
  ticket->requests = normalised(std::move(requests));
  state_->enqueue(ticket);
  return wait_until(state_, std::move(ticket), clock, deadline);
}

Task<KeyLocks::Guard> KeyLocks::wait_until(std::shared_ptr<State> state,
                                           std::shared_ptr<Ticket> ticket, Clock& clock,
                                           TimePoint deadline) {
  Guard guard(state, ticket);
  if (!ticket->granted.is_set()) {
    const Result<> granted = co_await ticket->granted.wait_until(clock, deadline);
    if (!granted.ok()) {
      const LockKey& key = ticket->requests.front().key;
      co_return fail(Errc::busy, "keys of inode {} (first \"{}\") are locked by others", key.inode,
                     key.name);
    }
  }
  co_return std::move(guard);
}

std::optional<KeyLocks::Guard> KeyLocks::try_acquire(std::vector<LockRequest> requests) {
  auto ticket = std::make_shared<Ticket>(state_->executor);
  ticket->requests = normalised(std::move(requests));
  for (const LockRequest& request : ticket->requests) {
    const auto found = state_->queues.find(request.key);
    if (found != state_->queues.end() && !State::could_hold(found->second, request.exclusive)) {
      return std::nullopt;
    }
  }
  state_->enqueue(ticket);
  return Guard(state_, std::move(ticket));
}

size_t KeyLocks::key_count() const {
  return state_->queues.size();
}

}  // namespace turbine::meta
