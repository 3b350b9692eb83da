#include "erasure/erasure.hpp"

#include <isa-l.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <list>
#include <map>
#include <mutex>
#include <utility>

#include "base/check.hpp"

namespace turbine::erasure {
namespace {

constexpr int kDataCountMax = 32;
constexpr int kParityCountMax = 8;
constexpr int kShardCountMax = kDataCountMax + kParityCountMax;
constexpr size_t kDecodeTablesMax = 512;  // per codec; 8+2 with one wanted shard has 10 × 45

using Matrix = std::vector<unsigned char>;  // row-major
using Tables = std::vector<unsigned char>;  // ISA-L's, 32 bytes per coefficient

Tables make_tables(int columns, int rows, Matrix& matrix) {
  Tables tables(size_t{32} * columns * rows);
  ec_init_tables(columns, rows, matrix.data(), tables.data());
  return tables;
}

/// What a reconstruction reads and writes, as bit sets of shard indexes.
struct LossPattern {
  uint64_t sources = 0;
  uint64_t wanted = 0;
  auto operator<=>(const LossPattern&) const = default;
};

/// Tables by loss pattern, the least recently used one dropped first.
class TableCache {
 public:
  std::shared_ptr<const Tables> find(LossPattern pattern) {
    std::lock_guard lock(mutex_);
    const auto found = places_.find(pattern);
    if (found == places_.end()) return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    return found->second->second;
  }
  void add(LossPattern pattern, std::shared_ptr<const Tables> tables) {
    std::lock_guard lock(mutex_);
    if (places_.contains(pattern)) return;
    order_.emplace_front(pattern, std::move(tables));
    places_.emplace(pattern, order_.begin());
    if (order_.size() <= kDecodeTablesMax) return;
    places_.erase(order_.back().first);
    order_.pop_back();
  }

 private:
  using Order = std::list<std::pair<LossPattern, std::shared_ptr<const Tables>>>;
  std::mutex mutex_;
  Order order_;  // most recently used first
  std::map<LossPattern, Order::iterator> places_;
};

class CauchyCodec final : public Codec {
 public:
  CauchyCodec(int data_count, int parity_count)
      : data_count_(data_count),
        parity_count_(parity_count),
        generator_(static_cast<size_t>(data_count) * (data_count + parity_count)) {
    gf_gen_cauchy1_matrix(generator_.data(), data_count + parity_count, data_count);
    if (parity_count == 0) return;
    Matrix parity_rows(generator_.begin() + ptrdiff_t{data_count} * data_count, generator_.end());
    encode_tables_ = make_tables(data_count, parity_count, parity_rows);
  }

  int data_count() const override { return data_count_; }
  int parity_count() const override { return parity_count_; }

  void encode(std::span<const std::byte* const> data, std::span<std::byte* const> parity,
              size_t shard_bytes) const override {
    CHECK(data.size() == static_cast<size_t>(data_count_));
    CHECK(parity.size() == static_cast<size_t>(parity_count_));
    if (parity_count_ == 0 || shard_bytes == 0) return;
    std::array<unsigned char*, kDataCountMax> from{};
    std::array<unsigned char*, kParityCountMax> to{};
    for (size_t i = 0; i < data.size(); ++i) from[i] = isal_pointer(data[i]);
    for (size_t i = 0; i < parity.size(); ++i) to[i] = isal_pointer(parity[i]);
    multiply(encode_tables_, from.data(), to.data(), parity_count_, shard_bytes);
  }

  Result<> reconstruct(std::span<const Present> present, std::span<const Wanted> wanted,
                       size_t shard_bytes) const override {
    std::array<const std::byte*, kShardCountMax> at_hand{};
    for (const Present& shard : present) {
      if (!known(shard.index)) return fail_index(shard.index);
      at_hand[shard.index] = shard.data;
    }
    std::array<std::byte*, kShardCountMax> missing{};
    uint64_t missing_set = 0;
    for (const Wanted& shard : wanted) {
      if (!known(shard.index)) return fail_index(shard.index);
      if (at_hand[shard.index] != nullptr) {
        std::memcpy(shard.data, at_hand[shard.index], shard_bytes);
        continue;
      }
      CHECK(missing[shard.index] == nullptr);  // wanted once
      missing[shard.index] = shard.data;
      missing_set |= uint64_t{1} << shard.index;
    }
    if (missing_set == 0 || shard_bytes == 0) return {};
    return compute(at_hand, missing, missing_set, shard_bytes);
  }

