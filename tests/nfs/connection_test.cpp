// ONC RPC over real sockets: what is refused and how, calls in parallel, slow and hostile clients,
// bounds on memory.
#include <sys/resource.h>

#include "base/rng.hpp"
#include "support/nfs_fixture.hpp"

namespace turbine::test {
namespace {

using nfs::AcceptStat;
using std::chrono::milliseconds;
using std::chrono::seconds;

class NfsConnections : public NfsFixture {
 protected:
  AcceptStat stat_of(uint32_t program, uint32_t version, uint32_t procedure,
                     const std::string& args = {}) {
    const RawReply reply =
        ask(client_.call_bytes(program, version, procedure, nfs::VoidArgs{}) + args);
    EXPECT_TRUE(reply.good && !reply.header.denied);
    last_ = reply.header;
    return reply.header.stat;
  }
  /// Whether the server closes the connection instead of answering.
  bool closes_after(const std::string& stream) {
    if (!server_) start();
    RpcTestClient client(loop_);
    EXPECT_TRUE(loop_.run(client.connect(server_->port())).ok());
    (void)loop_.run(client.send(stream));
    return loop_.run(client.receive()).failed_with(Errc::closed);
  }
  bool wait_until(const std::function<bool()>& done) {
    for (int i = 0; i < 30'000 && !done(); ++i) {
      (void)loop_.run(loop_.clock->sleep_for(milliseconds(1)));
    }
    return done();
  }
  static Task<> receive_all(RpcTestClient& client, int count) {
    for (int i = 0; i < count; ++i) CO_TRY(co_await client.receive());
    co_return Result<>{};
  }
  static Task<> all_of(std::vector<Task<>> tasks) {
    for (auto& result : co_await when_all(std::move(tasks))) CO_TRY(std::move(result));
    co_return Result<>{};
  }
  std::string read_call(const nfs::NfsFh3& file, uint32_t count) {
    return as_record(client_.call_bytes(nfs::kNfsProgram, 3, 6, nfs::ReadArgs{file, 0, count}));
  }
  nfs::RpcReplyHeader last_;
};

TEST_F(NfsConnections, AnswerTheUnknownAsTheRfcSays) {
  EXPECT_EQ(stat_of(nfs::kNfsProgram, 3, 0), AcceptStat::success);
  EXPECT_EQ(stat_of(100227, 3, 0), AcceptStat::prog_unavail);  // NFSACL
  EXPECT_EQ(stat_of(nfs::kNfsProgram, 2, 0), AcceptStat::prog_mismatch);
  EXPECT_EQ(last_.lowest, 3U);
  EXPECT_EQ(last_.highest, 3U);
  EXPECT_EQ(stat_of(nfs::kNfsProgram, 4, 1), AcceptStat::prog_mismatch);
  EXPECT_EQ(stat_of(nfs::kMountProgram, 1, 0), AcceptStat::prog_mismatch);
  EXPECT_EQ(stat_of(nfs::kNfsProgram, 3, 22), AcceptStat::proc_unavail);
  EXPECT_EQ(stat_of(nfs::kNfsProgram, 3, UINT32_MAX), AcceptStat::proc_unavail);
  EXPECT_EQ(stat_of(nfs::kPortmapProgram, 2, 1), AcceptStat::proc_unavail);  // SET
  EXPECT_EQ(stat_of(nfs::kNfsProgram, 3, 0), AcceptStat::success);
}

TEST_F(NfsConnections, DenyOtherRpcVersionsAndCredentials) {
  std::string message = client_.call_bytes(nfs::kNfsProgram, 3, 0, nfs::VoidArgs{});
  message[11] = 3;
  RawReply reply = ask(message);
  EXPECT_TRUE(reply.header.denied);
  EXPECT_EQ(reply.header.reject_stat, 0U);
  EXPECT_EQ(reply.header.highest, 2U);
  client_.credential.flavor = 6;  // RPCSEC_GSS
  reply = ask(client_.call_bytes(nfs::kNfsProgram, 3, 0, nfs::VoidArgs{}));
  EXPECT_TRUE(reply.header.denied);
  EXPECT_EQ(reply.header.reject_stat, 1U);
  EXPECT_EQ(reply.header.auth_stat, 2U);
}

TEST_F(NfsConnections, AnswerGarbageArgumentsOfEveryProcedure) {
  for (uint32_t procedure = 1; procedure <= 21; ++procedure) {
    EXPECT_EQ(stat_of(nfs::kNfsProgram, 3, procedure), AcceptStat::garbage_args) << procedure;
    EXPECT_EQ(stat_of(nfs::kNfsProgram, 3, procedure, std::string(200, '\xFF')),
              AcceptStat::garbage_args)
        << procedure;
  }
  EXPECT_EQ(stat_of(nfs::kNfsProgram, 3, 0, std::string(4, '\0')), AcceptStat::garbage_args);
  EXPECT_EQ(stat_of(nfs::kMountProgram, 3, 1), AcceptStat::garbage_args);
  const std::string handle_of_65 = xdr_bytes(uint32_t{65}) + std::string(68, '\0');
  EXPECT_EQ(stat_of(nfs::kNfsProgram, 3, 1, handle_of_65), AcceptStat::garbage_args);
}

TEST_F(NfsConnections, CloseWhatCantBeReadOn) {
  EXPECT_TRUE(closes_after(as_record("abc")));
  EXPECT_TRUE(closes_after(as_record(std::string(40, '\0').replace(7, 1, 1, '\1'))));  // a reply
  EXPECT_TRUE(closes_after(record_mark((1 << 20) + 4097)));
  EXPECT_TRUE(closes_after(record_mark(0, false)));
  std::string flood;
  for (int i = 0; i < 17; ++i) flood += record_mark(1, false) + "x";
  EXPECT_TRUE(closes_after(flood));
  EXPECT_TRUE(closes_after("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_EQ(stat_of(nfs::kNfsProgram, 3, 0), AcceptStat::success);  // others don't notice
}

TEST_F(NfsConnections, SurviveRandomBytes) {
  start();
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Rng rng(seed);
    std::string noise(1 + rng.below(3000), '\0');
    rng.fill(std::as_writable_bytes(std::span(noise)));
    // A right mark, and often a right head, so that the noise gets inside.
    std::string message = client_.call_bytes(nfs::kNfsProgram, 3,
                                             static_cast<uint32_t>(rng.below(22)), nfs::VoidArgs{});
    if (rng.chance(1, 2)) message.clear();
    message += noise;
    RpcTestClient client(loop_);
    ASSERT_TRUE(loop_.run(client.connect(server_->port())).ok());
    ASSERT_TRUE(loop_.run(client.send(as_record(message))).ok());
    client.socket().shutdown(asio::socket_base::shutdown_send);
    (void)loop_.run(client.receive());
  }
  EXPECT_TRUE(wait_until([&] { return server_->connection_count() == 1; }));
  EXPECT_EQ(server_->bytes_in_flight(), 0U);
}

TEST_F(NfsConnections, RunCallsOfOneConnectionInParallel) {
  start();
  const nfs::NfsFh3 slow = handle(file("slow", "slow"));
  Event release(loop_.executor());
  bool held = false;
  files_.before = [&]() -> Task<> {
    if (!std::exchange(held, true)) return release.wait();
    return []() -> Task<> { co_return Result<>{}; }();
  };
  const uint32_t first = client_.next_xid;
  std::string stream = read_call(slow, 4) + read_call(slow, 4) + read_call(slow, 4);
  ASSERT_TRUE(loop_.run(client_.send(stream)).ok());
  EXPECT_EQ(loop_.run(client_.receive())->header.xid, first + 1);
  EXPECT_EQ(loop_.run(client_.receive())->header.xid, first + 2);
  release.notify_all();
  EXPECT_EQ(loop_.run(client_.receive())->header.xid, first);
}

TEST_F(NfsConnections, AnswerManyCallsThatArriveInPieces) {
  start();
  const nfs::NfsFh3 a = handle(file("a", "content"));
  std::string stream;
  for (int i = 0; i < 500; ++i) stream += read_call(a, 7);
  Rng rng(1);
  for (size_t at = 0; at < stream.size();) {
    const size_t size = 1 + rng.below(900);
    ASSERT_TRUE(loop_.run(client_.send(stream.substr(at, size))).ok());
    at += size;
  }
  std::set<uint32_t> seen;
  for (int i = 0; i < 500; ++i) {
    auto reply = loop_.run(client_.receive());
    ASSERT_TRUE(reply.ok());
    EXPECT_TRUE(reply->results.ends_with(std::string_view("content\0", 8)));
    seen.insert(reply->header.xid);
  }
  EXPECT_EQ(seen.size(), 500U);
}

TEST_F(NfsConnections, DoNotReadOnForAClientThatDoesNotReadItsReplies) {
  limits_.calls_max = 8;
  start();
  const nfs::NfsFh3 a = handle(file("a", std::string(1 << 20, 'x')));
  int reads = 0;
  files_.before = [&]() -> Task<> {
    ++reads;
    return []() -> Task<> { co_return Result<>{}; }();
  };
  constexpr int kCalls = 40;
  std::string stream;
  for (int i = 0; i < kCalls; ++i) stream += read_call(a, 1 << 20);
  ASSERT_TRUE(loop_.run(client_.send(stream)).ok());
  EXPECT_TRUE(wait_until([&] { return server_->bytes_in_flight() == size_t{8} << 20; }));
  (void)loop_.run(loop_.clock->sleep_for(milliseconds(50)));
  EXPECT_LT(reads, kCalls / 2);  // 8, and what fits into the socket's buffers
  EXPECT_LE(server_->bytes_in_flight(), size_t{8} << 20);
  for (int i = 0; i < kCalls; ++i) ASSERT_TRUE(loop_.run(client_.receive()).ok());
  EXPECT_EQ(reads, kCalls);
  EXPECT_TRUE(wait_until([&] { return server_->bytes_in_flight() == 0; }));
}

TEST_F(NfsConnections, ShareBoundedMemoryAndAllGetTheirTurn) {
  limits_.server_bytes_max = size_t{4} << 20;
  limits_.connection_bytes_max = size_t{2} << 20;
  start();
  const nfs::NfsFh3 a = handle(file("a", std::string(1 << 20, 'x')));
  size_t most = 0;
  files_.before = [&]() -> Task<> {
    most = std::max(most, server_->bytes_in_flight());
    return []() -> Task<> { co_return Result<>{}; }();
  };
  std::vector<std::unique_ptr<RpcTestClient>> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(std::make_unique<RpcTestClient>(loop_));
    ASSERT_TRUE(loop_.run(clients.back()->connect(server_->port())).ok());
    std::string stream;
    for (int call = 0; call < 6; ++call) stream += read_call(a, 1 << 20);
    ASSERT_TRUE(loop_.run(clients.back()->send(stream)).ok());
  }
  std::vector<Task<>> readers;
  readers.reserve(clients.size());
  for (auto& client : clients) readers.push_back(receive_all(*client, 6));
  EXPECT_TRUE(loop_.run(all_of(std::move(readers))).ok());
  EXPECT_GT(most, 0U);
  EXPECT_LE(most, size_t{4} << 20);
  EXPECT_TRUE(wait_until([&] { return server_->bytes_in_flight() == 0; }));
}

TEST_F(NfsConnections, CutAClientThatNeverEndsItsRecord) {
  limits_.record_time = milliseconds(100);
  start();
  RpcTestClient client(loop_);
  ASSERT_TRUE(loop_.run(client.connect(server_->port())).ok());
  ASSERT_TRUE(loop_.run(client.send(record_mark(1 << 20) + std::string(3000, 'x'))).ok());
  EXPECT_TRUE(wait_until([&] { return server_->bytes_in_flight() == size_t{1} << 20; }));
  EXPECT_TRUE(loop_.run(client.receive()).failed_with(Errc::closed));
  EXPECT_TRUE(wait_until([&] { return server_->bytes_in_flight() == 0; }));
}

TEST_F(NfsConnections, CutAClientThatDoesNotReadItsReplies) {
  limits_.send_time = milliseconds(100);
  start();
  const nfs::NfsFh3 a = handle(file("a", std::string(1 << 20, 'x')));
  std::string stream;
  for (int i = 0; i < 16; ++i) stream += read_call(a, 1 << 20);
  ASSERT_TRUE(loop_.run(client_.send(stream)).ok());
  EXPECT_TRUE(wait_until([&] { return server_->connection_count() == 0; }));
  EXPECT_EQ(server_->bytes_in_flight(), 0U);
}

TEST_F(NfsConnections, CutThoseWhoDoNotReadSoonerWhenOthersWaitForMemory) {
  limits_.server_bytes_max = size_t{4} << 20;
  limits_.send_time_pressed = milliseconds(100);
  start();
  const nfs::NfsFh3 a = handle(file("a", std::string(1 << 20, 'x')));
  std::string stream;
  for (int i = 0; i < 16; ++i) stream += read_call(a, 1 << 20);
  RpcTestClient deaf(loop_);
  ASSERT_TRUE(loop_.run(deaf.connect(server_->port())).ok());
  ASSERT_TRUE(loop_.run(deaf.send(stream)).ok());
  EXPECT_TRUE(wait_until([&] { return server_->bytes_in_flight() == size_t{4} << 20; }));
  ASSERT_TRUE(loop_.run(client_.send(read_call(a, 1 << 20))).ok());
  EXPECT_TRUE(loop_.run(client_.receive()).ok());
}

TEST_F(NfsConnections, CutThoseWhoDoNotEndTheirRecordsSoonerWhenOthersWaitForMemory) {
  limits_.server_bytes_max = size_t{4} << 20;
  limits_.record_time_pressed = milliseconds(100);
  start();
  const nfs::NfsFh3 a = handle(file("a", std::string(1 << 20, 'x')));
  std::vector<std::unique_ptr<RpcTestClient>> stuck;
  for (int i = 0; i < 8; ++i) {
    stuck.push_back(std::make_unique<RpcTestClient>(loop_));
    ASSERT_TRUE(loop_.run(stuck.back()->connect(server_->port())).ok());
    ASSERT_TRUE(loop_.run(stuck.back()->send(record_mark(1 << 20) + std::string(3000, 'x'))).ok());
  }
  EXPECT_TRUE(wait_until([&] { return server_->bytes_in_flight() == size_t{4} << 20; }));
  ASSERT_TRUE(loop_.run(client_.send(read_call(a, 1 << 20))).ok());
  EXPECT_TRUE(loop_.run(client_.receive()).ok());
}

TEST_F(NfsConnections, AreCutUnreadByAProcessThatHasSlept) {
  limits_.sleep_max = milliseconds(0);  // it always has
  start();
  const std::string call =
      client_.call_bytes(nfs::kNfsProgram, nfs::kNfsVersion, 1, nfs::GetattrArgs{root()});
  ASSERT_TRUE(loop_.run(client_.send(as_record(call))).ok());
  EXPECT_TRUE(loop_.run(client_.receive()).failed_with(Errc::closed));
  EXPECT_TRUE(env_.stats.all().empty());
}

TEST_F(NfsConnections, EndWhenIdle) {
  limits_.idle_time = milliseconds(100);
  start();
  EXPECT_TRUE(loop_.run(client_.receive()).failed_with(Errc::closed));
}

TEST_F(NfsConnections, EndSoonWhenOnlyNullWasCalled) {
  limits_.greeting_time = milliseconds(100);
  start();
  RpcTestClient silent(loop_), greeting(loop_);
  ASSERT_TRUE(loop_.run(silent.connect(server_->port())).ok());
  ASSERT_TRUE(loop_.run(greeting.connect(server_->port())).ok());
  const std::string null = client_.call_bytes(nfs::kMountProgram, 3, 0, nfs::VoidArgs{});
  ASSERT_TRUE(loop_.run(greeting.send(as_record(null))).ok());
  EXPECT_TRUE(loop_.run(greeting.receive()).ok());
  // Of one that also works NULL may be the sign of life.
  const nfs::NfsFh3 a = handle(file("a", "abc"));
  ASSERT_TRUE(loop_.run(client_.send(read_call(a, 3) + as_record(null))).ok());
  EXPECT_TRUE(loop_.run(receive_all(client_, 2)).ok());
  EXPECT_TRUE(wait_until([&] { return server_->connection_count() == 2; }));
  EXPECT_TRUE(loop_.run(greeting.receive()).failed_with(Errc::closed));
  // All were looked at once more when this one ends too.
  RpcTestClient later(loop_);
  ASSERT_TRUE(loop_.run(later.connect(server_->port())).ok());
  ASSERT_TRUE(loop_.run(later.send(as_record(null))).ok());
  EXPECT_TRUE(loop_.run(later.receive()).ok());
  EXPECT_TRUE(loop_.run(later.receive()).failed_with(Errc::closed));
  EXPECT_TRUE(wait_until([&] { return server_->connection_count() == 2; }));
}

TEST_F(NfsConnections, AnswerAClientThatHasClosedItsSide) {
  start();
  const nfs::NfsFh3 a = handle(file("a", "abc"));
  ASSERT_TRUE(loop_.run(client_.send(read_call(a, 3) + read_call(a, 3))).ok());
  client_.socket().shutdown(asio::socket_base::shutdown_send);
  EXPECT_TRUE(loop_.run(client_.receive()).ok());
  EXPECT_TRUE(loop_.run(client_.receive()).ok());
  EXPECT_TRUE(loop_.run(client_.receive()).failed_with(Errc::closed));
}

TEST_F(NfsConnections, ForgetAClientThatVanishesWithCallsInFlight) {
  start();
  const nfs::NfsFh3 a = handle(file("a", "abc"));
  Event release(loop_.executor());
  files_.before = [&]() { return release.wait(); };
  ASSERT_TRUE(loop_.run(client_.send(read_call(a, 3) + read_call(a, 3))).ok());
  EXPECT_TRUE(wait_until([&] { return server_->bytes_in_flight() == 6; }));
  client_.socket().set_option(asio::socket_base::linger(true, 0));
  client_.socket().close();
  (void)loop_.run(loop_.clock->sleep_for(milliseconds(5)));
  release.notify_all();
  EXPECT_TRUE(wait_until([&] { return server_->connection_count() == 0; }));
  EXPECT_EQ(server_->bytes_in_flight(), 0U);
}

TEST_F(NfsConnections, AreAtMostSoMany) {
  limits_.connections_max = 3;
  start();
  std::vector<std::unique_ptr<RpcTestClient>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<RpcTestClient>(loop_));
    ASSERT_TRUE(loop_.run(clients.back()->connect(server_->port())).ok());
  }
  EXPECT_TRUE(loop_.run(clients[2]->receive()).failed_with(Errc::closed));
  EXPECT_TRUE(loop_.run(clients[3]->receive()).failed_with(Errc::closed));
  EXPECT_EQ(server_->connection_count(), 3U);
  clients.clear();
  EXPECT_TRUE(wait_until([&] { return server_->connection_count() == 1; }));
  EXPECT_EQ(stat_of(nfs::kNfsProgram, 3, 0), AcceptStat::success);
}

