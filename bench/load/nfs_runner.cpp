#include "nfs_runner.hpp"

#include <fmt/core.h>
#include <poll.h>

#include <chrono>
#include <deque>

namespace turbine::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr uint64_t kErrorsShown = 5;
constexpr auto kSilenceMax = std::chrono::seconds(60);

class Runner;

struct RunningSlot {
  Runner* runner = nullptr;
  NfsSlot slot;
  Clock::time_point sent;
  bool busy = false;
};

class Runner {
 public:
  Runner(const NfsLoadOptions& options, NfsWorkload& workload, CpuWatch& cpu)
      : options_(options), workload_(workload), cpu_(cpu) {}

  Result<NfsLoadResult> run(const NfsTarget& target) {
    TRY(connect(target));
    TRY(serve_for(options_.warmup_seconds));
    result_ = {};
    cpu_.begin();
    const auto began = Clock::now();
    if (options_.seconds > 0)
      TRY(serve_for(options_.seconds));
    else
      TRY(serve_while([this] { return in_flight_ > 0; }));
    result_.seconds = std::chrono::duration<double>(Clock::now() - began).count();
    result_.server_cpu = cpu_.used();
    result_.client_cpu_seconds = cpu_.used_by_client();
    result_.machine_cpu_seconds = cpu_.used_by_all();
    stopping_ = true;
    NfsLoadResult measured = result_;
    TRY(serve_while([this] { return in_flight_ > 0; }));
    return measured;
  }

  void answered(RunningSlot& running, int status, void* answer) {
    running.busy = false;
    --in_flight_;
    last_answer_ = Clock::now();
    if (status != RPC_STATUS_SUCCESS) {
      broken_ = true;
      return;
    }
    const NfsAnswer taken = workload_.take(running.slot, answer);
    NfsOperationStats& stats = result_.operations[running.slot.operation];
    ++stats.count;
    if (taken.status != NFS3_OK || taken.wrong_data) {
      if (++stats.errors <= kErrorsShown)
        fmt::print(stderr, "{}: {}\n", running.slot.operation,
                   taken.status != NFS3_OK ? status_name(taken.status) : "not what was expected");
    } else {
      stats.bytes += taken.bytes;
      stats.items += taken.items;
      const auto took =
          std::chrono::duration_cast<std::chrono::microseconds>(last_answer_ - running.sent);
      stats.latencies_us.push_back(static_cast<uint32_t>(took.count()));
    }
    send_all(running.slot.connection);
  }

 private:
  Result<> connect(const NfsTarget& target) {
    for (uint64_t i = 0; i < options_.connections; ++i) {
      connections_.push_back(TRY(NfsConnection::open(target, target.port)));
      for (uint64_t j = 0; j < options_.depth; ++j) {
        RunningSlot& running = slots_.emplace_back();
        running.runner = this;
        running.slot.connection = i;
        running.slot.index = j;
      }
    }
    last_answer_ = Clock::now();
    for (uint64_t i = 0; i < options_.connections; ++i) send_all(i);
    return {};
  }

  void send_all(uint64_t connection) {
    for (uint64_t i = connection * options_.depth; i < (connection + 1) * options_.depth; ++i) {
      RunningSlot& running = slots_[i];
      if (running.busy || stopping_ || broken_) continue;
      running.sent = Clock::now();
      const NfsSent sent = workload_.send(connections_[connection]->rpc(), running.slot,
                                          &Runner::callback, &running);
      if (sent == NfsSent::failed) broken_ = true;
      if (sent != NfsSent::sent) return;
      running.busy = true;
      ++in_flight_;
    }
  }

  static void callback(rpc_context*, int status, void* answer, void* context) {
    auto& running = *static_cast<RunningSlot*>(context);
    if (status != RPC_STATUS_CANCEL) running.runner->answered(running, status, answer);
  }

  Result<> serve_for(double seconds) {
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    return serve_while([this, end] { return Clock::now() < end && in_flight_ > 0; });
  }

  Result<> serve_while(const std::function<bool()>& condition) {
    while (condition()) {
      std::vector<pollfd> polled;
      polled.reserve(connections_.size());
      for (const auto& each : connections_) polled.push_back({each->fd(), each->events(), 0});
      if (::poll(polled.data(), polled.size(), 100) < 0)
        return fail(Errc::io, "poll: {}", std::strerror(errno));
      for (size_t i = 0; i < polled.size(); ++i)
        if (polled[i].revents) TRY(connections_[i]->serve(polled[i].revents));
      if (broken_) return fail(Errc::closed, "a connection broke");
      if (in_flight_ > 0 && Clock::now() - last_answer_ > kSilenceMax)
        return fail(Errc::timeout, "no answer for {} s", kSilenceMax.count());
    }
    return {};
  }

  NfsLoadOptions options_;
  NfsWorkload& workload_;
  CpuWatch& cpu_;
  std::deque<RunningSlot> slots_;  // callbacks point to them
  std::vector<std::unique_ptr<NfsConnection>> connections_;
  NfsLoadResult result_;
  uint64_t in_flight_ = 0;
  Clock::time_point last_answer_;
  bool stopping_ = false, broken_ = false;
};

}  // namespace

uint64_t NfsLoadResult::errors() const {
  uint64_t sum = 0;
  for (const auto& [name, stats] : operations) sum += stats.errors;
  return sum;
}

Result<NfsLoadResult> run_nfs_load(const NfsTarget& target, const NfsLoadOptions& options,
                                   NfsWorkload& workload, CpuWatch& cpu) {
  Runner runner(options, workload, cpu);
  return runner.run(target);
}

}  // namespace turbine::bench
