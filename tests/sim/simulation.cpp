#include "sim/simulation.hpp"

#include "sim/client.hpp"
#include "sim/faults.hpp"
#include "sim/file_world.hpp"
#include "sim/final_check.hpp"
#include "sim/replica_check.hpp"

namespace turbine::sim {
namespace {

using std::chrono::milliseconds;

constexpr uint32_t kClients = 5;
constexpr uint64_t kOperationsMin = 200;
constexpr uint64_t kFaultsMin = 3;

class Simulation {
 public:
  explicit Simulation(const SimOptions& options)
      : array_(options),
        rng_(options.seed ^ 0xC0FFEE),
        world_{array_, {}, {}, {}, {}},
        faults_(array_, rng_.next()),
        gate_(array_.clock.executor()),
        watchers_(array_.clock.executor()) {
    for (uint32_t i = 0; i < kClients; ++i) {
      clients_.push_back(std::make_unique<Client>(world_, i + 1, rng_.next()));
    }
    if (options.files) files_.emplace(array_, options.seed);
  }

  Outcome run(uint64_t seed) {
    watchers_.spawn("watch leaders", watch_leaders());
    const auto ran = array_.clock.run(everything(), std::chrono::hours(1));
    Trace& trace = array_.trace;
    if (!ran.ok()) trace.complain("the run: {}", ran.error().text());
    stop_ = true;
    clients_over_ = array_.clock.run(gate_.close(), std::chrono::minutes(5)).ok();
    if (!clients_over_) trace.complain("a client waits for ever");
    watching_ = false;
    if (!array_.clock.run(watchers_.close()).ok()) trace.complain("a watcher waits for ever");
    world_.check();
    if (!array_.tear_down()) trace.complain("a dead process does not come to rest");
    trace.note("{} messages delivered", array_.network.counters().delivered);
    Outcome outcome;
    outcome.seed = seed;
    outcome.complaints = trace.complaints();
    outcome.trace_hash = trace.hash();
    outcome.operations = world_.counters.operations;
    outcome.answered = world_.counters.answered;
    outcome.unknown = world_.counters.unknown;
    if (files_) outcome.file_operations = files_->counters().operations;
    outcome.faults = faults_.names();
    outcome.virtual_seconds =
        std::chrono::duration<double>(array_.clock.now().time_since_epoch()).count();
    return outcome;
  }

 private:
  Task<> everything() {
    CO_TRY(co_await array_.set_up());
    CO_TRY(co_await make_bucket());
    if (files_) CO_TRY(co_await files_->set_up());
    if (files_) files_->spawn(gate_, stop_);
    for (const auto& client : clients_) gate_.spawn("client", client->run(stop_));
    CO_TRY(co_await faults_.run());
    while (world_.counters.operations < kOperationsMin) CO_TRY(co_await pause());
    stop_ = true;
    while (gate_.count() > 0) CO_TRY(co_await pause());
    if (faults_.fired() < kFaultsMin) array_.trace.complain("{} faults struck", faults_.fired());
    array_.trace.note("--- the faults are over");
    faults_.end_all();
    array_.start_missing();
    CO_TRY(co_await check_stored(array_, false));
    if (array_.trace.failed()) co_return Result<>{};
    co_return co_await check_contents();
  }

  Task<> watch_leaders() {
    while (watching_ && check_leaders(array_)) {
      CO_TRY(co_await array_.clock.sleep_for(milliseconds(3)));
    }
    co_return Result<>{};
  }

  Task<> make_bucket() {
    const auto gateway = array_.gateway(0);
    fs::FileSystem& files = *gateway->files;
    CO_TRY(co_await files.create_bucket(files.begin(1), kBucket));
    co_return Result<>{};
  }

  Task<> check_contents() {
    Client& client = *clients_[0];
    client.be_calm();
    CO_TRY(co_await client.read_all());
    for (const char* delimiter : {"", "/", "e"}) CO_TRY(co_await client.list_all(delimiter));
    if (files_) CO_TRY(co_await files_->check_all());
    CO_TRY(co_await client.remove_all());
    if (files_) CO_TRY(co_await files_->remove_all());
    const auto gateway = array_.gateway(0);
    fs::FileSystem& files = *gateway->files;
    const auto left = CO_TRY(co_await files.list(files.begin(1), kBucket, {}));
    if (!left.items.empty()) array_.trace.complain("'{}' is left", left.items[0].key);
    CO_TRY(co_await check_stored(array_, true));
    const auto gone = co_await files.delete_bucket(files.begin(1), kBucket);
    if (!gone.ok()) array_.trace.complain("delete bucket: {}", gone.error().text());
    co_return Result<>{};
  }

  Task<> pause() { return array_.clock.sleep_for(milliseconds(10)); }

  SimArray array_;
  Rng rng_;
  ClientWorld world_;
  std::optional<FileWorld> files_;
  Faults faults_;
  std::vector<std::unique_ptr<Client>> clients_;
  Gate gate_, watchers_;
  bool watching_ = true;
  bool stop_ = false;
  bool clients_over_ = false;
};

}  // namespace

Outcome run_simulation(SimOptions options) {
  Simulation simulation(options);
  return simulation.run(options.seed);
}

}  // namespace turbine::sim
