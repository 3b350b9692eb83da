// What every cluster store promises, asked of all of them.
#include "cluster/cluster_store.hpp"

#include <gtest/gtest.h>

#include "base/rng.hpp"
#include "cluster/embedded_store.hpp"
#include "etcd/etcd_store.hpp"
#include "io/reactor.hpp"
#include "support/etcd_server.hpp"
#include "support/wait_for.hpp"

namespace turbine::etcd {
namespace {

using cluster::ClusterStore;
using cluster::StoreCompare;
using cluster::StorePut;
using cluster::StoreRecord;
using std::chrono::seconds;
using support::EtcdServer;
using support::wait_for;

/// A kind of store with what it stands on.
class Home {
 public:
  virtual ~Home() = default;
  virtual std::unique_ptr<ClusterStore> open(io::Reactor& reactor) = 0;
  virtual void close(io::Reactor&, ClusterStore&) {}
  /// What holds the records goes away and comes back.
  virtual void restart(io::Reactor&, std::unique_ptr<ClusterStore>&) {}
};

class MemHome final : public Home {
 public:
  std::unique_ptr<ClusterStore> open(io::Reactor&) override {
    return std::make_unique<cluster::MemStore>();
  }
};

class EmbeddedHome final : public Home {
 public:
  EmbeddedHome() {
    std::string name = (std::filesystem::temp_directory_path() / "turbine-store-XXXXXX").string();
    CHECK(mkdtemp(name.data()) != nullptr);
    directory_ = name;
  }
  ~EmbeddedHome() override { std::filesystem::remove_all(directory_); }
  std::unique_ptr<ClusterStore> open(io::Reactor& reactor) override {
    return cluster::EmbeddedStore::open(directory_, reactor.executor(), reactor.pool()).value();
  }
  void restart(io::Reactor& reactor, std::unique_ptr<ClusterStore>& store) override {
    store.reset();
    store = open(reactor);
  }

 private:
  std::filesystem::path directory_;
};

class EtcdHome final : public Home {
 public:
  struct Kind {
    support::EtcdTls tls = {};
    bool password = false;
    bool dead_endpoint_first = false;
  };
  explicit EtcdHome(Kind kind) : kind_(kind), server_(kind.tls) {
    if (kind_.password) server_.demand_password("open sesame");
  }
  std::unique_ptr<ClusterStore> open(io::Reactor& reactor) override {
    EtcdOptions options;
    options.endpoints = parse_endpoints(server_.url()).value();
    if (kind_.dead_endpoint_first) {
      const Endpoint dead{"127.0.0.1", dead_port_.number(), kind_.tls.on};
      options.endpoints.insert(options.endpoints.begin(), dead);
    }
    options.prefix = "/turbine/test/";
    // A busy machine may be slow; time-outs are not what is tested here.
    options.connect_timeout = options.call_timeout = options.log_on_timeout = seconds(30);
    if (kind_.tls.on) options.ca_file = server_.file("ca.pem");
    if (kind_.tls.client_certificates) {
      options.cert_file = server_.file("client.pem");
      options.key_file = server_.file("client.key");
    }
    if (kind_.password) {
      options.user = "root";
      options.password = "open sesame";
    }
    auto store = EtcdStore::make(reactor.clock(), options).value();
    const auto started = reactor.run(store->start());
    EXPECT_TRUE(started.ok()) << started.error().text();
    return store;
  }
  void close(io::Reactor& reactor, ClusterStore& store) override {
    EXPECT_TRUE(reactor.run(dynamic_cast<EtcdStore&>(store).stop()).ok());
  }
  void restart(io::Reactor&, std::unique_ptr<ClusterStore>&) override {
    server_.kill();
    server_.start();
  }

 private:
  const Kind kind_;
  EtcdServer server_;
  const support::ReservedPort dead_port_;
};

struct Make {
  const char* name;
  std::function<std::unique_ptr<Home>()> home;
};

class ClusterStoreTest : public testing::TestWithParam<Make> {
 protected:
  void SetUp() override {
    home_ = GetParam().home();
    store_ = home_->open(reactor_);
  }
  void TearDown() override {
    if (store_) home_->close(reactor_, *store_);
    store_.reset();
  }

