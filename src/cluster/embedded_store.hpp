// EmbeddedStore: the cluster store of an array with one manager, in a directory of its own.
#pragma once

#include <filesystem>
#include <memory>

#include "base/async.hpp"
#include "cluster/cluster_store.hpp"
#include "io/blocking_pool.hpp"

namespace turbine::cluster {

/// A snapshot and an append-only log (docs/format/cluster_store.md). txn() returns after the log
/// was written and fdatasync'ed; a crash at any moment keeps every transaction that was answered
/// and at most one that was not. A failed write or sync is final: later transactions answer
/// Errc::io. Files are written on the pool; all calls come from the reactor's thread.
class EmbeddedStore final : public ClusterStore {
 public:
  /// Makes the directory's store when it is empty. Errc::exists when another process has it open;
  /// Errc::corrupt when it is damaged anywhere but in a torn last record; Errc::io.
  static Result<std::unique_ptr<EmbeddedStore>> open(std::filesystem::path directory,
                                                     Executor executor, io::BlockingPool& pool,
                                                     size_t log_bytes_max = size_t{4} << 20);
  ~EmbeddedStore() override;

  Task<std::optional<StoreRecord>> get(std::string key) override;
  Task<std::vector<StoreRecord>> list(std::string prefix) override;
  Task<uint64_t> txn(std::vector<StoreCompare> compares, std::vector<StorePut> puts) override;
  void watch(std::string prefix, std::function<void(uint64_t)> observer) override {
    table_.watch(std::move(prefix), std::move(observer));
  }

 private:
  EmbeddedStore(std::filesystem::path directory, Executor executor, io::BlockingPool& pool,
                size_t log_bytes_max);
  Result<> load();
  Result<> load_snapshot();
  Result<> load_log();
  Task<uint64_t> commit(std::vector<StoreCompare> compares, std::vector<StorePut> puts);
  Result<> append(const std::string& record);
  Result<> write_snapshot(const std::string& bytes, uint64_t revision);
  Result<> start_log(uint64_t base_revision);
  std::string encode_snapshot() const;

  const std::filesystem::path directory_;
  io::BlockingPool& pool_;
  const size_t log_bytes_max_;
  Semaphore one_at_a_time_;
  StoreTable table_;
  uint64_t revision_ = 0;
  int lock_ = -1;
  int log_ = -1;
  uint64_t log_bytes_ = 0;
  bool failed_ = false;
};

}  // namespace turbine::cluster
