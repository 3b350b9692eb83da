#include "sim/sim_array.hpp"

#include <algorithm>

#include "cluster/planner.hpp"
#include "proto/rpc.pb.h"

namespace turbine::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;
constexpr uint64_t kDeviceBytes = 40 * kMiB;
constexpr uint64_t kSmallJournalBytes = 4 * kMiB;
constexpr uint32_t kPartitions = 12;
constexpr int32_t kClockPpmMax = 10'000;
constexpr int kGroupsPerLayout = 16;
constexpr const char* kArrayId = "5eed5eed5eed5eed5eed5eed5eed5eed";

bladed::Superblock superblock_of(BladeId id) {
  auto planned = bladed::plan_superblock(kArrayId, id.value, 0x1000 + id.value, kDeviceBytes,
                                         kSmallJournalBytes);
  CHECK(planned.ok());
  return *planned;
}

meta::Options partition_options() {
  meta::Options options;
  options.session_silence = seconds(6);
  options.grace = milliseconds(500);
  options.pin_age_max = seconds(20);
  options.range_age_max = seconds(20);
  options.flush_bytes = 256 * kKiB;
  options.flush_interval = seconds(3);
  options.destage_age_min = milliseconds(200);
  options.destage_age_max = seconds(1);
  return options;
}

}  // namespace

fs::FileSystemOptions sim_file_system_options() {
  fs::FileSystemOptions options;
  options.inline_bytes_max = 16 * 1024 - 1;
  options.stripes_held_max = 2;
  options.pin_from_bytes = 1500 * kKiB;
  options.content_window_bytes = kMiB;
  options.stripe_ids_use_max = seconds(6);
  options.list_page_max = 5;
  options.list_prefetch = 2;
  return options;
}

SimArray::Blade::Blade(uint32_t number, uint64_t seed, int32_t ppm)
    : id(number), clock_ppm(ppm), name(fmt::format("blade-{}", number)), disk(kDeviceBytes, seed) {}

SimArray::SimArray(const SimOptions& options)
    : trace(clock, options.print),
      rng(options.seed),
      network(clock, Rng(rng.next())),
      plant_(options.plant),
      gate_(clock.executor()) {
  for (uint32_t number = 1; number <= kBlades; ++number) {
    const auto ppm = static_cast<int32_t>(rng.below(2 * kClockPpmMax + 1)) - kClockPpmMax;
    blades_.push_back(std::make_unique<Blade>(number, rng.next(), ppm));
  }
  rpc::LinkFaults link;
  link.delay_min = microseconds(50);
  link.delay_max = microseconds(300);
  network.set_faults(link);
}

SimArray::~SimArray() = default;

std::vector<SimArray::Blade*> SimArray::blades() {
  std::vector<Blade*> all;
  all.reserve(blades_.size());
  for (const auto& blade : blades_) all.push_back(blade.get());
  return all;
}

io::ByteRange SimArray::chunk_area() const {
  const bladed::Superblock superblock = superblock_of(BladeId(1));
  return {superblock.chunk_offset, superblock.chunk_bytes};
}

Task<> SimArray::set_up() {
  for (const auto& blade : blades_) {
    io::SimDevice device(blade->disk, clock);
    CO_TRY(co_await bladed::Blade::format(device, superblock_of(blade->id)));
  }
  start_missing();
  while (!all_serve()) CO_TRY(co_await clock.sleep_for(milliseconds(10)));
  co_return Result<>{};
}

bool SimArray::tear_down() {
  for (const auto& blade : blades_) kill_blade(*blade, io::CrashLoss::nothing);
  for (uint32_t i = 0; i < kGateways; ++i) kill_gateway(i);
  kill_manager();
  const bool rests = clock.run(gate_.close(), std::chrono::minutes(10)).ok();
  if (rests) clock.run_until_idle();
  return rests;
}

void SimArray::start_missing() {
  if (!manager_) start_manager();
  for (const auto& blade : blades_) {
    if (!blade->process) start_blade(*blade);
  }
  for (uint32_t i = 0; i < kGateways; ++i) {
    if (!gateways_[i]) start_gateway(i);
  }
}

