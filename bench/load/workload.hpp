// What is asked of the server, and what became of it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "object_content.hpp"
#include "process_cpu.hpp"
#include "s3_target.hpp"

namespace turbine::bench {

enum class Operation { put, get, head, list, remove };
std::string_view operation_name(Operation operation);

enum class Workload { put, get, head, list, remove, mixed };
enum class KeyPattern {
  flat,          // all keys in one directory
  spread,        // over 256 directories
  new_prefixes,  // each key in two directories of its own
};
enum class KeyOrder { random, sequential };

struct LoadOptions {
  Workload workload = Workload::get;
  std::string bucket = "bench";
  std::string prefix;
  KeyPattern pattern = KeyPattern::flat;
  KeyOrder order = KeyOrder::random;
  uint64_t object_bytes = 4096;
  uint64_t connections = 8, threads = 1;
  uint64_t count = 1000;  // keys; where new ones are made, how many at most (0: no bound)
  double seconds = 10;    // measured; 0: until `count` operations are done
  double warmup_seconds = 0;
  bool verify = false;
};

struct OperationStats {
  uint64_t count = 0, errors = 0, bytes = 0, items = 0;
  std::vector<uint32_t> latencies_us;  // of those without error
  void add(OperationStats&& other);
};

struct LoadResult {
  double seconds = 0;
  std::map<Operation, OperationStats> operations;
  std::vector<CpuUse> server_cpu;
  double client_cpu_seconds = 0;
  double machine_cpu_seconds = 0;  // all cores, all processes
  bool stuck = false;              // the server stopped answering

  uint64_t errors() const;
};

/// "p-042/obj-0000001234"
std::string key_name(const LoadOptions& options, uint64_t index);

/// What the threads of one load share. Runs it from beginning to end; the calling thread keeps the
/// time and looks at the processes' CPU.
class Load {
 public:
  Load(S3Target target, LoadOptions options, const ContentPool& pool, CpuWatch& cpu);
  LoadResult run();

  // For its workers, from any thread:
  const S3Target& target() const { return target_; }
  const LoadOptions& options() const { return options_; }
  const ContentPool& pool() const { return pool_; }
  /// Workers begin nothing further.
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }
  bool measuring() const { return measuring_.load(std::memory_order_relaxed); }
  uint64_t next_index() { return next_index_.fetch_add(1, std::memory_order_relaxed); }
  void completed() { completed_.fetch_add(1, std::memory_order_relaxed); }
  /// Prints the first few.
  void report_error(Operation operation, std::string_view key, std::string_view what);
  void worker_done(std::map<Operation, OperationStats> stats);

 private:
  bool wait_until_done(double seconds);

  S3Target target_;
  LoadOptions options_;
  const ContentPool& pool_;
  CpuWatch& cpu_;
  std::atomic<bool> stopping_ = false, measuring_ = false;
  std::atomic<uint64_t> next_index_ = 0, completed_ = 0, errors_shown_ = 0;
  std::mutex mutex_;
  std::condition_variable done_;
  uint64_t threads_left_ = 0;
  LoadResult result_;
};

/// Makes the bucket unless it is there.
Result<> make_bucket(const S3Target& target, const std::string& bucket);

}  // namespace turbine::bench