  std::optional<StoreRecord> get(std::string key) {
    auto record = reactor_.run(store_->get(std::move(key)));
    EXPECT_TRUE(record.ok()) << record.error().text();
    return record.value_or(std::nullopt);
  }
  std::string value(const std::string& key) {
    const auto record = get(key);
    return record ? record->value : "(none)";
  }
  Result<uint64_t> txn(std::vector<StoreCompare> compares, std::vector<StorePut> puts) {
    return reactor_.run(store_->txn(std::move(compares), std::move(puts)));
  }
  uint64_t commit(std::vector<StoreCompare> compares, std::vector<StorePut> puts) {
    const auto done = txn(std::move(compares), std::move(puts));
    EXPECT_TRUE(done.ok()) << done.error().text();
    return done.value_or(0);
  }
  uint64_t put(const std::string& key, const std::string& value) {
    return commit({}, {{key, value}});
  }
  void expect_conflict(std::vector<StoreCompare> compares, std::vector<StorePut> puts) {
    const auto done = txn(std::move(compares), std::move(puts));
    EXPECT_TRUE(done.failed_with(Errc::conflict)) << (done.ok() ? "done" : done.error().text());
  }
  std::vector<std::string> keys(const std::string& prefix) {
    std::vector<std::string> out;
    const auto records = reactor_.run(store_->list(prefix));
    EXPECT_TRUE(records.ok()) << records.error().text();
    if (!records.ok()) return out;
    for (const StoreRecord& record : *records) out.push_back(record.key);
    return out;
  }

