#include "kv/rocks_kv.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <mutex>

#include "base/async.hpp"
#include "base/log.hpp"
#include "kv/row_cache.hpp"

namespace turbine::kv {
namespace {

constexpr size_t kBlobBytesMin = 2048;    // larger values live in blob files, outside compaction
constexpr size_t kRowOverheadBytes = 48;  // of a memtable, beside key and value
constexpr size_t kRowCacheBytes = size_t{4} << 20;

rocksdb::Slice slice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}

std::unexpected<Error> to_error(const rocksdb::Status& status, const std::string& directory) {
  const Errc code = status.IsCorruption()                    ? Errc::corrupt
                    : status.IsInvalidArgument()             ? Errc::invalid
                    : status.IsBusy() || status.IsTryAgain() ? Errc::busy
                                                             : Errc::io;
  return fail(code, "key-value store {}: {}", directory, status.ToString());
}

/// The first of several messages. From any thread.
class FirstMessage {
 public:
  /// True when this was the first.
  bool set(std::string what) {
    std::lock_guard lock(mutex_);
    if (set_.load(std::memory_order_relaxed)) return false;
    what_ = std::move(what);
    set_.store(true, std::memory_order_release);
    return true;
  }
  bool is_set() const { return set_.load(std::memory_order_acquire); }
  std::string what() const {
    std::lock_guard lock(mutex_);
    return what_;
  }

 private:
  std::atomic<bool> set_{false};
  mutable std::mutex mutex_;
  std::string what_;
};

/// Remembers the first background failure. Called from RocksDB's threads.
class FailureListener final : public rocksdb::EventListener {
 public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
    first.set(status->ToString());
  }
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }
  FirstMessage first;
};

/// Where reads of a store report to.
struct ReadContext {
  std::string directory;
  FirstMessage damage;

  std::unexpected<Error> error(const rocksdb::Status& status) {
    if (status.IsCorruption() &&
        damage.set("the key-value store is damaged: " + status.ToString())) {
      log::error("{}: {}", directory, damage.what());
    }
    return to_error(status, directory);
  }
};

rocksdb::Options make_options(const RocksOptions& wanted,
                              std::shared_ptr<rocksdb::EventListener> listener) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.paranoid_checks = true;
  options.listeners.push_back(std::move(listener));
  // A background failure is final: RocksDB must not clear it by itself.
  options.max_bgerror_resume_count = 0;
  options.avoid_flush_during_shutdown = true;
  options.max_background_jobs = 2;
  options.max_open_files = -1;
  options.keep_log_file_num = 4;
  options.max_log_file_size = size_t{4} << 20;
  options.stats_dump_period_sec = 0;
  options.allow_concurrent_memtable_write = false;  // one writer

  options.write_buffer_size = wanted.write_buffer_bytes;
  options.max_write_buffer_number = 8;
  // Never hold up a write because of compaction debt: reads get slower, the reactor does not stop.
  options.level0_file_num_compaction_trigger = 4;
  options.level0_slowdown_writes_trigger = 1 << 20;
  options.level0_stop_writes_trigger = 1 << 20;
  options.soft_pending_compaction_bytes_limit = 0;
  options.hard_pending_compaction_bytes_limit = 0;
  options.target_file_size_base = uint64_t{32} << 20;
  options.max_bytes_for_level_base = uint64_t{128} << 20;
  options.level_compaction_dynamic_level_bytes = true;
  options.compression = rocksdb::kNoCompression;
  options.bottommost_compression = rocksdb::kLZ4Compression;

  // A block that is larger than its shard of the cache is read from the device each time, and the
  // filter of a table of small rows may have 500 KiB: few shards, and filters and indexes in parts.
  constexpr int kShardBits = 2;
  const auto cache = rocksdb::NewLRUCache(wanted.block_cache_bytes, kShardBits);
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.metadata_block_size = uint64_t{8} * 1024;
  table.format_version = 5;
  table.block_size = uint64_t{8} * 1024;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));

  options.enable_blob_files = true;
  options.min_blob_size = kBlobBytesMin;
  options.blob_file_size = uint64_t{64} << 20;
  options.enable_blob_garbage_collection = true;
  options.blob_cache = cache;
  return options;
}

class RocksIterator final : public Iterator {
 public:
  RocksIterator(rocksdb::DB& db, std::shared_ptr<ReadContext> context, std::string_view first,
                std::string_view end)
      : context_(std::move(context)), first_(first), end_(end), end_slice_(end_) {
    rocksdb::ReadOptions options;
    options.iterate_upper_bound = &end_slice_;
    rows_.reset(db.NewIterator(options));
    rows_->Seek(first_);
  }
  bool valid() const override { return rows_->Valid(); }
  std::string_view key() const override { return rows_->key().ToStringView(); }
  std::string_view value() const override { return rows_->value().ToStringView(); }
  void next() override { rows_->Next(); }
  void seek(std::string_view key) override { rows_->Seek(slice(std::max(key, {first_}))); }
  Result<> status() const override {
    if (rows_->status().ok()) return {};
    return context_->error(rows_->status());
  }

 private:
  const std::shared_ptr<ReadContext> context_;
  const std::string first_, end_;
  const rocksdb::Slice end_slice_;
  std::unique_ptr<rocksdb::Iterator> rows_;
};

class RocksKv final : public Kv {
 public:
  RocksKv(Executor executor, io::BlockingPool& pool, RocksOptions options)
      : pool_(pool), options_(std::move(options)), flush_ended_(executor) {
    context_->directory = options_.directory;
  }
  ~RocksKv() override { CHECK(calls_in_flight_ == 0); }

  Result<> open() {
    rocksdb::DB* db = nullptr;
    const auto status =
        rocksdb::DB::Open(make_options(options_, failure_), options_.directory, &db);
    if (!status.ok()) return to_error(status, options_.directory);
    db_.reset(db);
    return {};
  }