bool SimArray::all_serve() const {
  for (const auto& blade : blades_) {
    if (!blade->serves()) return false;
  }
  for (uint32_t i = 0; i < kGateways; ++i) {
    if (!gateway(i)) return false;
  }
  return manager_ && manager_->started;
}

// --- blades ----------------------------------------------------------------------------------

bladed::BladeOptions SimArray::blade_options(const Blade& blade) const {
  bladed::BladeOptions options;
  options.identity = superblock_of(blade.id);
  options.address = "mem:" + blade.name;
  options.manager = kManagerAddress;
  options.host = blade.name;
  options.chunk_cache_bytes = 256 * kKiB;
  options.partitions = partition_options();
  options.partitions.swap_unconditionally = plant_ == Plant::swap_unconditionally;
  replica::Options& replicas = options.partitions.replicas;
  replicas.plant.acknowledge_early = plant_ == Plant::acknowledge_early;
  replicas.plant.ignore_terms = plant_ == Plant::ignore_terms;
  replicas.plant.apply_early = plant_ == Plant::apply_early;
  replicas.plant.read_without_lease = plant_ == Plant::read_without_lease;
  replicas.plant.serve_early = plant_ == Plant::serve_early;
  replicas.plant.cut_on_restart = plant_ == Plant::cut_on_restart;
  if (plant_ == Plant::lease_too_long) replicas.lease = 2 * replicas.grace;
  options.skip_checksums_for_test = plant_ == Plant::skip_checksums;
  options.skip_flush_for_test = plant_ == Plant::acknowledge_before_flush;
  options.scrub.bytes_per_second = 64 * kMiB;
  options.scrub.pause_between_rounds = seconds(5);
  options.sweep_interval = seconds(2);
  options.sweep.quarantine = seconds(4);
  options.sweep.quarantine_short_of_space = seconds(1);
  return options;
}

void SimArray::start_blade(Blade& blade) {
  CHECK(!blade.process);
  // A device that fails ends the process; it is called from inside the blade.
  auto fatal = [this, &blade, deaths = blade.deaths](const Error& error) {
    trace.note("{} stops: {}", blade.name, error.text());
    asio::post(clock.executor(), [this, &blade, deaths] {
      if (blade.process && blade.deaths == deaths) kill_blade(blade, io::CrashLoss::nothing);
    });
  };
  blade.process = std::make_shared<BladeProcess>(clock, network, blade.name, blade.disk,
                                                 blade.kv_disk, rng.next(), blade.clock_ppm,
                                                 blade_options(blade), std::move(fatal));
  trace.note("{} starts", blade.name);
  gate_.spawn("blade", run_blade(blade.process, &blade));
}

Task<> SimArray::run_blade(std::shared_ptr<BladeProcess> process, Blade* blade) {
  process->started = co_await process->blade.start();
  process->start_ended.set({});
  if (process->started->ok() || process->dead) co_return Result<>{};
  const Error& error = process->started->error();
  trace.note("{} does not start: {}", blade->name, error.text());
  // A device may fail or lose its power at start, too.
  if (error.code != Errc::io && error.code != Errc::closed) {
    trace.complain("{} does not start: {}", blade->name, error.text());
  }
  kill_blade(*blade, io::CrashLoss::nothing);
  co_return Result<>{};
}

void SimArray::kill_blade(Blade& blade, io::CrashLoss loss) {
  if (!blade.process) return;
  auto process = std::exchange(blade.process, nullptr);
  ++blade.deaths;
  process->dead = true;
  network.kill(blade.name);
  process->device.crash(loss);
  blade.kv_disk.crash(rng.chance(1, 2) ? &rng : nullptr);
  trace.note("{} is dead", blade.name);
  graveyard_.push_back(process);
  gate_.spawn("bury a blade", bury_blade(std::move(process)));
}

Task<> SimArray::bury_blade(std::shared_ptr<BladeProcess> process) {
  if (!process->started) CO_TRY(co_await process->start_ended.wait());
  (void)co_await process->blade.stop();
  co_return co_await process->transport->stop();
}

