// What the guest's programs share: failing loudly, and random numbers from a printed seed.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <string_view>

namespace turbine::kernel_test {

/// A line on standard output, at once: the host waits for some of them.
template <class... Args>
void say(fmt::format_string<Args...> format, Args&&... args) {
  fmt::print(format, std::forward<Args>(args)...);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

/// Says what went wrong and ends the process with 1.
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  say("FAILED: {}", fmt::format(format, std::forward<Args>(args)...));
  std::_Exit(1);
}

/// As fail(), with what errno says.
template <class... Args>
[[noreturn]] void fail_errno(fmt::format_string<Args...> format, Args&&... args) {
  const int code = errno;
  fail("{}: {}", fmt::format(format, std::forward<Args>(args)...), std::strerror(code));
}

/// The VALUE of `--NAME=VALUE`, or nothing; that of `--NAME` alone is "1".
inline std::string_view text_option(int argc, char** argv, std::string_view name) {
  const std::string prefix = fmt::format("--{}", name);
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == prefix) return "1";
    if (word.starts_with(prefix + "=")) return word.substr(prefix.size() + 1);
  }
  return {};
}

/// The number that `--NAME=NUMBER` gives, or `fallback`.
inline uint64_t number_option(int argc, char** argv, std::string_view name, uint64_t fallback) {
  const std::string_view digits = text_option(argc, argv, name);
  if (digits.empty()) return fallback;
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size())
    fail("--{}={}: not a number", name, digits);
  return value;
}

using Dice = std::mt19937_64;

/// Uniform in [0, bound); bound > 0.
inline uint64_t below(Dice& dice, uint64_t bound) {
  return std::uniform_int_distribution<uint64_t>(0, bound - 1)(dice);
}

/// `--seed=N`, or a random one; prints it, so that a run can be repeated.
inline uint64_t seed_option(int argc, char** argv) {
  const uint64_t seed = number_option(argc, argv, "seed", std::random_device()());
  say("seed {}", seed);
  return seed;
}

/// Says how far the work is, once a second: lines "progress N".
class Progress {
 public:
  void add(uint64_t count = 1) {
    done_ += count;
    const auto now = std::chrono::steady_clock::now();
    if (now - said_ < std::chrono::seconds(1)) return;
    said_ = now;
    say("progress {}", done_);
  }
  uint64_t done() const { return done_; }

 private:
  uint64_t done_ = 0;
  std::chrono::steady_clock::time_point said_ = std::chrono::steady_clock::now();
};

/// `--operations=N`, `--seconds=S` (0: no bound) or `--until=PATH` (that it exists, outside of the
/// mount): whichever comes first.
class Bound {
 public:
  Bound(int argc, char** argv, uint64_t operations)
      : until_(text_option(argc, argv, "until")),
        seconds_(number_option(argc, argv, "seconds", 0)),
        operations_(number_option(argc, argv, "operations",
                                  seconds_ || !until_.empty() ? 0 : operations)) {}
  bool reached(uint64_t operations) const {
    const auto passed = std::chrono::steady_clock::now() - begin_;
    return (operations_ && operations >= operations_) ||
           (seconds_ && passed >= std::chrono::seconds(seconds_)) ||
           (!until_.empty() && ::access(until_.c_str(), F_OK) == 0);
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::string until_;
  uint64_t seconds_, operations_;
};

}  // namespace turbine::kernel_test
