// CPU of the gateway's thread per NFS call, over files that cost nothing: 4 connections on loopback
// with 8 calls in flight each. "CPU" is the server's thread alone.
#include <benchmark/benchmark.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>

#include "nfs/nfs3_args.hpp"
#include "nfs/server.hpp"
#include "support/memory_files.hpp"
#include "support/rpc_test_client.hpp"

namespace turbine::test {
namespace {

constexpr int kConnections = 4, kInFlight = 8, kBatch = 4096;

class OneExport final : public nfs::Exports {
 public:
  Task<std::optional<InodeId>> find(std::string) override { co_return kRootInode; }
  Task<std::optional<nfs::ExportAccess>> access(InodeId, nfs::ClientAddress) override {
    co_return nfs::ExportAccess{.secure = false};
  }
  Task<std::vector<nfs::ExportEntry>> list() override { co_return std::vector<nfs::ExportEntry>(); }
  uint64_t generation() const override { return 1; }
};

/// Sends `calls` calls over a blocking socket, kInFlight at a time.
void drive(uint16_t port, const std::string& call, int calls) {
  asio::io_context io;
  asio::ip::tcp::socket socket(io);
  socket.connect({asio::ip::make_address("127.0.0.1"), port});
  socket.set_option(asio::ip::tcp::no_delay(true));
  std::string stream;
  for (int i = 0; i < kInFlight; ++i) stream += call;
  asio::write(socket, asio::buffer(stream));
  std::string input(4 << 20, '\0');
  size_t have = 0;
  for (int sent = kInFlight, received = 0; received < calls;) {
    have += socket.read_some(asio::buffer(input.data() + have, input.size() - have));
    size_t at = 0;
    int whole = 0;
    while (have - at >= 4) {
      const size_t size = 4 + (load_be<uint32_t>(input.data() + at) & 0x7FFFFFFFU);
      if (have - at < size) break;
      at += size;
      ++whole;
    }
    input.replace(0, have - at, input, at, have - at);
    have -= at;
    received += whole;
    stream.clear();
    for (; whole > 0 && sent < calls; --whole, ++sent) stream += call;
    if (!stream.empty()) asio::write(socket, asio::buffer(stream));
  }
}

template <class Args>
void run(benchmark::State& state, uint32_t procedure, const Args& args, MemoryFiles& files,
         size_t bytes_per_call = 0) {
  Loop loop;
  OneExport exports;
  const nfs::HandleCodec handles({nfs::SipKey{}});
  nfs::Environment env{files, exports, handles, *loop.clock, 1, {}};
  nfs::RpcServer server(env, {}, {&nfs::nfs3_program()});
  if (!server.start().ok()) return state.SkipWithError("can't listen");
  nfs::RpcCallHeader header{1, nfs::kNfsProgram, nfs::kNfsVersion, procedure, {}};
  header.credential.flavor = nfs::kAuthSys;
  const std::string call = as_record(xdr_bytes(CallMessage{header}) + xdr_bytes(args));
  while (state.KeepRunningBatch(kBatch)) {
    std::atomic<int> running = kConnections;
    std::vector<std::jthread> clients;
    clients.reserve(kConnections);
    for (int i = 0; i < kConnections; ++i) {
      clients.emplace_back([&] {
        drive(server.port(), call, kBatch / kConnections);
        --running;
        asio::post(loop.io, [] {});
      });
    }
    while (running > 0) loop.io.run_one();
  }
  if (bytes_per_call > 0) {
    state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes_per_call));
  }
  (void)loop.run(server.stop());
}

nfs::NfsFh3 handle(InodeId inode) {
  return nfs::HandleCodec({nfs::SipKey{}}).encode({kRootInode, inode});
}

void null_call(benchmark::State& state) {
  MemoryFiles files;
  run(state, 0, nfs::VoidArgs{}, files);
}
void getattr(benchmark::State& state) {
  MemoryFiles files;
  run(state, 1, nfs::GetattrArgs{handle(kRootInode)}, files);
}
void lookup(benchmark::State& state) {
  MemoryFiles files;
  files.put(kRootInode, "name", fs::FileType::regular);
  run(state, 3, nfs::LookupArgs{{handle(kRootInode), "name"}}, files);
}
void read(benchmark::State& state) {
  MemoryFiles files;
  const auto size = static_cast<uint32_t>(state.range(0));
  const InodeId id = files.put(kRootInode, "name", fs::FileType::regular, std::string(size, 'x'));
  run(state, 6, nfs::ReadArgs{handle(id), 0, size}, files, size);
}
void write(benchmark::State& state) {
  MemoryFiles files;
  const auto size = static_cast<uint32_t>(state.range(0));
  const InodeId id = files.put(kRootInode, "name", fs::FileType::regular);
  nfs::WriteArgs args{.file = handle(id), .count = size};
  args.data = Buffer::zeroed(size);
  run(state, 7, args, files, size);
}
void readdirplus_1000(benchmark::State& state) {
  MemoryFiles files;
  for (int i = 0; i < 998; ++i) {
    files.put(kRootInode, fmt::format("name-{:06}", i), fs::FileType::regular);
  }
  run(state, 17, nfs::ReaddirplusArgs{handle(kRootInode), 0, 0, 1 << 20, 1 << 20}, files);
}

BENCHMARK(null_call);
BENCHMARK(getattr);
BENCHMARK(lookup);
BENCHMARK(read)->Arg(4096)->Arg(1 << 20);
BENCHMARK(write)->Arg(4096)->Arg(1 << 20);
BENCHMARK(readdirplus_1000);

}  // namespace
}  // namespace turbine::test
