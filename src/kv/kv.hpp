// Kv: the seam to the ordered key-value store that holds a blade's metadata and shard index.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.hpp"

namespace turbine::kv {

/// Changes applied together. A whole batch is visible at once.
class WriteBatch {
 public:
  struct Operation {
    enum class Kind : uint8_t { put, remove, remove_range } kind;
    std::string key;    // remove_range: first key
    std::string value;  // remove_range: key after the last
  };
  void put(std::string key, std::string value) {
    operations_.push_back({Operation::Kind::put, std::move(key), std::move(value)});
  }
  void remove(std::string key) {
    operations_.push_back({Operation::Kind::remove, std::move(key), {}});
  }
  void remove_range(std::string first, std::string end) {
    operations_.push_back({Operation::Kind::remove_range, std::move(first), std::move(end)});
  }
  const std::vector<Operation>& operations() const { return operations_; }
  bool empty() const { return operations_.empty(); }
  void clear() { operations_.clear(); }

 private:
  std::vector<Operation> operations_;
};

/// Iterates a snapshot in key order. Views are valid until the next call.
class Iterator {
 public:
  virtual ~Iterator() = default;
  virtual bool valid() const = 0;
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;
  virtual void next() = 0;
  virtual void seek(std::string_view key) = 0;
  /// Why valid() is false, if not the end.
  virtual Result<> status() const = 0;
};

/// One store per blade, no write-ahead log of its own: what was written since the last flush() is
/// forgotten by a crash, and brought back by replaying the journal. flush() is atomic: after a
/// crash the store holds all batches written before some point at or after the last completed
/// flush(), and none of a later batch in part. The first two bytes of a key are the slot
/// (big-endian): 0 the blade's own records, from 1 partitions.
class Kv {
 public:
  virtual ~Kv() = default;

  /// May block on the device for a cold key; see get_async().
  virtual Result<std::optional<std::string>> get(std::string_view key) = 0;
  /// As get(), but a cold key is read on the blocking pool.
  virtual Task<std::optional<std::string>> get_async(std::string key) = 0;
  /// Applies the batch in memory. NOT durable until a later flush().
  virtual Result<> write(WriteBatch batch) = 0;
  /// Iterates [first, end).
  virtual std::unique_ptr<Iterator> scan(std::string_view first, std::string_view end) = 0;
  /// Makes every batch written before the call durable. Runs in the background; writes go on.
  virtual Task<> flush() = 0;
  /// Bytes held in memory and not flushed.
  virtual uint64_t unflushed_bytes() const = 0;
  /// The first damaged bytes that a read has met since the start, in words; empty: none.
  virtual std::string damage() const { return {}; }
};

}  // namespace turbine::kv
