// The processes of a simulated array: a manager, blades and gateways as they really are, over
// simulated seams. A process that was killed keeps its objects until its coroutines have unwound.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "bladed/blade.hpp"
#include "cluster/manager.hpp"
#include "fs/file_system.hpp"
#include "io/sim_clock.hpp"
#include "io/sim_device.hpp"
#include "kv/mem_kv.hpp"
#include "rpc/mem_transport.hpp"
#include "sim/skewed_clock.hpp"

namespace turbine::sim {

/// Bugs that the simulator must find.
enum class Plant : uint8_t {
  none,
  acknowledge_before_flush,
  skip_checksums,
  swap_unconditionally,
  // Of the replicas of partitions, see replica::Options::Plant.
  acknowledge_early,
  ignore_terms,
  apply_early,
  read_without_lease,
  serve_early,
  cut_on_restart,
  lease_too_long,  // twice the time after which others take over
  forget_ids,      // of calls on names, see ForgetfulTransport
};

/// The cluster store of one manager process: transactions take time, and one that is under way when
/// its manager dies has happened or not.
class SimStore final : public cluster::ClusterStore {
 public:
  SimStore(Clock& clock, cluster::MemStore& disk) : state_(std::make_shared<State>(clock, disk)) {}
  ~SimStore() override { state_->alive = false; }
  void die() { state_->alive = false; }

  Task<std::optional<cluster::StoreRecord>> get(std::string key) override {
    return state_->disk.get(std::move(key));
  }
  Task<std::vector<cluster::StoreRecord>> list(std::string prefix) override {
    return state_->disk.list(std::move(prefix));
  }
  Task<uint64_t> txn(std::vector<cluster::StoreCompare> compares,
                     std::vector<cluster::StorePut> puts) override {
    return run(state_, std::move(compares), std::move(puts));
  }
  void watch(std::string prefix, std::function<void(uint64_t)> observer) override {
    state_->disk.watch(std::move(prefix), std::move(observer));
  }

 private:
  struct State {
    State(Clock& c, cluster::MemStore& d) : clock(c), disk(d) {}
    Clock& clock;
    cluster::MemStore& disk;
    bool alive = true;
  };
  static Task<uint64_t> run(std::shared_ptr<State> state,
                            std::vector<cluster::StoreCompare> compares,
                            std::vector<cluster::StorePut> puts);
  std::shared_ptr<State> state_;
};

/// A device that says of every write that it is durable: with a journal that does not flush, the
/// blade then acknowledges before the flush.
class CredulousDevice final : public io::Device {
 public:
  explicit CredulousDevice(io::Device& inner) : inner_(inner) {}
  uint64_t size_bytes() const override { return inner_.size_bytes(); }
  Task<io::WriteTicket> write(uint64_t offset, Buffer data) override {
    return inner_.write(offset, std::move(data));
  }
  Task<Buffer> read(uint64_t offset, size_t size) override { return inner_.read(offset, size); }
  Task<> flush() override { return inner_.flush(); }
  Task<> prepare(uint64_t offset, uint64_t size) override { return inner_.prepare(offset, size); }
  Task<> discard(uint64_t offset, uint64_t size) override { return inner_.discard(offset, size); }
  uint64_t durable_sequence() const override { return UINT64_MAX; }

 private:
  io::Device& inner_;
};

struct BladeProcess {
  BladeProcess(io::SimClock& clock, rpc::MemNetwork& network, const std::string& name,
               io::SimDisk& disk, kv::MemKvDisk& kv_disk, uint64_t seed, int32_t clock_ppm,
               bladed::BladeOptions options, std::function<void(Error)> fatal);

  Rng rng;
  SkewedClock clock;
  io::SimDevice device;
  CredulousDevice credulous{device};
  std::unique_ptr<kv::Kv> kv;
  std::unique_ptr<rpc::Transport> transport;
  bladed::Blade blade;
  std::optional<Result<>> started;  // how start() ended
  OneShot<> start_ended;
  bool dead = false;
};

struct ManagerProcess {
  ManagerProcess(io::SimClock& clock, rpc::MemNetwork& network, cluster::MemStore& disk,
                 cluster::ManagerOptions options);
  Task<> start();
  Task<> stop();

  SimStore store;
  std::unique_ptr<rpc::Transport> transport;
  cluster::Manager manager;
  rpc::Dispatcher dispatcher;
  std::unique_ptr<rpc::Listener> listener;
  std::optional<Result<>> started;
  OneShot<> start_ended;
};

struct GatewayProcess {
  GatewayProcess(io::SimClock& clock, rpc::MemNetwork& network, const std::string& name,
                 uint64_t seed, bool forget_ids);
  Task<> start(fs::FileSystemOptions options);
  Task<> stop();

  io::SimClock& clock;
  Rng rng;
  const std::string name;
  std::unique_ptr<rpc::Transport> transport;
  cluster::MapHolder map;
  cluster::MapClient map_client;
  std::unique_ptr<fs::ArrayFileSystem> files;
  std::optional<Result<>> started;
  OneShot<> start_ended;
  bool dead = false;
};

inline constexpr const char* kManagerAddress = "mem:manager";

}  // namespace turbine::sim
