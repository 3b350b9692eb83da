// Operations of one partition with 1 to 3 replicas, called as the primary's RPC dispatcher calls
// them: CPU time alone (MemKv, simulated devices and network, virtual time) and on a real disk
// (RocksDB, io_uring, Unix sockets). All replicas run in this thread; cpu_us is their sum.
//   build/src/meta/partition_bench      in the directory whose disk is meant
#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/async.hpp"
#include "io/reactor.hpp"
#include "io/sim_clock.hpp"
#include "io/sim_device.hpp"
#include "io/uring_device.hpp"
#include "kv/mem_kv.hpp"
#include "kv/rocks_kv.hpp"
#include "meta/partition_host.hpp"
#include "proto/rpc.pb.h"
#include "rpc/mem_transport.hpp"

namespace turbine::meta {
namespace {

constexpr uint64_t kDeviceBytes = uint64_t{256} << 20;
constexpr journal::Options kLog{.region_bytes = kDeviceBytes};

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](timeval t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

[[noreturn]] void give_up(const Error& error) {
  fmt::print(stderr, "{}\n", error.text());
  std::abort();
}

/// No stripes here: small objects only.
class NoShards final : public stripe::ShardIo {
 public:
  Task<> put(BladeId, ShardId, GroupId, uint64_t, uint64_t, Buffer) override {
    co_return Result<>{};
  }
  Task<Buffer> read(BladeId, ShardId, uint32_t, uint32_t) override {
    co_return fail(Errc::not_found, "no shards here");
  }
  Task<> free(BladeId, std::vector<ShardId>) override { co_return Result<>{}; }
  bool alive(BladeId) const override { return true; }
};

proto::ClusterMap one_partition(uint32_t replicas) {
  proto::ClusterMap map;
  map.set_array_id("00000000000000000000000000000001");
  map.set_epoch(1);
  proto::Partition* partition = map.add_partitions();
  partition->set_primary(1);
  partition->set_term(1);
  for (uint32_t i = 1; i <= replicas; ++i) {
    proto::Blade* blade = map.add_blades();
    blade->set_id(i);
    blade->set_state(proto::BLADE_HEALTHY);
    partition->add_replicas(i);
    partition->add_wanted(i);
  }
  return map;
}

/// Time, network, devices and stores in virtual time.
struct Simulated {
  struct Disk {
    explicit Disk(Simulated& world)
        : device(bytes, world.clock), kv(kv::open_mem_kv(world.clock, kv_disk)) {}
    io::SimDisk bytes{kDeviceBytes, 1};
    io::SimDevice device;
    kv::MemKvDisk kv_disk;
    std::unique_ptr<kv::Kv> kv;

    io::Device& get_device() { return device; }
  };
  io::SimClock clock;
  rpc::MemNetwork network{clock, Rng(2)};

  Clock& get_clock() { return clock; }
  rpc::Address address(uint32_t blade) const { return fmt::format("mem:{}", blade); }
  std::unique_ptr<rpc::Transport> transport(uint32_t blade) {
    return network.attach(std::to_string(blade));
  }
  template <class T>
  Result<T> run(Task<T> task) {
    return clock.run(std::move(task));
  }
};

/// Files, RocksDBs and Unix sockets in the current directory.
struct Real {
  struct Disk {
    explicit Disk(Real& world) : path(world.path + "." + std::to_string(++world.disks)) {
      device = io::open_uring_device(world.reactor, path, kDeviceBytes, {.create = true}).value();
      kv = kv::open_rocks_kv(world.reactor.executor(), world.reactor.pool(),
                             {.directory = path + ".kv"})
               .value();
    }
    ~Disk() {
      kv.reset();
      ::unlink(path.c_str());
      std::filesystem::remove_all(path + ".kv");
    }
    std::string path;
    std::unique_ptr<io::Device> device;
    std::unique_ptr<kv::Kv> kv;

    io::Device& get_device() { return *device; }
  };
  io::Reactor reactor;
  std::string path = "partition_bench." + std::to_string(::getpid());
  int disks = 0;

  Clock& get_clock() { return reactor.clock(); }
  rpc::Address address(uint32_t blade) const { return fmt::format("unix:{}.s{}", path, blade); }
  std::unique_ptr<rpc::Transport> transport(uint32_t) {
    return rpc::make_socket_transport(reactor.executor(), reactor.clock(), {.secret = "bench"});
  }
  template <class T>
  Result<T> run(Task<T> task) {
    return reactor.run(std::move(task));
  }
};

/// The partition services of as many blades as the only partition has replicas, over `World`. All
/// of them run in this thread, so CPU time is that of all together.
template <class World>
class Bed {
 public:
  explicit Bed(uint32_t replicas) : record_(one_partition(replicas)) {
    for (uint32_t i = 1; i <= replicas; ++i) {
      record_.mutable_blades(static_cast<int>(i - 1))->set_address(world_.address(i));
    }
    for (uint32_t i = 1; i <= replicas; ++i) start(i);
  }
  ~Bed() {
    for (auto& blade : blades_) check(world_.run(blade->listener->stop()));
    for (auto& blade : blades_) check(world_.run(blade->host->stop()));
    for (auto& blade : blades_) {
      check(world_.run(blade->journal->stop()));
      check(world_.run(blade->transport->stop()));
    }
  }

  template <class Body>
  Task<rpc::Reply> call(int type, Body body, std::string payload = {}) {
    rpc::Request request;
    request.type = static_cast<uint16_t>(type);
    request.id = {SessionId(900), ++last_request_};
    request.epoch = Epoch(1);
    request.body = body.SerializeAsString();
    if (!payload.empty()) request.payload = Buffer::copy_of(payload);
    return blades_.front()->dispatcher.dispatch(std::move(request));
  }

  /// Waits until the partition is led.
  InodeId make_bucket() {
    proto::MakeDirectoryRequest request;
    request.set_directory(kRootInode.value);
    request.set_name("bucket");
    auto reply = world_.run(call(proto::MAKE_DIRECTORY, request));
    for (int i = 0; i < 1000 && !reply.ok(); ++i) {
      check(world_.run(clock().sleep_for(std::chrono::milliseconds(10))));
      reply = world_.run(call(proto::MAKE_DIRECTORY, request));
    }
    if (!reply.ok()) give_up(reply.error());
    proto::MakeDirectoryReply made;
    made.ParseFromString(reply->body);
    return InodeId(made.inode().id());
  }
  World& world() { return world_; }

 private:
  struct Blade {
    explicit Blade(World& world) : disk(world) {}
    typename World::Disk disk;
    cluster::MapHolder map;
    std::unique_ptr<rpc::Transport> transport;
    std::unique_ptr<PartitionClient> client;
    rpc::Dispatcher dispatcher;
    std::unique_ptr<journal::Journal> journal;
    std::unique_ptr<PartitionHost> host;
    std::unique_ptr<rpc::Listener> listener;
  };

  Clock& clock() { return world_.get_clock(); }
  static void check(Result<> result) {
    if (!result.ok()) give_up(result.error());
  }

  void start(uint32_t id) {
    Blade& blade = *blades_.emplace_back(std::make_unique<Blade>(world_));
    blade.map.update(record_);
    blade.transport = world_.transport(id);
    blade.client = std::make_unique<PartitionClient>(clock(), *blade.transport, blade.map);
    Options options;
    options.self = BladeId(id);
    options.session = SessionId(1000 + id);
    blade.host = std::make_unique<PartitionHost>(
        Seams{.executor = clock().executor(),
              .clock = clock(),
              .rng = rng_,
              .kv = *blade.disk.kv,
              .map = blade.map,
              .client = *blade.client,
              .shard_io = shards_,
              .call_blade =
                  [client = blade.client.get()](BladeId to, rpc::Request request,
                                                TimePoint deadline) {
                    return client->call_raw(to, std::move(request), deadline);
                  },
              .change_partitions = [](auto) { return nobody_decides(); },
              .chunk_unapplied = {},
              .fatal = give_up},
        options);
    check(world_.run(journal::Journal::format(blade.disk.get_device(), kLog)));
    auto opened = world_.run(journal::Journal::open(clock().executor(), blade.disk.get_device(),
                                                    kLog, {}, nullptr, nullptr));
    if (!opened.ok()) give_up(opened.error());
    blade.journal = std::move(*opened);
    blade.host->register_handlers(blade.dispatcher);
    check(world_.run(blade.host->start(*blade.journal)));
    auto listener = blade.transport->listen(world_.address(id), [&blade](rpc::Request request) {
      return blade.dispatcher.dispatch(std::move(request));
    });
    if (!listener.ok()) give_up(listener.error());
    blade.listener = std::move(*listener);
  }
  static Task<> nobody_decides() { co_return fail(Errc::unavailable, "there is no manager"); }

  World world_;
  Rng rng_{1};
  proto::ClusterMap record_;
  NoShards shards_;
  std::vector<std::unique_ptr<Blade>> blades_;
  uint64_t last_request_ = 0;
};

template <class World>
struct Work {
  Bed<World>& bed;
  InodeId bucket;
  std::string payload;
  uint64_t left = 0, next = 0, keys = 1;
};

std::string name_of(uint64_t number) {
  return fmt::format("object-{:010}", number);
}

template <class World>
Task<rpc::Reply> put_one(Work<World>& work) {
  proto::PutFileRequest request;
  request.set_directory(work.bucket.value);
  request.add_path(name_of(work.next++));
  request.mutable_attributes()->set_etag("d41d8cd98f00b204e9800998ecf8427e");
  request.mutable_content()->set_size(work.payload.size());
  request.mutable_content()->set_inline_payload(true);
  request.set_session(900);
  return work.bed.call(proto::PUT_FILE, std::move(request), work.payload);
}

template <class World>
Task<rpc::Reply> lookup_one(Work<World>& work) {
  proto::LookupRequest request;
  request.set_directory(work.bucket.value);
  request.set_name(name_of(work.next++ * 7919 % work.keys));
  request.set_want_content(true);
  request.set_length(1 << 20);
  return work.bed.call(proto::LOOKUP, std::move(request));
}

template <class World>
Task<rpc::Reply> delete_one(Work<World>& work) {
  proto::DeleteFileRequest request;
  request.set_directory(work.bucket.value);
  request.set_name(name_of(work.next++));
  return work.bed.call(proto::DELETE_FILE, std::move(request));
}

/// 1000 entries from somewhere on.
template <class World>
Task<rpc::Reply> list_one(Work<World>& work) {
  proto::ListDirectoryRequest request;
  request.set_directory(work.bucket.value);
  request.set_after(name_of(work.next++ * 1000 % work.keys));
  request.set_count(1000);
  return work.bed.call(proto::LIST_DIRECTORY, std::move(request));
}

template <class World>
using OneCall = Task<rpc::Reply> (*)(Work<World>&);

template <class World>
Task<> in_turn(Work<World>& work, OneCall<World> one) {
  while (work.left > 0) {
    --work.left;
    CO_TRY(co_await one(work));
  }
  co_return Result<>{};
}

template <class World>
Task<> many(Work<World>& work, OneCall<World> one, uint64_t workers, uint64_t count) {
  work.left = count;
  std::vector<Task<>> tasks;
  tasks.reserve(workers);
  for (uint64_t i = 0; i < workers; ++i) tasks.push_back(in_turn(work, one));
  for (auto& result : co_await when_all(std::move(tasks))) CO_TRY(std::move(result));
  co_return Result<>{};
}

enum class Kind { put, lookup, remove, list };

/// Arguments: bytes of an object, calls in flight, replicas.
template <class World, Kind kind>
void partition(benchmark::State& state) {
  constexpr uint64_t kKeys = 20'000;
  constexpr uint64_t kPerRound = kind == Kind::list ? 100 : 2000;
  constexpr OneCall<World> kCall = kind == Kind::put      ? &put_one<World>
                                   : kind == Kind::lookup ? &lookup_one<World>
                                   : kind == Kind::remove ? &delete_one<World>
                                                          : &list_one<World>;
  Bed<World> bed(static_cast<uint32_t>(state.range(2)));
  Work<World> work{bed, bed.make_bucket(), std::string(static_cast<size_t>(state.range(0)), 'x')};
  const auto workers = static_cast<uint64_t>(state.range(1));
  const auto run = [&](OneCall<World> call, uint64_t count) {
    const auto done = bed.world().run(many<World>(work, call, workers, count));
    if (!done.ok()) give_up(done.error());
  };
  if (kind == Kind::lookup || kind == Kind::list) run(&put_one<World>, kKeys);
  work.keys = kKeys;
  work.next = 0;
  uint64_t calls = 0;
  double cpu = 0;
  for (auto _ : state) {
    if (kind == Kind::remove) {
      state.PauseTiming();
      const uint64_t first = work.next;
      run(&put_one<World>, kPerRound);
      work.next = first;
      state.ResumeTiming();
    }
    const double before = cpu_seconds();
    run(kCall, kPerRound);
    cpu += cpu_seconds() - before;
    calls += kPerRound;
  }
  const auto count = static_cast<double>(calls);
  state.counters["calls/s"] = benchmark::Counter(count, benchmark::Counter::kIsRate);
  state.counters["cpu_us"] = cpu * 1e6 / count;
}

#define PARTITION_BENCHMARK(world, kind, ...)            \
  BENCHMARK(partition<world, Kind::kind>)                \
      ->Name("partition_" #kind "/" #world)              \
      ->ArgNames({"bytes", "calls", "replicas"})         \
      ->ArgsProduct({{0, 4096}, {1, 32}, {__VA_ARGS__}}) \
      ->UseRealTime()                                    \
      ->Unit(benchmark::kMillisecond)
PARTITION_BENCHMARK(Simulated, put, 1, 2, 3);
PARTITION_BENCHMARK(Simulated, lookup, 1);
PARTITION_BENCHMARK(Simulated, remove, 1, 3);
PARTITION_BENCHMARK(Simulated, list, 1);
PARTITION_BENCHMARK(Real, put, 1, 2, 3);
PARTITION_BENCHMARK(Real, lookup, 1);
PARTITION_BENCHMARK(Real, remove, 1, 3);
PARTITION_BENCHMARK(Real, list, 1);

}  // namespace
}  // namespace turbine::meta
