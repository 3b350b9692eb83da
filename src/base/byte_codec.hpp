// Reading and writing of fixed-width integers and length-prefixed strings in byte strings.
// Keys use big-endian (their byte order is their sort order), records on disk little-endian.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/buffer.hpp"
#include "base/result.hpp"

namespace turbine {

static_assert(std::endian::native == std::endian::little);

template <std::unsigned_integral T>
void append_le(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <std::unsigned_integral T>
void append_be(std::string& out, T value) {
  if constexpr (sizeof(T) > 1) value = std::byteswap(value);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <std::unsigned_integral T>
T load_le(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
template <std::unsigned_integral T>
T load_be(const void* from) {
  T value = load_le<T>(from);
  if constexpr (sizeof(T) > 1) value = std::byteswap(value);
  return value;
}
template <std::unsigned_integral T>
void store_le(void* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

/// Takes fields off the front of a byte string; every length is checked before it is used.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}
  explicit ByteReader(ByteView bytes) : rest_(as_text(bytes)) {}

  template <std::unsigned_integral T>
  Result<T> le() {
    if (rest_.size() < sizeof(T)) return truncated(sizeof(T));
    const T value = load_le<T>(rest_.data());
    rest_.remove_prefix(sizeof(T));
    return value;
  }
  template <std::unsigned_integral T>
  Result<T> be() {
    if (rest_.size() < sizeof(T)) return truncated(sizeof(T));
    const T value = load_be<T>(rest_.data());
    rest_.remove_prefix(sizeof(T));
    return value;
  }
  Result<std::string_view> take(size_t count) {
    if (rest_.size() < count) return truncated(count);
    const std::string_view bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return bytes;
  }
  std::string_view rest() const { return rest_; }
  bool empty() const { return rest_.empty(); }

 private:
  std::unexpected<Error> truncated(size_t wanted) const {
    return fail(Errc::corrupt, "record ends early: {} bytes wanted, {} left", wanted, rest_.size());
  }
  std::string_view rest_;
};

}  // namespace turbine
