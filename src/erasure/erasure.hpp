// Erasure coding: k data shards, m parity shards, any k of k + m give the data back.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/buffer.hpp"
#include "base/result.hpp"

namespace turbine::erasure {

/// A Reed-Solomon code with a Cauchy matrix over GF(2^8). Thread-safe; tables are made once per
/// (k, m) and per loss pattern (bounded cache). m = 0 is allowed: no parity.
class Codec {
 public:
  virtual ~Codec() = default;
  virtual int data_count() const = 0;
  virtual int parity_count() const = 0;

  /// data: k pointers, parity: m pointers, each to `shard_bytes` bytes.
  virtual void encode(std::span<const std::byte* const> data, std::span<std::byte* const> parity,
                      size_t shard_bytes) const = 0;

  /// One shard that is at hand. 0 ≤ index < k + m.
  struct Present {
    int index;
    const std::byte* data;
  };
  struct Wanted {
    int index;
    std::byte* data;
  };
  /// Computes `wanted` (data or parity shards) from k of `present`. Works on any byte range of the
  /// shards, the same range for all. Errc::invalid when fewer than k are present.
  virtual Result<> reconstruct(std::span<const Present> present, std::span<const Wanted> wanted,
                               size_t shard_bytes) const = 0;
};

/// Shared codec for a layout; 1 ≤ k ≤ 32, 0 ≤ m ≤ 8.
std::shared_ptr<const Codec> codec_for(int data_count, int parity_count);

}  // namespace turbine::erasure