TEST_F(NfsConnections, OfAThousandClientsTakeBoundedMemory) {
  constexpr size_t kClients = 1000;
  limits_.server_bytes_max = size_t{8} << 20;
  rlimit files{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  ASSERT_GT(files.rlim_cur, 2 * kClients + 100) << "raise the limit of open files (ulimit -Hn)";
  start();
  std::vector<std::unique_ptr<RpcTestClient>> clients;
  for (size_t i = 0; i < kClients; ++i) {
    clients.push_back(std::make_unique<RpcTestClient>(loop_));
    ASSERT_TRUE(loop_.run(clients.back()->connect(server_->port())).ok());
    ASSERT_TRUE(
        loop_.run(clients.back()->send(record_mark(1 << 20) + std::string(2000, 'x'))).ok());
  }
  EXPECT_TRUE(wait_until([&] { return server_->connection_count() == kClients + 1; }));
  EXPECT_TRUE(wait_until([&] { return server_->bytes_in_flight() == size_t{8} << 20; }));
  EXPECT_EQ(stat_of(nfs::kNfsProgram, 3, 0),
            AcceptStat::success);  // small calls need nothing of it
  EXPECT_LE(server_->bytes_in_flight(), size_t{8} << 20);
}

TEST_F(NfsConnections, StopAnswersCallsInFlight) {
  start();
  const nfs::NfsFh3 a = handle(file("a", "abc"));
  Event release(loop_.executor());
  files_.before = [&]() { return release.wait(); };
  ASSERT_TRUE(loop_.run(client_.send(read_call(a, 3))).ok());
  EXPECT_TRUE(wait_until([&] { return server_->bytes_in_flight() == 3; }));
  bool stopped = false;
  Gate gate(loop_.executor());
  gate.spawn("stop", [](nfs::RpcServer& server, bool& done) -> Task<> {
    auto result = co_await server.stop(seconds(30));
    done = true;
    co_return result;
  }(*server_, stopped));
  (void)loop_.run(loop_.clock->sleep_for(milliseconds(5)));
  EXPECT_FALSE(stopped);
  release.notify_all();
  EXPECT_TRUE(loop_.run(client_.receive()).ok());
  EXPECT_TRUE(wait_until([&] { return stopped; }));
  EXPECT_TRUE(loop_.run(gate.close()).ok());
  server_.reset();
}

TEST_F(NfsConnections, CallsAreCountedByProcedure) {
  const InodeId id = file("a", "abc");
  nfs3<nfs::VoidResult>(0, nfs::VoidArgs{});
  nfs3<nfs::ReadResult>(6, nfs::ReadArgs{handle(id), 0, 100});
  nfs3<nfs::ReadResult>(6, nfs::ReadArgs{handle(bucket_), 0, 100});
  EXPECT_EQ(stat_of(nfs::kNfsProgram, 3, 6), AcceptStat::garbage_args);
  const auto counters = [&](uint32_t procedure) -> nfs::CallCounters& {
    return env_.stats.of(nfs::nfs3_program(), *nfs::nfs3_program().find(procedure));
  };
  EXPECT_EQ(counters(0).count, 1U);
  EXPECT_EQ(counters(0).errors, 0U);
  EXPECT_EQ(counters(6).count, 3U);
  EXPECT_EQ(counters(6).errors, 2U);
  EXPECT_EQ(counters(6).bytes, 3U);
  EXPECT_EQ(counters(6).latency.count(), 3U);
  EXPECT_EQ(env_.stats.all().size(), 2U);
}

TEST_F(NfsConnections, ATakenPortIsNamed) {
  start();
  nfs::RpcServer second(env_, {.port = server_->port()}, {&nfs::nfs3_program()});
  const auto started = second.start();
  ASSERT_TRUE(started.failed_with(Errc::exists));
  EXPECT_TRUE(started.error().context.contains(std::to_string(server_->port())));
}

}  // namespace
}  // namespace turbine::test
