#include "base/rng.hpp"

#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.hpp"

namespace turbine {

Rng::Rng(uint64_t seed) : state_{} {
  for (uint64_t& word : state_) {  // splitmix64
    seed += 0x9E3779B97F4A7C15ULL;
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    word = z ^ (z >> 31);
  }
}

uint64_t Rng::next() {
  const uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

uint64_t Rng::below(uint64_t bound) {
  CHECK(bound > 0);
  return static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
}

void Rng::fill(MutableByteView bytes) {
  while (!bytes.empty()) {
    const uint64_t word = next();
    const size_t count = std::min(bytes.size(), sizeof word);
    std::memcpy(bytes.data(), &word, count);
    bytes = bytes.subspan(count);
  }
}

void secure_random(MutableByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::getrandom(bytes.data(), bytes.size(), 0);
    CHECK(count > 0);
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
}

uint64_t secure_random_u64() {
  uint64_t value = 0;
  secure_random({reinterpret_cast<std::byte*>(&value), sizeof value});
  return value;
}

std::string secure_random_text(size_t count) {
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string text;
  while (text.size() < count) {
    uint8_t byte = 0;
    secure_random({reinterpret_cast<std::byte*>(&byte), 1});
    if (byte < 248) text.push_back(kAlphabet[byte % kAlphabet.size()]);  // 248 = 4 × 62: no bias
  }
  return text;
}

}  // namespace turbine
