// Rng: the seam to randomness. Simulation passes a seeded one; processes seed from the system.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/buffer.hpp"

namespace turbine {

/// xoshiro256++ (Blackman, Vigna 2019). Not for secrets: see secure_random().
class Rng {
 public:
  explicit Rng(uint64_t seed);
  uint64_t next();
  /// Uniform in [0, bound); bound > 0.
  uint64_t below(uint64_t bound);
  /// True with probability numerator/denominator.
  bool chance(uint64_t numerator, uint64_t denominator) { return below(denominator) < numerator; }
  void fill(MutableByteView bytes);
  using result_type = uint64_t;
  static constexpr uint64_t min() { return 0; }
  static constexpr uint64_t max() { return ~uint64_t{0}; }
  uint64_t operator()() { return next(); }

 private:
  std::array<uint64_t, 4> state_;
};

/// Fills `bytes` from the system's cryptographic source (getrandom). For keys, tokens, ids.
void secure_random(MutableByteView bytes);
uint64_t secure_random_u64();
/// `count` characters out of [A-Za-z0-9], cryptographically random.
std::string secure_random_text(size_t count);

}  // namespace turbine
