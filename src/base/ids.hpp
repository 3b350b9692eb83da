// Strong identifiers: mixing two kinds up does not compile.
#pragma once

#include <fmt/format.h>

#include <compare>
#include <cstdint>
#include <functional>

namespace turbine {

template <class Tag, class Value>
struct StrongId {
  Value value{};
  constexpr StrongId() = default;
  constexpr explicit StrongId(Value v) : value(v) {}
  constexpr auto operator<=>(const StrongId&) const = default;
};

using BladeId = StrongId<struct BladeIdTag, uint32_t>;          // 1, 2, …; 0 is nobody
using PartitionId = StrongId<struct PartitionIdTag, uint32_t>;  // 0 … P-1, P ≤ 4096
using Epoch = StrongId<struct EpochTag, uint64_t>;              // version of the cluster map
using Term = StrongId<struct TermTag, uint64_t>;                // version of one replica set
using Lsn = StrongId<struct LsnTag, uint64_t>;  // place of an entry in its partition's log
using SessionId = StrongId<struct SessionIdTag, uint64_t>;  // a gateway's process
using GroupId = StrongId<struct GroupIdTag, uint32_t>;      // placement group within a layout

/// Bits of InodeId and StripeId above the number: the partition.
inline constexpr int kPartitionShift = 52;
inline constexpr uint64_t kNumberMask = (uint64_t{1} << kPartitionShift) - 1;

/// An inode: 12 bits partition, 52 bits number. The number is never reused, so a handle survives
/// rename, blade loss and rebalance. The root directory is partition 0, number 1.
struct InodeId : StrongId<struct InodeIdTag, uint64_t> {
  using StrongId::StrongId;
  static constexpr InodeId make(PartitionId partition, uint64_t number) {
    return InodeId((uint64_t{partition.value} << kPartitionShift) | (number & kNumberMask));
  }
  constexpr PartitionId partition() const {
    return PartitionId(static_cast<uint32_t>(value >> kPartitionShift));
  }
  constexpr uint64_t number() const { return value & kNumberMask; }
};
inline constexpr InodeId kRootInode = InodeId::make(PartitionId(0), 1);

/// A stripe: home partition and a number leased in ranges to gateway sessions; used once.
struct StripeId : StrongId<struct StripeIdTag, uint64_t> {
  using StrongId::StrongId;
  static constexpr StripeId make(PartitionId home, uint64_t number) {
    return StripeId((uint64_t{home.value} << kPartitionShift) | (number & kNumberMask));
  }
  constexpr PartitionId home() const {
    return PartitionId(static_cast<uint32_t>(value >> kPartitionShift));
  }
  constexpr uint64_t number() const { return value & kNumberMask; }
};

/// One shard of a stripe. `index` 0 … k-1 data, k … k+m-1 parity.
struct ShardId {
  StripeId stripe;
  uint8_t index = 0;
  constexpr auto operator<=>(const ShardId&) const = default;
};

/// Identity of a request for exactly-once execution: who sent it and its number there.
struct RequestId {
  SessionId session;
  uint64_t sequence = 0;
  constexpr auto operator<=>(const RequestId&) const = default;
};

}  // namespace turbine

namespace turbine::ids_detail {
inline size_t mix(uint64_t value) {
  value *= 0x9E3779B97F4A7C15ULL;
  return static_cast<size_t>(value ^ (value >> 29));
}
}  // namespace turbine::ids_detail

template <class Tag, class Value>
struct std::hash<turbine::StrongId<Tag, Value>> {
  size_t operator()(const turbine::StrongId<Tag, Value>& id) const {
    return turbine::ids_detail::mix(id.value);
  }
};
template <>
struct std::hash<turbine::InodeId> {
  size_t operator()(const turbine::InodeId& id) const { return turbine::ids_detail::mix(id.value); }
};
template <>
struct std::hash<turbine::StripeId> {
  size_t operator()(const turbine::StripeId& id) const {
    return turbine::ids_detail::mix(id.value);
  }
};
template <>
struct std::hash<turbine::ShardId> {
  size_t operator()(const turbine::ShardId& id) const {
    return turbine::ids_detail::mix(id.stripe.value * 31 + id.index);
  }
};
template <>
struct std::hash<turbine::RequestId> {
  size_t operator()(const turbine::RequestId& id) const {
    return turbine::ids_detail::mix(id.session.value * 0x100000001B3ULL + id.sequence);
  }
};

template <class Tag, class Value>
struct fmt::formatter<turbine::StrongId<Tag, Value>> : fmt::formatter<Value> {
  auto format(const turbine::StrongId<Tag, Value>& id, fmt::format_context& context) const {
    return fmt::formatter<Value>::format(id.value, context);
  }
};
template <>
struct fmt::formatter<turbine::InodeId> : fmt::formatter<std::string_view> {
  auto format(const turbine::InodeId& id, fmt::format_context& context) const {
    return fmt::format_to(context.out(), "{}.{}", id.partition().value, id.number());
  }
};
template <>
struct fmt::formatter<turbine::StripeId> : fmt::formatter<std::string_view> {
  auto format(const turbine::StripeId& id, fmt::format_context& context) const {
    return fmt::format_to(context.out(), "{}.{}", id.home().value, id.number());
  }
};
template <>
struct fmt::formatter<turbine::ShardId> : fmt::formatter<std::string_view> {
  auto format(const turbine::ShardId& id, fmt::format_context& context) const {
    return fmt::format_to(context.out(), "{}/{}", id.stripe, id.index);
  }
};
