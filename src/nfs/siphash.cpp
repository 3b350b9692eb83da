#include "nfs/siphash.hpp"

#include <bit>

#include "base/byte_codec.hpp"

namespace turbine::nfs {
namespace {

struct State {
  uint64_t a, b, c, d;

  void rounds(int count) {
    for (int i = 0; i < count; ++i) {
      a += b;
      c += d;
      b = std::rotl(b, 13) ^ a;
      d = std::rotl(d, 16) ^ c;
      a = std::rotl(a, 32);
      c += b;
      a += d;
      b = std::rotl(b, 17) ^ c;
      d = std::rotl(d, 21) ^ a;
      c = std::rotl(c, 32);
    }
  }
  void take(uint64_t word) {
    d ^= word;
    rounds(2);
    a ^= word;
  }
};

}  // namespace

uint64_t siphash24(const SipKey& key, ByteView message) {
  const auto k0 = load_le<uint64_t>(key.data());
  const auto k1 = load_le<uint64_t>(key.data() + 8);
  State state{k0 ^ 0x736F6D6570736575ULL, k1 ^ 0x646F72616E646F6DULL, k0 ^ 0x6C7967656E657261ULL,
              k1 ^ 0x7465646279746573ULL};
  uint64_t last = uint64_t{message.size()} << 56;
  for (; message.size() >= 8; message = message.subspan(8)) {
    state.take(load_le<uint64_t>(message.data()));
  }
  for (size_t i = 0; i < message.size(); ++i) {
    last |= std::to_integer<uint64_t>(message[i]) << (8 * i);
  }
  state.take(last);
  state.c ^= 0xFF;
  state.rounds(4);
  return state.a ^ state.b ^ state.c ^ state.d;
}

}  // namespace turbine::nfs
