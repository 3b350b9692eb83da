// Trace: what happened in a simulated run, as lines, and the hash of them.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/hash.hpp"

namespace turbine::sim {

/// Two runs of one seed have the same hash; that is what "replays exactly" means. Also keeps what
/// went wrong: the first complaints of the checkers.
class Trace {
 public:
  Trace(const Clock& clock, bool print) : clock_(clock), print_(print) {}

  template <class... Args>
  void note(fmt::format_string<Args...> format, Args&&... args) {
    add(fmt::format(format, std::forward<Args>(args)...));
  }
  /// The run has failed. The first complaint is the one to look at.
  template <class... Args>
  void complain(fmt::format_string<Args...> format, Args&&... args) {
    complaints_.push_back(fmt::format(format, std::forward<Args>(args)...));
    add("FAILED: " + complaints_.back());
  }
  uint64_t hash() const { return hash_; }
  bool failed() const { return !complaints_.empty(); }
  const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  void add(const std::string& text) {
    const auto now = static_cast<uint64_t>(clock_.now().time_since_epoch().count());
    hash_ = hash64(as_bytes(text), hash_ ^ now);
    if (!print_) return;
    fmt::print("{:5}.{:06} {}\n", now / 1'000'000'000, now / 1000 % 1'000'000, text);
    std::fflush(stdout);
  }

  const Clock& clock_;
  const bool print_;
  uint64_t hash_ = 0;
  std::vector<std::string> complaints_;
};

}  // namespace turbine::sim