// --- the manager -----------------------------------------------------------------------------

cluster::MapPtr SimArray::manager_map() const {
  return manager_ ? manager_->manager.map() : nullptr;
}

void SimArray::start_manager() {
  CHECK(!manager_);
  cluster::ManagerOptions options;
  options.expected_blades = kBlades;
  options.partition_count = kPartitions;
  options.groups_per_layout = kGroupsPerLayout;
  options.replica_count = kReplicas;
  options.array_id = kArrayId;
  options.random = [this] { return rng.next(); };
  // Nothing here speaks NFS; so its keys take nothing from the seed's numbers.
  options.random_bytes = [](MutableByteView bytes) { std::ranges::fill(bytes, std::byte{1}); };
  manager_ = std::make_shared<ManagerProcess>(clock, network, store_, options);
  trace.note("the manager starts");
  gate_.spawn("manager", run_manager(manager_));
}

Task<> SimArray::run_manager(std::shared_ptr<ManagerProcess> process) {
  process->started = co_await process->start();
  process->start_ended.set({});
  if (!process->started->ok() && process == manager_) {
    trace.complain("the manager does not start: {}", process->started->error().text());
  }
  co_return Result<>{};
}

void SimArray::kill_manager() {
  if (!manager_) return;
  auto process = std::exchange(manager_, nullptr);
  network.kill("manager");
  process->store.die();
  trace.note("the manager is dead");
  graveyard_.push_back(process);
  gate_.spawn("bury the manager", bury_manager(std::move(process)));
}

Task<cluster::ConfigBackup> SimArray::back_up_store() {
  std::vector<cluster::StoreRecord> records = CO_TRY(co_await store_.list(""));
  cluster::ConfigBackup backup = CO_TRY(cluster::make_config_backup(std::move(records), wall_ms()));
  trace.note("a backup of the cluster store at revision {}", backup.store_revision);
  co_return backup;
}

Task<> SimArray::restore_store(cluster::ConfigBackup backup) {
  cluster::RestoreOrder order;
  order.array_id = kArrayId;
  order.now_ms = wall_ms();
  order.force = true;
  trace.note("the cluster store is restored as of revision {}", backup.store_revision);
  return cluster::restore_config(store_, std::move(backup), std::move(order));
}

Task<> SimArray::bury_manager(std::shared_ptr<ManagerProcess> process) {
  if (!process->started) CO_TRY(co_await process->start_ended.wait());
  co_return co_await process->stop();
}

// --- gateways --------------------------------------------------------------------------------

std::shared_ptr<GatewayProcess> SimArray::gateway(uint32_t index) const {
  const auto& process = gateways_[index];
  return process && process->started && process->started->ok() ? process : nullptr;
}

void SimArray::start_gateway(uint32_t index) {
  CHECK(!gateways_[index]);
  const std::string name = fmt::format("gateway-{}", index + 1);
  gateways_[index] = std::make_shared<GatewayProcess>(clock, network, name, rng.next(),
                                                      plant_ == Plant::forget_ids);
  trace.note("{} starts", name);
  gate_.spawn("gateway", run_gateway(gateways_[index]));
}

Task<> SimArray::run_gateway(std::shared_ptr<GatewayProcess> process) {
  process->started = co_await process->start(sim_file_system_options());
  process->start_ended.set({});
  if (!process->started->ok() && !process->dead) {
    trace.complain("{} does not start: {}", process->name, process->started->error().text());
  }
  co_return Result<>{};
}

void SimArray::kill_gateway(uint32_t index) {
  if (!gateways_[index]) return;
  auto process = std::exchange(gateways_[index], nullptr);
  process->dead = true;
  network.kill(process->name);
  trace.note("{} is dead", process->name);
  graveyard_.push_back(process);
  gate_.spawn("bury a gateway", bury_gateway(std::move(process)));
}

Task<> SimArray::bury_gateway(std::shared_ptr<GatewayProcess> process) {
  if (!process->started) CO_TRY(co_await process->start_ended.wait());
  co_return co_await process->stop();
}

}  // namespace turbine::sim
