// Types that XDR (RFC 4506) has and C++ has not.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "base/buffer.hpp"

namespace turbine::nfs {

/// opaque<kMax>, held in place.
template <size_t kMax>
struct ShortOpaque {
  std::array<std::byte, kMax> bytes;
  uint32_t size = 0;  // ≤ kMax

  ByteView view() const { return {bytes.data(), size}; }
  void assign(ByteView from) {
    CHECK(from.size() <= kMax);
    size = static_cast<uint32_t>(from.size());
    if (!from.empty()) std::memcpy(bytes.data(), from.data(), from.size());
  }
};

/// opaque<kMax> or string<kMax> of which most are short.
template <size_t kMax>
struct BoundedOpaque {
  std::string bytes;  // ≤ kMax
  bool operator==(const BoundedOpaque&) const = default;
};

/// A linked list of optional data (RFC 4506 section 4.19).
template <class T>
struct XdrList {
  std::vector<T> items;
};

inline constexpr size_t xdr_padded(size_t size) {
  return (size + 3) & ~size_t{3};
}

namespace xdr_detail {
template <class E>
concept Enum = std::is_enum_v<E>;
/// An enum that names its values: `bool is_valid(E)` beside it. Others take any number.
template <class E>
concept CheckedEnum = Enum<E> && requires(E e) { is_valid(e); };
}  // namespace xdr_detail

}  // namespace turbine::nfs