  Result<std::optional<std::string>> get(std::string_view key) override {
    if (const std::string* known = rows_.find(key)) return *known;
    auto value = read(*db_, rocksdb::ReadOptions(), key, *context_);
    if (value.ok() && value->has_value()) rows_.put(key, **value);
    return value;
  }

  Task<std::optional<std::string>> get_async(std::string key) override {
    if (const std::string* known = rows_.find(key)) co_return *known;
    rocksdb::ReadOptions cached;
    cached.read_tier = rocksdb::kBlockCacheTier;
    std::string value;
    const auto status = db_->Get(cached, db_->DefaultColumnFamily(), key, &value);
    if (status.ok()) {
      rows_.put(key, value);
      co_return std::move(value);
    }
    if (status.IsNotFound()) co_return std::nullopt;
    if (!status.IsIncomplete()) co_return context_->error(status);
    ++calls_in_flight_;
    auto result = co_await pool_.offload([db = db_.get(), key, context = context_] {
      return read(*db, rocksdb::ReadOptions(), key, *context);
    });
    --calls_in_flight_;
    co_return result;
  }

  Result<> write(WriteBatch batch) override {
    TRY(check_alive());
    rocksdb::WriteBatch rows;
    uint64_t bytes = 0;
    for (const auto& operation : batch.operations()) {
      bytes += operation.key.size() + operation.value.size() + kRowOverheadBytes;
      TRY(add(rows, operation));
    }
    rocksdb::WriteOptions unlogged;
    unlogged.disableWAL = true;
    const auto status = db_->Write(unlogged, &rows);
    if (!status.ok()) return give_up(status);
    for (const auto& operation : batch.operations()) rows_.apply(operation);
    written_bytes_ += bytes;
    ++written_count_;
    return {};
  }

  std::unique_ptr<Iterator> scan(std::string_view first, std::string_view end) override {
    return std::make_unique<RocksIterator>(*db_, context_, first, end);
  }

  Task<> flush() override {
    const uint64_t wanted_count = written_count_;
    ++calls_in_flight_;
    Result<> result = co_await flush_up_to(wanted_count);
    --calls_in_flight_;
    co_return result;
  }

  uint64_t unflushed_bytes() const override { return written_bytes_ - flushed_bytes_; }
  std::string damage() const override { return context_->damage.what(); }

 private:
  static Result<std::optional<std::string>> read(rocksdb::DB& db,
                                                 const rocksdb::ReadOptions& options,
                                                 std::string_view key, ReadContext& context) {
    std::string value;
    const auto status = db.Get(options, db.DefaultColumnFamily(), slice(key), &value);
    if (status.ok()) return std::move(value);
    if (status.IsNotFound()) return std::nullopt;
    return context.error(status);
  }

  Result<> add(rocksdb::WriteBatch& rows, const WriteBatch::Operation& operation) const {
    using Kind = WriteBatch::Operation::Kind;
    rocksdb::Status status;
    switch (operation.kind) {
      case Kind::put:
        status = rows.Put(operation.key, operation.value);
        break;
      case Kind::remove:
        status = rows.Delete(operation.key);
        break;
      case Kind::remove_range:
        if (operation.key < operation.value) {
          status = rows.DeleteRange(operation.key, operation.value);
        }
        break;
    }
    if (!status.ok()) return to_error(status, options_.directory);
    return {};
  }

  /// One flush at a time; a caller is served by any that starts after its call.
  Task<> flush_up_to(uint64_t wanted_count) {
    while (true) {
      CO_TRY(check_alive());
      if (flushed_count_ >= wanted_count) co_return Result<>{};
      if (!flushing_) break;
      CO_TRY(co_await flush_ended_.wait());
    }
    flushing_ = true;
    const uint64_t count = written_count_, bytes = written_bytes_;
    const Result<> flushed =
        co_await pool_.offload([db = db_.get(), directory = options_.directory]() -> Result<> {
          rocksdb::FlushOptions wait;
          wait.allow_write_stall = true;
          const auto status = db->Flush(wait);
          if (!status.ok()) return to_error(status, directory);
          return {};
        });
    flushing_ = false;
    if (flushed.ok()) {
      flushed_count_ = count;
      flushed_bytes_ = bytes;
    } else {
      failure_->first.set(flushed.error().context);
    }
    flush_ended_.notify_all();
    co_return check_alive();
  }

  Result<> check_alive() const {
    if (!failure_->first.is_set()) return {};
    return fail(Errc::io, "key-value store {} has failed and takes no more writes: {}",
                options_.directory, failure_->first.what());
  }
  Result<> give_up(const rocksdb::Status& status) {
    failure_->first.set(status.ToString());
    return check_alive();
  }

  io::BlockingPool& pool_;
  const RocksOptions options_;
  const std::shared_ptr<FailureListener> failure_ = std::make_shared<FailureListener>();
  const std::shared_ptr<ReadContext> context_ = std::make_shared<ReadContext>();
  std::unique_ptr<rocksdb::DB> db_;
  RowCache rows_{kRowCacheBytes};
  size_t calls_in_flight_ = 0;
  uint64_t written_count_ = 0, flushed_count_ = 0;  // batches
  uint64_t written_bytes_ = 0, flushed_bytes_ = 0;
  bool flushing_ = false;
  Event flush_ended_;
};

}  // namespace

Result<std::unique_ptr<Kv>> open_rocks_kv(Executor executor, io::BlockingPool& pool,
                                          RocksOptions options) {
  auto store = std::make_unique<RocksKv>(executor, pool, std::move(options));
  TRY(store->open());
  return std::unique_ptr<Kv>(std::move(store));
}

}  // namespace turbine::kv
