#include "workload.hpp"

#include <cstdio>
#include <thread>

#include "base/hash.hpp"
#include "worker.hpp"

namespace turbine::bench {
namespace {

constexpr double kStuckSeconds = 30;
constexpr uint64_t kErrorsShownMax = 5;

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

std::string_view operation_name(Operation operation) {
  switch (operation) {
    case Operation::put:
      return "put";
    case Operation::get:
      return "get";
    case Operation::head:
      return "head";
    case Operation::list:
      return "list";
    case Operation::remove:
      return "delete";
  }
  return "";
}

void OperationStats::add(OperationStats&& other) {
  count += other.count;
  errors += other.errors;
  bytes += other.bytes;
  items += other.items;
  latencies_us.insert(latencies_us.end(), other.latencies_us.begin(), other.latencies_us.end());
}

uint64_t LoadResult::errors() const {
  uint64_t sum = 0;
  for (const auto& [operation, stats] : operations) sum += stats.errors;
  return sum;
}

std::string key_name(const LoadOptions& options, uint64_t index) {
  switch (options.pattern) {
    case KeyPattern::flat:
      break;
    case KeyPattern::spread:
      return fmt::format("{}p-{:03}/obj-{:010}", options.prefix, index % 256, index);
    case KeyPattern::new_prefixes:
      return fmt::format("{}{:08x}/{:010}/obj", options.prefix,
                         static_cast<uint32_t>(combine_seeds(index, 1)), index);
  }
  return fmt::format("{}obj-{:010}", options.prefix, index);
}

Load::Load(S3Target target, LoadOptions options, const ContentPool& pool, CpuWatch& cpu)
    : target_(std::move(target)), options_(std::move(options)), pool_(pool), cpu_(cpu) {}

LoadResult Load::run() {
  threads_left_ = options_.threads;
  std::vector<std::jthread> threads;
  for (uint64_t i = 0; i < options_.threads; ++i) {
    const uint64_t connections = (options_.connections + i) / options_.threads;
    threads.emplace_back([this, i, connections] { run_worker(*this, i, connections); });
  }
  bool done = options_.warmup_seconds > 0 && wait_until_done(options_.warmup_seconds);
  cpu_.begin();
  const double begin = now_seconds();
  measuring_ = true;
  if (!done) done = wait_until_done(options_.seconds > 0 ? options_.seconds : 1e9);
  measuring_ = false;
  stopping_ = true;
  const double seconds = now_seconds() - begin;
  auto server_cpu = cpu_.used();
  const double client_cpu = cpu_.used_by_client();
  const double machine_cpu = cpu_.used_by_all();
  if (!done && !result_.stuck) wait_until_done(kStuckSeconds * 2);
  if (result_.stuck) {
    fmt::print(stderr, "the server has not answered for {} s; giving up\n", kStuckSeconds);
    std::fflush(nullptr);
    std::_Exit(1);
  }
  threads.clear();
  result_.seconds = seconds;
  result_.server_cpu = std::move(server_cpu);
  result_.client_cpu_seconds = client_cpu;
  result_.machine_cpu_seconds = machine_cpu;
  return std::move(result_);
}

/// True when all workers are done.
bool Load::wait_until_done(double seconds) {
  const double end = now_seconds() + seconds;
  uint64_t seen = completed_;
  double seen_at = now_seconds();
  std::unique_lock lock(mutex_);
  while (threads_left_ > 0) {
    const double now = now_seconds();
    if (now >= end) return false;
    if (completed_ != seen) {
      seen = completed_;
      seen_at = now;
    } else if (now - seen_at > kStuckSeconds) {
      result_.stuck = true;
      return false;
    }
    done_.wait_for(lock, std::chrono::duration<double>(std::min(end - now, 1.0)));
  }
  return true;
}

void Load::worker_done(std::map<Operation, OperationStats> stats) {
  const std::lock_guard lock(mutex_);
  for (auto& [operation, one] : stats) result_.operations[operation].add(std::move(one));
  --threads_left_;
  done_.notify_all();
}

void Load::report_error(Operation operation, std::string_view key, std::string_view what) {
  if (errors_shown_.fetch_add(1) >= kErrorsShownMax) return;
  fmt::print(stderr, "{} {}: {}\n", operation_name(operation), key, what.substr(0, 400));
}

}  // namespace turbine::bench
