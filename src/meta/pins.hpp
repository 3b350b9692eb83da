// Pins: contents that readers hold on to; in memory of the primary only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "base/clock.hpp"
#include "base/ids.hpp"

namespace turbine::meta {

/// A pin keeps the stripes that its content had when it was taken. One reactor thread.
class Pins {
 public:
  struct Pin {
    SessionId session;
    InodeId inode;
    uint64_t content = 0;
    uint64_t content_version = 0;
    uint64_t size = 0;
    uint64_t lsn = 0;  // applied when it was taken
    TimePoint taken{};
  };
  uint64_t add(Pin pin) {
    pins_.emplace(++last_, pin);
    return last_;
  }
  void release(SessionId session, uint64_t id) {
    const auto found = pins_.find(id);
    if (found != pins_.end() && found->second.session == session) pins_.erase(found);
  }
  void end_session(SessionId session) {
    std::erase_if(pins_, [&](const auto& item) { return item.second.session == session; });
  }
  void expire(TimePoint taken_before) {
    std::erase_if(pins_, [&](const auto& item) { return item.second.taken < taken_before; });
  }
  bool holds(uint64_t content) const {
    for (const auto& [id, pin] : pins_) {
      if (pin.content == content) return true;
    }
    return false;
  }
  const Pin* find(InodeId inode, uint64_t content_version) const {
    for (const auto& [id, pin] : pins_) {
      if (pin.inode == inode && pin.content_version == content_version) return &pin;
    }
    return nullptr;
  }
  /// What became free at this LSN or later waits.
  uint64_t oldest_lsn() const { return pins_.empty() ? ~uint64_t{0} : pins_.begin()->second.lsn; }
  size_t size() const { return pins_.size(); }

 private:
  uint64_t last_ = 0;
  std::map<uint64_t, Pin> pins_;  // by id, hence by age
};

}  // namespace turbine::meta
