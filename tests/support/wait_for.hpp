// wait_for: until a condition holds that coroutines of a reactor bring about.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>

#include "io/reactor.hpp"

namespace turbine::support {

/// Lets the reactor run until `done`, which may itself run it; false after half a minute.
inline bool wait_for(io::Reactor& reactor, const std::function<bool()>& done) {
  const TimePoint end = reactor.clock().now() + std::chrono::seconds(30);
  while (!done()) {
    if (reactor.clock().now() > end) return false;
    EXPECT_TRUE(reactor.run(reactor.clock().sleep_for(std::chrono::milliseconds(2))).ok());
  }
  return true;
}

}  // namespace turbine::support