 private:
  using Sources = std::array<const std::byte*, kShardCountMax>;
  using Targets = std::array<std::byte*, kShardCountMax>;

  static unsigned char* isal_pointer(const std::byte* bytes) {
    return const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(bytes));
  }
  bool known(int index) const { return index >= 0 && index < data_count_ + parity_count_; }
  std::unexpected<Error> fail_index(int index) const {
    return fail(Errc::invalid, "shard {} is not one of {}+{}", index, data_count_, parity_count_);
  }

  Result<> compute(const Sources& at_hand, const Targets& missing, uint64_t missing_set,
                   size_t shard_bytes) const {
    std::array<unsigned char*, kDataCountMax> from{};
    std::array<unsigned char*, kShardCountMax> to{};
    LossPattern pattern{.wanted = missing_set};
    int source_count = 0;
    for (int i = 0; i < data_count_ + parity_count_ && source_count < data_count_; ++i) {
      if (at_hand[i] == nullptr) continue;
      from[source_count++] = isal_pointer(at_hand[i]);
      pattern.sources |= uint64_t{1} << i;
    }
    if (source_count < data_count_) {
      return fail(Errc::invalid, "{} shards are at hand, {}+{} needs {}", source_count, data_count_,
                  parity_count_, data_count_);
    }
    int target_count = 0;
    for (int i = 0; i < data_count_ + parity_count_; ++i) {
      if (missing[i] != nullptr) to[target_count++] = isal_pointer(missing[i]);
    }
    const auto tables = tables_for(pattern);
    multiply(*tables, from.data(), to.data(), target_count, shard_bytes);
    return {};
  }

  void multiply(const Tables& tables, unsigned char** from, unsigned char** to, int to_count,
                size_t shard_bytes) const {
    ec_encode_data(static_cast<int>(shard_bytes), data_count_, to_count,
                   const_cast<unsigned char*>(tables.data()), from, to);
  }

  std::shared_ptr<const Tables> tables_for(LossPattern pattern) const {
    if (auto found = decode_tables_.find(pattern)) return found;
    const int k = data_count_;
    Matrix sources, inverse(static_cast<size_t>(k) * k), rows;
    for (int i = 0; i < k + parity_count_; ++i) {
      if (((pattern.sources >> i) & 1) == 0) continue;
      sources.insert(sources.end(), generator_.begin() + ptrdiff_t{i} * k,
                     generator_.begin() + (ptrdiff_t{i} + 1) * k);
    }
    // Any k rows of a Cauchy generator are independent.
    CHECK(gf_invert_matrix(sources.data(), inverse.data(), k) == 0);
    int row_count = 0;
    for (int i = 0; i < k + parity_count_; ++i) {
      if (((pattern.wanted >> i) & 1) == 0) continue;
      ++row_count;
      for (int column = 0; column < k; ++column) {
        unsigned char sum = 0;
        for (int j = 0; j < k; ++j) sum ^= gf_mul(generator_[i * k + j], inverse[j * k + column]);
        rows.push_back(sum);
      }
    }
    auto tables = std::make_shared<const Tables>(make_tables(k, row_count, rows));
    decode_tables_.add(pattern, tables);
    return tables;
  }

  const int data_count_, parity_count_;
  Matrix generator_;  // k + m rows of k: identity, then parity
  Tables encode_tables_;
  mutable TableCache decode_tables_;
};

}  // namespace

std::shared_ptr<const Codec> codec_for(int data_count, int parity_count) {
  CHECK(data_count >= 1 && data_count <= kDataCountMax);
  CHECK(parity_count >= 0 && parity_count <= kParityCountMax);
  static std::mutex mutex;
  static std::map<std::pair<int, int>, std::shared_ptr<const Codec>> codecs;
  std::lock_guard lock(mutex);
  auto& codec = codecs[{data_count, parity_count}];
  if (!codec) codec = std::make_shared<CauchyCodec>(data_count, parity_count);
  return codec;
}

}  // namespace turbine::erasure