  io::Reactor reactor_;
  std::unique_ptr<Home> home_;
  std::unique_ptr<ClusterStore> store_;
};

TEST_P(ClusterStoreTest, ReadsWhatWasPutWithTheRevisionOfItsTransaction) {
  EXPECT_FALSE(get("a").has_value());
  const uint64_t first = put("a", "1");
  const uint64_t second = put("b", "");
  EXPECT_GT(first, 0U);
  EXPECT_GT(second, first);
  EXPECT_EQ(get("a")->revision, first);
  EXPECT_EQ(get("a")->key, "a");
  ASSERT_TRUE(get("b").has_value()) << "an empty value is a value";
  EXPECT_EQ(get("b")->revision, second);
}

TEST_P(ClusterStoreTest, ListsAPrefixInOrderOfKeys) {
  for (const char* key : {"user/2", "user/10", "user", "users", "user/1", "v", "user0"}) {
    put(key, "x");
  }
  EXPECT_EQ(keys("user/"), (std::vector<std::string>{"user/1", "user/10", "user/2"}));
  EXPECT_EQ(keys("w"), std::vector<std::string>{});
  EXPECT_EQ(keys("").size(), 7U);
}

TEST_P(ClusterStoreTest, DoesAllPutsOfATransactionOrNone) {
  const uint64_t revision = put("a", "1");
  commit({{"a", revision}, {"new", 0}}, {{"a", "2"}, {"b", "2"}});
  expect_conflict({{"a", revision}}, {{"a", "3"}, {"c", "3"}});
  expect_conflict({{"a", 0}}, {{"c", "3"}});
  expect_conflict({{"b", get("b")->revision}, {"d", 1}}, {{"c", "3"}});
  EXPECT_EQ(value("a"), "2");
  EXPECT_EQ(value("b"), "2");
  EXPECT_EQ(get("a")->revision, get("b")->revision);
  EXPECT_EQ(value("c"), "(none)");
}

TEST_P(ClusterStoreTest, RemovesRecordsAndLetsThemBeMadeAgain) {
  put("a", "1");
  const uint64_t old = put("a", "2");
  commit({{"a", old}}, {{"a", std::nullopt}, {"never there", std::nullopt}});
  EXPECT_FALSE(get("a").has_value());
  expect_conflict({{"a", old}}, {{"a", "3"}});
  EXPECT_GT(commit({{"a", 0}}, {{"a", "4"}}), old) << "a revision is never given twice";
}

TEST_P(ClusterStoreTest, KeepsAnyBytesInKeysAndValues) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  const std::string high = "\xFF\xFF";
  put(all, all + all + "x");
  put(high, "1");
  put(high + std::string("\0", 1), "2");
  put("\xFE", "3");
  EXPECT_EQ(value(all), all + all + "x");
  EXPECT_EQ(keys(high), (std::vector<std::string>{high, high + std::string("\0", 1)}));
  for (size_t size = 0; size < 8; ++size) {
    put("tail", all.substr(250 - size, size));
    EXPECT_EQ(value("tail"), all.substr(250 - size, size));
  }
}

TEST_P(ClusterStoreTest, KeepsAMebibyte) {
  Rng rng(7);
  std::string large(1 << 20, '\0');
  for (char& byte : large) byte = static_cast<char>(rng.next());
  const uint64_t revision = put("large", large);
  EXPECT_EQ(value("large"), large);
  commit({{"large", revision}}, {{"large", large.substr(1)}, {"b", "1"}});
  EXPECT_EQ(value("large"), large.substr(1));
}

TEST_P(ClusterStoreTest, TellsWatchersOfEveryTransactionOnTheirPrefixInOrder) {
  put("a/0", "before");
  std::vector<uint64_t> seen, seen_all;
  store_->watch("a/", [&](uint64_t revision) { seen.push_back(revision); });
  store_->watch("", [&](uint64_t revision) { seen_all.push_back(revision); });
  std::vector<uint64_t> expected, expected_all;
  for (int i = 0; i < 20; ++i) {
    expected.push_back(commit({}, {{"a/1", std::to_string(i)}, {"a/2", ""}}));
    expected_all.push_back(expected.back());
    expected_all.push_back(put("b/1", ""));
  }
  expected.push_back(commit({}, {{"a/1", std::nullopt}}));
  expected_all.push_back(expected.back());
  EXPECT_TRUE(wait_for(reactor_, [&] { return seen.size() >= 21 && seen_all.size() >= 41; }));
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(seen_all, expected_all);
}

TEST_P(ClusterStoreTest, KeepsRecordsAndRevisionsOverARestart) {
  const uint64_t one = put("a", "1");
  const uint64_t two = put("b", "2");
  home_->restart(reactor_, store_);
  EXPECT_EQ(get("a")->revision, one);
  EXPECT_EQ(value("b"), "2");
  expect_conflict({{"a", two}}, {{"a", "x"}});
  EXPECT_GT(commit({{"a", one}}, {{"a", "3"}}), two);
}

TEST_P(ClusterStoreTest, LetsOneOfManyAtATimeWin) {
  const uint64_t revision = put("count", "0");
  std::vector<Task<uint64_t>> all;
  all.reserve(16);
  for (int i = 0; i < 16; ++i) {
    all.push_back(store_->txn({{"count", revision}}, {{"count", std::to_string(i)}}));
  }
  int won = 0;
  std::vector<Result<uint64_t>> results;
  const auto run = [](std::vector<Task<uint64_t>> tasks,
                      std::vector<Result<uint64_t>>& out) -> Task<> {
    out = co_await when_all(std::move(tasks));
    co_return Result<>{};
  };
  ASSERT_TRUE(reactor_.run(run(std::move(all), results)).ok());
  for (const auto& result : results) {
    if (result.ok()) ++won;
    EXPECT_TRUE(result.ok() || result.failed_with(Errc::conflict)) << result.error().text();
  }
  EXPECT_EQ(won, 1);
}

template <class T, class... Args>
Make kind(const char* name, Args... args) {
  return {name, [args...]() -> std::unique_ptr<Home> { return std::make_unique<T>(args...); }};
}

INSTANTIATE_TEST_SUITE_P(
    All, ClusterStoreTest,
    testing::Values(
        kind<MemHome>("Memory"), kind<EmbeddedHome>("Embedded"),
        kind<EtcdHome>("Etcd", EtcdHome::Kind{}),
        kind<EtcdHome>("EtcdTls", EtcdHome::Kind{.tls = {.on = true}}),
        kind<EtcdHome>("EtcdClientCertificate",
                       EtcdHome::Kind{.tls = {.on = true, .client_certificates = true}}),
        kind<EtcdHome>("EtcdPassword", EtcdHome::Kind{.tls = {}, .password = true}),
        kind<EtcdHome>("EtcdTlsPassword", EtcdHome::Kind{.tls = {.on = true}, .password = true}),
        kind<EtcdHome>("EtcdDeadEndpointFirst",
                       EtcdHome::Kind{.tls = {}, .dead_endpoint_first = true})),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace turbine::etcd
