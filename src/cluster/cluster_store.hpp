// The cluster store: where the truth about the array is kept, changed by compare-and-put.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/task.hpp"

namespace turbine::cluster {

struct StoreRecord {
  std::string key;
  std::string value;
  uint64_t revision = 0;  // of the transaction that wrote it
};

/// Holds when the record's revision is this one; 0: when there is no record.
struct StoreCompare {
  std::string key;
  uint64_t revision = 0;
};

/// Without a value the record is removed.
struct StorePut {
  std::string key;
  std::optional<std::string> value;
};

/// One reactor thread. Everything read is committed and durable.
class ClusterStore {
 public:
  virtual ~ClusterStore() = default;

  virtual Task<std::optional<StoreRecord>> get(std::string key) = 0;
  /// In order of keys.
  virtual Task<std::vector<StoreRecord>> list(std::string prefix) = 0;
  /// If every compare holds, does all puts at once and returns the new revision: durable on return.
  /// Errc::conflict when one does not hold (nothing was done); Errc::unavailable when the store was
  /// not reached (nothing was done, nothing will be); Errc::timeout when the outcome is not known:
  /// it may have been done, or be done later, so read before trying again (settled_txn does);
  /// Errc::io when the store has failed for good (the outcome is known after reopening).
  virtual Task<uint64_t> txn(std::vector<StoreCompare> compares, std::vector<StorePut> puts) = 0;
  /// `observer` is called after each transaction that touched a key with `prefix`, some time after.
  virtual void watch(std::string prefix, std::function<void(uint64_t revision)> observer) = 0;
};

/// The records in memory, with the rules of txn(); shared by the implementations.
class StoreTable {
 public:
  Result<> check(const std::vector<StoreCompare>& compares) const;
  void apply(uint64_t revision, const std::vector<StorePut>& puts);
  std::optional<StoreRecord> get(const std::string& key) const;
  std::vector<StoreRecord> list(const std::string& prefix) const;
  void restore(StoreRecord record);
  const std::map<std::string, StoreRecord>& records() const { return records_; }
  void watch(std::string prefix, std::function<void(uint64_t)> observer) {
    watches_.emplace_back(std::move(prefix), std::move(observer));
  }
  void notify(uint64_t revision, const std::vector<StorePut>& puts);

 private:
  std::map<std::string, StoreRecord> records_;
  std::vector<std::pair<std::string, std::function<void(uint64_t)>>> watches_;
};

/// In memory only: for tests and simulation, where it outlives the managers that use it.
class MemStore final : public ClusterStore {
 public:
  Task<std::optional<StoreRecord>> get(std::string key) override;
  Task<std::vector<StoreRecord>> list(std::string prefix) override;
  Task<uint64_t> txn(std::vector<StoreCompare> compares, std::vector<StorePut> puts) override;
  void watch(std::string prefix, std::function<void(uint64_t)> observer) override {
    table_.watch(std::move(prefix), std::move(observer));
  }
  /// The next transactions fail with Errc::unavailable, undone.
  void fail_transactions(bool on) { failing_ = on; }

 private:
  StoreTable table_;
  uint64_t revision_ = 0;
  bool failing_ = false;
};

}  // namespace turbine::cluster
