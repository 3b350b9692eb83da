// SimArray: a whole array in one thread and virtual time, whose processes can be killed at will.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "cluster/config_backup.hpp"
#include "sim/processes.hpp"
#include "sim/trace.hpp"

namespace turbine::sim {

inline constexpr uint32_t kBlades = 6;
inline constexpr uint32_t kGateways = 2;
inline constexpr int kReplicas = 3;  // of each partition

struct SimOptions {
  uint64_t seed = 1;
  Plant plant = Plant::none;
  bool files = true;   // clients of files beside those of objects
  bool print = false;  // every line of the trace
};

class SimArray {
 public:
  explicit SimArray(const SimOptions& options);
  ~SimArray();
  SimArray(const SimArray&) = delete;
  SimArray& operator=(const SimArray&) = delete;

  /// Formats the devices and starts everything; returns when the array is planned and serves.
  Task<> set_up();
  /// Everything is killed; false when something of it never comes to rest.
  bool tear_down();

  struct Blade {
    Blade(uint32_t number, uint64_t seed, int32_t clock_ppm);
    const BladeId id;
    const int32_t clock_ppm;  // how much faster its clock runs
    const std::string name;
    io::SimDisk disk;
    kv::MemKvDisk kv_disk;
    std::shared_ptr<BladeProcess> process;  // null: down
    uint64_t deaths = 0;                    // of processes, for whatever reason

    bool serves() const { return process && process->started && process->blade.ready().ok(); }
  };
  Blade& blade(uint32_t number) { return *blades_[number - 1]; }
  std::vector<Blade*> blades();

  void start_blade(Blade& blade);
  /// The process ends; with a loss other than `nothing` the power does. The Kv keeps what it had
  /// flushed, and perhaps some more.
  void kill_blade(Blade& blade, io::CrashLoss loss);

  bool manager_runs() const { return manager_ != nullptr; }
  cluster::MapPtr manager_map() const;
  void start_manager();
  void kill_manager();
  /// Of the store as it stands.
  Task<cluster::ConfigBackup> back_up_store();
  /// While no manager runs: in place of what stands there.
  Task<> restore_store(cluster::ConfigBackup backup);

  /// Null while it is down or starting.
  std::shared_ptr<GatewayProcess> gateway(uint32_t index) const;
  bool gateway_runs(uint32_t index) const { return gateways_[index] != nullptr; }
  void start_gateway(uint32_t index);
  void kill_gateway(uint32_t index);

  /// Starts whatever is down.
  void start_missing();
  bool all_serve() const;
  /// Where the chunk area of every blade lies.
  io::ByteRange chunk_area() const;

  io::SimClock clock;
  Trace trace;
  Rng rng;
  rpc::MemNetwork network;

 private:
  uint64_t wall_ms() const { return static_cast<uint64_t>(clock.wall_now().ns / 1'000'000); }
  bladed::BladeOptions blade_options(const Blade& blade) const;
  Task<> run_blade(std::shared_ptr<BladeProcess> process, Blade* blade);
  Task<> bury_blade(std::shared_ptr<BladeProcess> process);
  Task<> run_manager(std::shared_ptr<ManagerProcess> process);
  Task<> bury_manager(std::shared_ptr<ManagerProcess> process);
  Task<> run_gateway(std::shared_ptr<GatewayProcess> process);
  Task<> bury_gateway(std::shared_ptr<GatewayProcess> process);

  const Plant plant_;
  Gate gate_;
  cluster::MemStore store_;
  std::vector<std::unique_ptr<Blade>> blades_;
  std::shared_ptr<ManagerProcess> manager_;
  std::array<std::shared_ptr<GatewayProcess>, kGateways> gateways_;
  std::vector<std::shared_ptr<void>> graveyard_;  // the dead, until the end
};

/// Times and bounds of simulation: everything happens as in a real array, only sooner.
fs::FileSystemOptions sim_file_system_options();

}  // namespace turbine::sim
