// Operations of one partition, called as the RPC dispatcher calls them: CPU time alone (MemKv and
// simulated device, virtual time) and on a real disk (RocksDB, io_uring).
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

proto::ClusterMap one_partition() {
  proto::ClusterMap map;
  map.set_array_id("00000000000000000000000000000001");
  map.set_epoch(1);
  proto::Blade* blade = map.add_blades();
  blade->set_id(1);
  blade->set_state(proto::BLADE_HEALTHY);
  blade->set_address("unix:/nowhere");
  proto::Partition* partition = map.add_partitions();
  partition->set_primary(1);
  partition->add_replicas(1);
  partition->set_term(1);
  return map;
}

/// Time, device and store in virtual time.
struct Simulated {
  io::SimClock clock;
  io::SimDisk disk{kDeviceBytes, 1};
  io::SimDevice device{disk, clock};
  kv::MemKvDisk kv_disk;
  std::unique_ptr<kv::Kv> kv = kv::open_mem_kv(clock, kv_disk);

  io::Device& get_device() { return device; }
  Clock& get_clock() { return clock; }
  template <class T>
  Result<T> run(Task<T> task) {
    return clock.run(std::move(task));
  }
};

/// A file and a RocksDB in the current directory.
struct Real {
  io::Reactor reactor;
  std::string path = "partition_bench." + std::to_string(::getpid());
  std::unique_ptr<io::Device> device =
      io::open_uring_device(reactor, path, kDeviceBytes, {.create = true}).value();
  std::unique_ptr<kv::Kv> kv =
      kv::open_rocks_kv(reactor.executor(), reactor.pool(), {.directory = path + ".kv"}).value();

  ~Real() {
    kv.reset();
    ::unlink(path.c_str());
    std::filesystem::remove_all(path + ".kv");
  }
  io::Device& get_device() { return *device; }
  Clock& get_clock() { return reactor.clock(); }
  template <class T>
  Result<T> run(Task<T> task) {
    return reactor.run(std::move(task));
  }
};

/// The partition service of one blade with one partition over `World`.
template <class World>
class Bed {
 public:
  Bed() : transport_(rpc::make_socket_transport(clock().executor(), clock(), {})) {
    map_.update(one_partition());
    client_ = std::make_unique<PartitionClient>(clock(), *transport_, map_);
    Options options;
    options.self = BladeId(1);
    options.session = SessionId(1000);
    host_ = std::make_unique<PartitionHost>(Seams{.executor = clock().executor(),
                                                  .clock = clock(),
                                                  .rng = rng_,
                                                  .kv = *world_.kv,
                                                  .map = map_,
                                                  .client = *client_,
                                                  .shard_io = shards_,
                                                  .call_blade = {},
                                                  .change_partitions = {},
                                                  .chunk_unapplied = {},
                                                  .fatal = give_up},
                                            options);
    check(world_.run(journal::Journal::format(world_.get_device(), kLog)));
    auto opened = world_.run(journal::Journal::open(clock().executor(), world_.get_device(), kLog,
                                                    {}, nullptr, nullptr));
    if (!opened.ok()) give_up(opened.error());
    journal_ = std::move(*opened);
    host_->register_handlers(dispatcher_);
    check(world_.run(host_->start(*journal_)));
  }
  ~Bed() {
    check(world_.run(host_->stop()));
    check(world_.run(journal_->stop()));
    check(world_.run(transport_->stop()));
  }

  template <class Body>
  Task<rpc::Reply> call(int type, Body body, std::string payload = {}) {
    rpc::Request request;
    request.type = static_cast<uint16_t>(type);
    request.id = {SessionId(900), ++last_request_};
    request.epoch = Epoch(1);
    request.body = body.SerializeAsString();
    if (!payload.empty()) request.payload = Buffer::copy_of(payload);
    return dispatcher_.dispatch(std::move(request));
  }

  InodeId make_bucket() {
    proto::MakeDirectoryRequest request;
    request.set_directory(kRootInode.value);
    request.set_name("bucket");
    auto reply = world_.run(call(proto::MAKE_DIRECTORY, std::move(request)));
    if (!reply.ok()) give_up(reply.error());
    proto::MakeDirectoryReply made;
    made.ParseFromString(reply->body);
    return InodeId(made.inode().id());
  }
  World& world() { return world_; }

 private:
  Clock& clock() { return world_.get_clock(); }
  static void check(Result<> result) {
    if (!result.ok()) give_up(result.error());
  }

  World world_;
  Rng rng_{1};
  cluster::MapHolder map_;
  NoShards shards_;
  std::unique_ptr<rpc::Transport> transport_;
  std::unique_ptr<PartitionClient> client_;
  rpc::Dispatcher dispatcher_;
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<PartitionHost> host_;
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

/// Arguments: bytes of an object, calls in flight.
template <class World, Kind kind>
void partition(benchmark::State& state) {
  constexpr uint64_t kKeys = 20'000;
  constexpr uint64_t kPerRound = kind == Kind::list ? 100 : 2000;
  constexpr OneCall<World> kCall = kind == Kind::put      ? &put_one<World>
                                   : kind == Kind::lookup ? &lookup_one<World>
                                   : kind == Kind::remove ? &delete_one<World>
                                                          : &list_one<World>;
  Bed<World> bed;
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

#define PARTITION_BENCHMARK(world, kind)    \
  BENCHMARK(partition<world, Kind::kind>)   \
      ->Name("partition_" #kind "/" #world) \
      ->ArgsProduct({{0, 4096}, {1, 32}})   \
      ->UseRealTime()                       \
      ->Unit(benchmark::kMillisecond)
PARTITION_BENCHMARK(Simulated, put);
PARTITION_BENCHMARK(Simulated, lookup);
PARTITION_BENCHMARK(Simulated, remove);
PARTITION_BENCHMARK(Simulated, list);
PARTITION_BENCHMARK(Real, put);
PARTITION_BENCHMARK(Real, lookup);
PARTITION_BENCHMARK(Real, remove);
PARTITION_BENCHMARK(Real, list);

}  // namespace
}  // namespace turbine::meta
