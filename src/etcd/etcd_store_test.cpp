#include "etcd/etcd_store.hpp"

#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>

#include "cluster/settled_txn.hpp"
#include "io/reactor.hpp"
#include "support/etcd_server.hpp"
#include "support/wait_for.hpp"

namespace turbine::etcd {
namespace {

using asio::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::seconds;
using support::EtcdServer;
using support::wait_for;

class EtcdStoreTest : public testing::Test {
 protected:
  void TearDown() override {
    for (auto& store : stores_) EXPECT_TRUE(run(store->stop()).ok());
  }
  /// With time to spare, as the machine may be busy.
  EtcdOptions options(const EtcdServer& server) {
    EtcdOptions made;
    made.endpoints = parse_endpoints(server.url()).value();
    made.prefix = "/turbine/test/";
    made.connect_timeout = made.call_timeout = made.log_on_timeout = seconds(30);
    return made;
  }
  /// With the time-outs of arrays.
  EtcdOptions usual_options(const EtcdServer& server) {
    EtcdOptions made = options(server);
    made.connect_timeout = EtcdOptions().connect_timeout;
    made.call_timeout = EtcdOptions().call_timeout;
    return made;
  }
  EtcdOptions options_of_root(const EtcdServer& server) {
    EtcdOptions made = options(server);
    made.user = "root";
    made.password = "open sesame";
    return made;
  }
  EtcdStore& add(EtcdOptions options) {
    stores_.push_back(EtcdStore::make(reactor_.clock(), std::move(options)).value());
    return *stores_.back();
  }
  EtcdStore& open(EtcdOptions options) {
    EtcdStore& store = add(std::move(options));
    const auto started = run(store.start());
    EXPECT_TRUE(started.ok()) << started.error().text();
    return store;
  }
  template <class T>
  Result<T> run(Task<T> task) {
    return reactor_.run(std::move(task));
  }

  io::Reactor reactor_;
  std::vector<std::unique_ptr<EtcdStore>> stores_;
};

/// Accepts a connection, and says nothing.
class SilentServer {
 public:
  explicit SilentServer(Executor executor)
      : acceptor_(executor, tcp::endpoint(asio::ip::address_v4::loopback(), 0)), socket_(executor) {
    acceptor_.async_accept(socket_, [this](auto error) {
      if (error) return;
      socket_.async_wait(tcp::socket::wait_read, [this](auto failed) {
        if (!failed) asked_ = true;
      });
    });
  }
  Endpoint endpoint(bool tls = false) const {
    return {"127.0.0.1", acceptor_.local_endpoint().port(), tls};
  }
  bool asked() const { return asked_; }

 private:
  asio::basic_socket_acceptor<tcp, Executor> acceptor_;
  asio::basic_stream_socket<tcp, Executor> socket_;
  bool asked_ = false;
};

TEST_F(EtcdStoreTest, KeepsArraysApartByTheirPrefix) {
  EtcdServer server;
  EtcdStore& one = open(options(server));
  EtcdOptions other = options(server);
  other.prefix = "/turbine/other/";
  EtcdStore& two = add(other);
  ASSERT_TRUE(run(two.start()).ok());
  ASSERT_TRUE(run(one.txn({}, {{"map", "1"}})).ok());
  EXPECT_TRUE(run(two.list("")).value().empty());
  EXPECT_TRUE(run(two.txn({{"map", 0}}, {{"map", "2"}})).ok());
  EXPECT_EQ(run(one.get("map")).value()->value, "1");
  EXPECT_NE(server.post("/v3/kv/range", R"({"key":"L3R1cmJpbmUvdGVzdC9tYXA="})").find("MQ=="),
            std::string::npos)
      << "/turbine/test/map";
}

TEST_F(EtcdStoreTest, SaysUnavailableInTimeWhileNobodyAnswersAndWorksAgainLater) {
  EtcdServer server;
  EtcdStore& store = open(usual_options(server));
  const uint64_t revision = run(store.txn({}, {{"a", "1"}})).value();
  server.kill();
  const TimePoint begin = reactor_.clock().now();
  EXPECT_TRUE(run(store.get("a")).failed_with(Errc::unavailable));
  EXPECT_TRUE(run(store.txn({{"a", revision}}, {{"a", "2"}})).failed_with(Errc::unavailable));
  EXPECT_LT(reactor_.clock().now() - begin, seconds(6));
  server.start();
  EXPECT_EQ(run(store.get("a")).value()->revision, revision);
  EXPECT_TRUE(run(store.txn({{"a", revision}}, {{"a", "3"}})).ok());
}

TEST_F(EtcdStoreTest, SaysThatTheOutcomeIsUnknownWhenEtcdIsSilent) {
  EtcdServer server;
  EtcdStore& store = open(usual_options(server));
  const uint64_t revision = run(store.txn({}, {{"a", "1"}})).value();
  server.pause();
  const TimePoint begin = reactor_.clock().now();
  EXPECT_TRUE(run(store.txn({{"a", revision}}, {{"a", "2"}})).failed_with(Errc::timeout));
  EXPECT_LT(reactor_.clock().now() - begin, seconds(4));
  server.resume();
  // It was executed, or will be, or never; whichever, settling it ends with the record as wanted.
  std::optional<uint64_t> settled;
  ASSERT_TRUE(wait_for(reactor_, [&] {
    const auto read = run(store.get("a"));
    if (!read.ok()) return false;
    EXPECT_TRUE((*read)->value == "1" || (*read)->value == "2") << (*read)->value;
    const auto done = run(cluster::settled_txn(store, {{"a", (*read)->revision}}, {{"a", "2"}}));
    // What was sent before the pause may still come between the two.
    EXPECT_TRUE(done.ok() || done.failed_with(Errc::conflict)) << done.error().text();
    if (done.ok()) settled = *done;
    return done.ok();
  }));
  EXPECT_EQ(run(store.get("a")).value()->revision, *settled);
}

TEST_F(EtcdStoreTest, LeavesASilentEndpointForAnotherWhenItReads) {
  EtcdServer server, other;
  EtcdOptions both = usual_options(server);
  both.endpoints.push_back(options(other).endpoints.front());
  EtcdStore& store = add(both);
  ASSERT_TRUE(run(store.start()).ok());
  server.pause();
  EXPECT_TRUE(run(store.get("a")).ok());
  server.resume();
}

TEST_F(EtcdStoreTest, SaysWhatWentWrongRatherThanThatTimeWasUp) {
  const support::ReservedPort dead;
  SilentServer silent(reactor_.executor());
  EtcdOptions both;
  both.endpoints = {{"127.0.0.1", dead.number(), true}, silent.endpoint(true)};
  both.call_timeout = milliseconds(300);  // the second's handshake is cut short
  const auto refused = run(add(both).txn({}, {{"a", "1"}}));
  ASSERT_TRUE(refused.failed_with(Errc::unavailable)) << refused.error().text();
  EXPECT_NE(refused.error().context.find("refused"), std::string::npos) << refused.error().text();
}

TEST_F(EtcdStoreTest, MissesNoChangeWhileEtcdIsAway) {
  EtcdServer server;
  EtcdStore& store = open(options(server));
  std::vector<uint64_t> seen;
  store.watch("a/", [&](uint64_t revision) { seen.push_back(revision); });
  const uint64_t first = run(store.txn({}, {{"a/1", "1"}})).value();
  ASSERT_TRUE(wait_for(reactor_, [&] { return seen == std::vector<uint64_t>{first}; }));
  server.kill();
  server.start();
  // Another client may be faster than the watch that reconnects.
  EtcdStore& other = open(options(server));
  std::vector<uint64_t> expected{first};
  for (int i = 0; i < 5; ++i) {
    expected.push_back(run(other.txn({}, {{"a/2", std::to_string(i)}})).value());
  }
  EXPECT_TRUE(wait_for(reactor_, [&] { return seen.size() >= expected.size(); }));
  EXPECT_EQ(seen, expected);
}

TEST_F(EtcdStoreTest, GoesOnWithAWatchWhoseRevisionsWereCompacted) {
  EtcdServer server;
  EtcdStore& store = open(options(server));
  std::vector<uint64_t> seen;
  store.watch("a", [&](uint64_t revision) { seen.push_back(revision); });
  // The watch has not run yet: it begins with what is compacted here.
  uint64_t last = 0;
  for (int i = 0; i < 5; ++i) {
    const std::string answer = server.post(
        "/v3/kv/put", R"({"key":"L3R1cmJpbmUvdGVzdC9h","value":"MQ=="})");  // /turbine/test/a
    last = header_revision(parse_object(answer, "put").value());
  }
  server.post("/v3/kv/compaction", R"({"revision":")" + std::to_string(last) + R"("})");
  EXPECT_TRUE(wait_for(reactor_, [&] { return !seen.empty() && seen.back() == last; }));
  const uint64_t next = run(store.txn({}, {{"a", "2"}})).value();
  EXPECT_TRUE(wait_for(reactor_, [&] { return seen.back() == next; }));
}

TEST_F(EtcdStoreTest, TakesANewTokenWhenEtcdHasForgottenTheOldOne) {
  EtcdServer server;
  server.demand_password("open sesame");
  EtcdStore& store = open(options_of_root(server));
  std::vector<uint64_t> seen;
  store.watch("a", [&](uint64_t revision) { seen.push_back(revision); });
  server.forget_tokens("open sesame");
  server.kill();  // the watch needs a token again
  server.start();
  const auto done = run(store.txn({{"a", 0}}, {{"a", "1"}}));
  ASSERT_TRUE(done.ok()) << done.error().text();
  EXPECT_TRUE(wait_for(reactor_, [&] { return seen == std::vector<uint64_t>{*done}; }));
}

TEST_F(EtcdStoreTest, TakesANewTokenForAWatchThoughNothingElseIsAsked) {
  EtcdServer server;
  server.demand_password("open sesame");
  EtcdStore& store = open(options_of_root(server));
  std::vector<uint64_t> seen;
  store.watch("a", [&](uint64_t revision) { seen.push_back(revision); });
  server.forget_tokens("open sesame");
  server.kill();
  server.start();
  const auto done = run(open(options_of_root(server)).txn({{"a", 0}}, {{"a", "1"}}));
  ASSERT_TRUE(done.ok()) << done.error().text();
  EXPECT_TRUE(wait_for(reactor_, [&] { return seen == std::vector<uint64_t>{*done}; }));
}

/// How often somebody's password was right.
uint64_t log_ons(const EtcdServer& server) {
  return server.metric(
      "grpc_server_handled_total{grpc_code=\"OK\",grpc_method=\"Authenticate\","
      "grpc_service=\"etcdserverpb.Auth\",grpc_type=\"unary\"}");
}

TEST_F(EtcdStoreTest, LogsOnThoughEtcdTakesLongerToCheckAPasswordThanACallMayTake) {
  EtcdServer server;
  server.demand_password("open sesame");
  EtcdOptions impatient = options_of_root(server);
  impatient.call_timeout = seconds(1);
  EtcdStore& store = add(impatient);
  server.pause();
  EXPECT_TRUE(run(store.get("a")).failed_with(Errc::unavailable));
  const TimerId timer = reactor_.clock().call_at(reactor_.clock().now() + milliseconds(1500),
                                                 [&] { server.resume(); });
  const auto started = run(store.start());
  EXPECT_TRUE(started.ok()) << started.error().text();
  reactor_.clock().cancel(timer);
  server.resume();
  EXPECT_EQ(log_ons(server), 1U) << "the first call did not log on in vain";
}

TEST_F(EtcdStoreTest, LogsOnOnceForAllCallsThatWantAToken) {
  EtcdServer server;
  server.demand_password("open sesame");
  EtcdStore& store = open(options_of_root(server));
  server.forget_tokens("open sesame");
  const uint64_t before = log_ons(server);
  ASSERT_GT(before, 0U);
  std::vector<Task<std::optional<cluster::StoreRecord>>> asked;
  asked.reserve(16);
  for (int i = 0; i < 16; ++i) asked.push_back(store.get("a"));
  const auto all = [](auto tasks) -> Task<> {
    for (const auto& record : co_await when_all(std::move(tasks))) {
      EXPECT_TRUE(record.ok()) << record.error().text();
    }
    co_return Result<>{};
  };
  ASSERT_TRUE(run(all(std::move(asked))).ok());
  EXPECT_EQ(log_ons(server), before + 1);
}

TEST_F(EtcdStoreTest, SaysDeniedForAWrongPasswordAndForNone) {
  EtcdServer server;
  server.demand_password("open sesame");
  EtcdOptions wrong = options_of_root(server);
  wrong.password = "guess";
  const auto refused = run(add(wrong).start());
  EXPECT_TRUE(refused.failed_with(Errc::denied)) << refused.error().text();
  EXPECT_NE(refused.error().context.find("user root"), std::string::npos);
  const auto nobody = run(add(options(server)).start());
  EXPECT_TRUE(nobody.failed_with(Errc::denied)) << nobody.error().text();
}

TEST_F(EtcdStoreTest, TrustsNoCertificateOfAnotherAuthorityOrName) {
  EtcdServer server({.on = true});
  EtcdOptions stranger = usual_options(server);
  stranger.ca_file = server.file("other.pem");
  const auto refused = run(add(stranger).start());
  EXPECT_TRUE(refused.failed_with(Errc::unavailable)) << refused.error().text();
  EXPECT_NE(refused.error().context.find("certificate verify failed"), std::string::npos);
  EtcdOptions renamed = usual_options(server);
  renamed.ca_file = server.file("ca.pem");
  renamed.endpoints[0].host = "localhost";  // the certificate is for 127.0.0.1
  EXPECT_TRUE(run(add(renamed).start()).failed_with(Errc::unavailable));
  renamed.endpoints[0].host = "127.0.0.1";
  EXPECT_TRUE(run(add(renamed).start()).ok());
}

TEST_F(EtcdStoreTest, NamesACertificateFileItCannotUse) {
  EtcdOptions options;
  options.endpoints = {{"127.0.0.1", 1, true}};
  options.ca_file = "/nonexistent/ca.pem";
  const auto made = EtcdStore::make(reactor_.clock(), options);
  ASSERT_TRUE(made.failed_with(Errc::invalid));
  EXPECT_NE(made.error().context.find("/nonexistent/ca.pem"), std::string::npos);
}

TEST_F(EtcdStoreTest, PassesEtcdsLimitsOn) {
  EtcdServer server;
  EtcdStore& store = open(options(server));
  for (const int size : {(1 << 20) + (1 << 19) + 1, 2 << 20, 8 << 20}) {
    const auto refused = run(store.txn({}, {{"a", std::string(static_cast<size_t>(size), 'x')}}));
    EXPECT_TRUE(refused.failed_with(Errc::too_large)) << size << ": " << refused.error().text();
  }
  EXPECT_TRUE(run(store.txn({}, {{"a", "1"}, {"a", "2"}})).failed_with(Errc::invalid));
  EXPECT_FALSE(run(store.get("a")).value().has_value());
}

TEST_F(EtcdStoreTest, EndsWaitingCallsWhenItIsStopped) {
  SilentServer server(reactor_.executor());
  EtcdOptions silent;
  silent.endpoints = {server.endpoint()};
  silent.call_timeout = seconds(60);
  EtcdStore& store = add(silent);
  OneShot<> ended(reactor_.executor());
  Gate gate(reactor_.executor());
  const auto ask = [](EtcdStore& asked, OneShot<> done) -> Task<> {
    const auto record = co_await asked.get("a");
    done.set(record.failed_with(Errc::closed) ? Result<>{} : Result<>(fail(Errc::io, "open")));
    co_return Result<>{};
  };
  gate.spawn("ask", ask(store, ended));
  ASSERT_TRUE(wait_for(reactor_, [&] { return server.asked(); }));
  const TimePoint begin = reactor_.clock().now();
  ASSERT_TRUE(run(store.stop()).ok());
  EXPECT_TRUE(run(ended.wait()).ok());
  EXPECT_LT(reactor_.clock().now() - begin, seconds(20));
  EXPECT_TRUE(run(gate.close()).ok());
}

}  // namespace
}  // namespace turbine::etcd
