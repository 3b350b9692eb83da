#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <thread>

#include "admin/client_connection.hpp"
#include "admin/http_server.hpp"
#include "admin/metrics_text.hpp"
#include "admin/operations.hpp"
#include "admin/problem.hpp"
#include "admin/routes.hpp"
#include "io/sim_clock.hpp"
#include "support/memory_file_system.hpp"

namespace turbine::admin {
namespace {

constexpr std::string_view kToken = "a-token-of-some-length";

/// A running server with its reactor on a thread, for the blocking client.
class ServerThread {
 public:
  explicit ServerThread(HttpHandler handler, HttpServerOptions options = {}) {
    auto started = HttpServer::start(context_.get_executor(), options, std::move(handler));
    EXPECT_TRUE(started.ok());
    server_ = std::move(*started);
    thread_ = std::thread([this] {
      const auto guard = asio::make_work_guard(context_);
      context_.run();
    });
  }
  ~ServerThread() {
    asio::post(context_, [this] {
      asio::co_spawn(context_, server_->stop(),
                     [this](std::exception_ptr, Result<>) { context_.stop(); });
    });
    thread_.join();
  }
  Result<HttpResponse> call(std::string method, std::string target, std::string_view token = "",
                            std::string body = "") {
    ClientRequest request;
    request.host = "127.0.0.1";
    request.port = server_->port();
    request.method = std::move(method);
    request.target = std::move(target);
    request.token = std::string(token);
    request.body = std::move(body);
    return http_call(request);
  }
  uint16_t port() const { return server_->port(); }

 private:
  asio::io_context context_{1};
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

/// Partition i is on blade i + 1 and the replicas - 1 blades after it.
proto::ClusterMap example_map(int blades, std::vector<int> dead, int replicas = 1) {
  proto::ClusterMap map;
  map.set_array_id(std::string(32, 'a'));
  map.set_array_name("example");
  map.set_epoch(7);
  for (int i = 1; i <= blades; ++i) {
    proto::Blade* blade = map.add_blades();
    blade->set_id(static_cast<uint32_t>(i));
    const bool is_dead = std::count(dead.begin(), dead.end(), i) > 0;
    blade->set_state(is_dead ? proto::BLADE_DEAD : proto::BLADE_HEALTHY);
    blade->set_capacity_bytes(600);
    blade->set_used_bytes(60);
  }
  for (int i = 0; i < 12; ++i) {
    proto::Partition* partition = map.add_partitions();
    partition->set_primary(static_cast<uint32_t>(i % blades + 1));
    for (int j = 0; j < replicas; ++j) {
      partition->add_replicas(static_cast<uint32_t>((i + j) % blades + 1));
      partition->add_wanted(partition->replicas(j));
    }
  }
  proto::Layout* layout = map.add_layouts();
  layout->set_id(1);
  layout->set_data_count(4);
  layout->set_parity_count(2);
  layout->set_preferred(true);
  proto::Group* group = layout->add_groups();
  for (int i = 1; i <= 6; ++i) group->add_blades(static_cast<uint32_t>(i));
  proto::User* root = map.add_users();
  root->set_id(1);
  root->set_name("root");
  root->set_root(true);
  return map;
}

ArrayStatus status_of(std::vector<int> dead, std::vector<BladeReport> reports = {},
                      int replicas = 1) {
  return array_status(cluster::ClusterMap(example_map(6, std::move(dead), replicas)), reports);
}
ArrayStatus replicated(std::vector<int> dead) {
  return status_of(std::move(dead), {}, 3);
}
bool says(const ArrayStatus& status, std::string_view text) {
  return status.advice.find(text) != std::string::npos;
}

class FakeArray final : public ArrayControl {
 public:
  cluster::MapPtr map() const override { return map_; }
  std::vector<BladeReport> reports() const override { return {}; }
  Task<proto::User> create_user(std::string name) override {
    if (name == "taken") co_return fail(Errc::exists, "user {} exists", name);
    proto::User user;
    user.set_id(2);
    user.set_name(name);
    co_return user;
  }
  Task<> delete_user(std::string name) override {
    if (name == "root") co_return fail(Errc::denied, "root stays");
    co_return fail(Errc::not_found, "there is no user {}", name);
  }
  Task<proto::AccessKey> create_key(std::string) override {
    proto::AccessKey key;
    key.set_access_key("AK");
    key.set_secret_key("SK");
    co_return key;
  }
  Task<> delete_key(std::string) override { co_return Result<>{}; }
  Task<> set_export_policy(proto::NfsExportPolicy policy) override {
    proto::ClusterMap record = map_->record();
    *record.mutable_nfs()->add_policies() = std::move(policy);
    map_ = std::make_shared<cluster::ClusterMap>(std::move(record));
    co_return Result<>{};
  }
  Task<> delete_export_policy(std::string name) override {
    co_return fail(Errc::not_found, "export {} has no policy of its own", name);
  }
  Task<> set_bucket_quota(InodeId bucket, std::optional<uint64_t> bytes,
                          std::vector<InodeId>) override {
    proto::ClusterMap record = map_->record();
    record.clear_quotas();
    if (bytes.has_value()) {
      proto::BucketQuota& quota = *record.add_quotas();
      quota.set_bucket(bucket.value);
      quota.set_bytes(*bytes);
    }
    map_ = std::make_shared<cluster::ClusterMap>(std::move(record));
    co_return Result<>{};
  }
  std::vector<std::string> nfs_addresses() const override { return {"10.0.0.1:2049"}; }
  Task<std::string> config_backup() override {
    if (map_->partition_count() == 0) co_return fail(Errc::unavailable, "not complete");
    co_return std::string("{\"format\":\"turbine-config-backup\"}\n");
  }
  Result<fs::FileSystem*> files() override {
    if (files_ == nullptr) return fail(Errc::unavailable, "no files");
    return files_;
  }
  Task<std::vector<proto::ProcessStatsReply>> process_stats() override {
    std::vector<proto::ProcessStatsReply> out;
    out.push_back(own_process_stats("manager"));
    co_return out;
  }
  fs::FileSystem* files_ = nullptr;
  cluster::MapPtr map_ = std::make_shared<cluster::ClusterMap>(example_map(6, {}));
};

TEST(ArrayStatus, HealthyArrayMayLoseTwoBlades) {
  const ArrayStatus status = status_of({});
  EXPECT_EQ(status.state, ArrayState::healthy);
  EXPECT_EQ(status.data_tolerance, 2);
  EXPECT_EQ(status.metadata_tolerance, 0);
  EXPECT_EQ(status.capacity_bytes, 3600u);
  EXPECT_EQ(status.usable_bytes, 2400u);
  EXPECT_NE(status.advice.find("2 more blades may be lost"), std::string::npos);
}

TEST(ArrayStatus, EachDeadBladeTakesOneFromTheTolerance) {
  EXPECT_EQ(replicated({2}).state, ArrayState::degraded);
  EXPECT_EQ(replicated({2}).data_tolerance, 1);
  EXPECT_TRUE(says(replicated({2}), "turbine blade start 2"));
  EXPECT_EQ(replicated({2, 3}).state, ArrayState::at_risk);
  EXPECT_EQ(replicated({2, 3}).data_tolerance, 0);
  EXPECT_TRUE(says(replicated({2, 3}), "start 2 --dir DIR`, `turbine blade start 3 --dir DIR`"));
  EXPECT_EQ(replicated({2, 3, 4}).state, ArrayState::unavailable);
  EXPECT_TRUE(says(replicated({2, 3, 4}), "3 dead blades are more than the 2"));
}

TEST(ArrayStatus, NamesThePartitionsThatHaveNoLiveReplica) {
  const ArrayStatus one_copy = status_of({2});
  EXPECT_EQ(one_copy.state, ArrayState::unavailable);
  EXPECT_EQ(one_copy.partitions_unavailable, (std::vector<uint32_t>{1, 7}));
  EXPECT_EQ(one_copy.partitions_at_risk + one_copy.partitions_recruiting, 0u);
  EXPECT_TRUE(says(one_copy, "2 of 12 metadata partitions (1, 7) have no live replica"));
  EXPECT_TRUE(says(status_of({1, 2, 3, 4, 5}), "(0, 1, 2, 3, 4, 6, 7, 8 and 2 more)"));
  const ArrayStatus three = replicated({2, 3, 4});
  EXPECT_EQ(three.partitions_unavailable, (std::vector<uint32_t>{1, 7}));
  EXPECT_EQ(three.metadata_tolerance, 0);
}

TEST(ArrayStatus, SaysWhatARestoredArrayWaitsFor) {
  proto::ClusterMap map = example_map(6, {3});
  map.set_restoring("restored from a backup: nobody leads before blade 3 has started");
  for (proto::Partition& partition : *map.mutable_partitions()) {
    partition.set_primary(0);
    partition.clear_replicas();
  }
  const ArrayStatus status = array_status(cluster::ClusterMap(map), {});
  EXPECT_EQ(status.state, ArrayState::unavailable);
  EXPECT_EQ(status.advice,
            "This array was restored from a backup: nobody leads before blade 3 has started: run "
            "`turbine blade start 3 --dir DIR`.");
}

TEST(ArrayStatus, CountsLiveReplicasInSync) {
  const ArrayStatus healthy = replicated({});
  EXPECT_EQ(healthy.state, ArrayState::healthy);
  EXPECT_EQ(healthy.metadata_tolerance, 2);
  EXPECT_FALSE(says(healthy, "one copy"));
  EXPECT_TRUE(says(healthy, "nothing to do"));
  const ArrayStatus one_dead = replicated({2});
  EXPECT_EQ(one_dead.metadata_tolerance, 1);
  EXPECT_EQ(one_dead.partitions_recruiting, 6u);
  EXPECT_EQ(one_dead.partitions_at_risk, 0u);
  EXPECT_TRUE(says(one_dead, "6 partitions are recruiting a replica"));
  const ArrayStatus two_dead = replicated({2, 3});
  EXPECT_EQ(two_dead.metadata_tolerance, 0);
  EXPECT_EQ(two_dead.partitions_at_risk, 4u);
  EXPECT_TRUE(two_dead.partitions_unavailable.empty());
}

TEST(ArrayStatus, MissingReplicasCountThoughAllBladesLive) {
  proto::ClusterMap map = example_map(6, {}, 3);
  map.mutable_partitions(4)->mutable_replicas()->RemoveLast();
  ArrayStatus status = array_status(cluster::ClusterMap(map), {});
  EXPECT_EQ(status.state, ArrayState::degraded);
  EXPECT_EQ(status.metadata_tolerance, 1);
  EXPECT_TRUE(says(status, "2 more blades may be lost without losing data, 1 without losing"));
  EXPECT_TRUE(says(status, "1 partition is recruiting a replica: wait"));
  map.mutable_partitions(4)->mutable_replicas()->RemoveLast();
  status = array_status(cluster::ClusterMap(map), {});
  EXPECT_EQ(status.state, ArrayState::at_risk);
  EXPECT_EQ(status.partitions_at_risk, 1u);
  EXPECT_EQ(status.metadata_tolerance, 0);
}

TEST(ArrayStatus, SumsWhatBladesReport) {
  BladeReport report;
  proto::PartitionStats* partition = report.heartbeat.add_partitions();
  partition->set_small_bytes(5);
  partition->set_striped_bytes(95);
  const ArrayStatus status = status_of({}, {report, report});
  EXPECT_DOUBLE_EQ(status.striped_fraction(), 0.95);
  partition->set_lost_stripes(1);
  EXPECT_EQ(status_of({}, {report}).state, ArrayState::unavailable);
  partition->set_lost_stripes(0);
  partition->set_degraded_stripes(1);
  EXPECT_EQ(status_of({}, {report}).state, ArrayState::degraded);
}

TEST(AdminApi, AnswersNobodyWithoutTheToken) {
  FakeArray array;
  ServerThread server(make_admin_handler(array, std::string(kToken)));
  for (const char* path :
       {"/api/v1/arrays", "/api/v1/blades", "/api/v1/stats", "/api/v1/config", "/nowhere"}) {
    for (const std::string_view token : {"", "a-token-of-some-lengtH", "a-token"}) {
      const auto answer = server.call("GET", path, token);
      ASSERT_TRUE(answer.ok());
      EXPECT_EQ(answer->status, 401) << path;
      EXPECT_EQ(answer->content_type, "application/problem+json");
      EXPECT_EQ(answer->body.find("example"), std::string::npos);
    }
  }
  EXPECT_EQ(server.call("GET", "/health/live")->status, 200);
  EXPECT_EQ(server.call("GET", "/health/ready")->status, 200);
  EXPECT_EQ(server.call("GET", "/metrics")->status, 200);
}

TEST(AdminApi, ListsInAnEnvelopeAndPages) {
  FakeArray array;
  ServerThread server(make_admin_handler(array, std::string(kToken)));
  const auto first = server.call("GET", "/api/v1/blades?limit=4", kToken);
  ASSERT_TRUE(first.ok());
  const auto page = boost::json::parse(first->body).as_object();
  EXPECT_EQ(page.at("items").as_array().size(), 4u);
  EXPECT_EQ(page.at("total_item_count").to_number<int>(), 6);
  const std::string token(page.at("continuation_token").as_string());
  const auto second = server.call("GET", "/api/v1/blades?continuation_token=" + token, kToken);
  const auto rest = boost::json::parse(second->body).as_object();
  EXPECT_EQ(rest.at("items").as_array().size(), 2u);
  EXPECT_TRUE(rest.at("continuation_token").is_null());
}

TEST(AdminApi, GivesTheBackupOfACompleteArrayAsItIs) {
  FakeArray array;
  ServerThread server(make_admin_handler(array, std::string(kToken)));
  const auto backup = server.call("GET", "/api/v1/config", kToken);
  EXPECT_EQ(backup->status, 200);
  EXPECT_EQ(backup->body, "{\"format\":\"turbine-config-backup\"}\n");
  array.map_ = std::make_shared<cluster::ClusterMap>(proto::ClusterMap());
  EXPECT_EQ(server.call("GET", "/api/v1/config", kToken)->status, 503);
}

TEST(AdminApi, ErrorsAreProblemsWithAHint) {
  FakeArray array;
  ServerThread server(make_admin_handler(array, std::string(kToken)));
  const auto taken = server.call("POST", "/api/v1/object-store-users?names=taken", kToken);
  EXPECT_EQ(taken->status, 409);
  const auto body = boost::json::parse(taken->body).as_object();
  EXPECT_EQ(body.at("status").to_number<int>(), 409);
  EXPECT_EQ(body.at("code").as_string(), "already_exists");
  EXPECT_FALSE(body.at("hint").as_string().empty());
  const auto status = [&](std::string method, std::string target) {
    return server.call(method, target, kToken)->status;
  };
  EXPECT_EQ(status("POST", "/api/v1/object-store-users"), 400);
  EXPECT_EQ(status("POST", "/api/v1/object-store-users?names=a%2Fb"), 400);
  EXPECT_EQ(status("POST", "/api/v1/object-store-users?names=%zz"), 400);
  EXPECT_EQ(status("DELETE", "/api/v1/object-store-users?names=x"), 404);
  EXPECT_EQ(status("DELETE", "/api/v1/object-store-users?names=root"), 403);
  const auto wrong_method = server.call("PATCH", "/api/v1/blades", kToken);
  EXPECT_EQ(wrong_method->status, 405);
  EXPECT_EQ(boost::json::parse(wrong_method->body).at("status").to_number<int>(), 405);
  EXPECT_EQ(status("GET", "/api/v1/toasters"), 404);
  EXPECT_EQ(status("POST", "/api/v1/object-store-users?names=alice"), 201);
}

TEST(AdminApi, BucketsHaveAQuotaAnOwnerAndAMode) {
  io::SimClock clock;
  test::MemoryFileSystem files(clock);
  FakeArray array;
  array.files_ = &files;
  ServerThread server(make_admin_handler(array, std::string(kToken)));
  const std::string path = "/api/v1/buckets";
  const auto status = [&](std::string method, std::string target) {
    return server.call(method, path + target, kToken)->status;
  };
  const auto item = [&](std::string method, std::string target) {
    const auto response = server.call(method, path + target, kToken);
    EXPECT_EQ(response->status, 200) << response->body;
    return boost::json::parse(response->body).as_object().at("items").as_array().at(0).as_object();
  };
  ASSERT_EQ(status("POST", "?names=photos"), 201);
  EXPECT_TRUE(item("GET", "").at("quota_limit").is_null());
  EXPECT_EQ(item("GET", "").at("object_count").to_number<int>(), 0);
  for (const char* bad : {"", "?names=photos", "?names=photos&quota=10GiB",
                          "?names=photos&quota=-1", "?names=photos&mode=0888",
                          "?names=photos&uid=root", "?names=photos&mode=10000", "?quota=1"}) {
    EXPECT_EQ(status("PATCH", bad), 400) << bad;
  }
  EXPECT_EQ(status("PATCH", "?names=absent&quota=1"), 404);
  const auto set = item("PATCH", "?names=photos&quota=4096&uid=7&gid=8&mode=0750");
  EXPECT_EQ(set.at("quota_limit").to_number<int>(), 4096);
  EXPECT_FALSE(set.at("quota_enforced").as_bool()) << "nobody has counted";
  EXPECT_EQ(set.at("uid").to_number<int>(), 7);
  EXPECT_EQ(set.at("gid").to_number<int>(), 8);
  EXPECT_EQ(set.at("mode").as_string(), "0750");
  EXPECT_EQ(item("GET", "").at("quota_limit").to_number<int>(), 4096);
  EXPECT_TRUE(item("PATCH", "?names=photos&quota=none").at("quota_limit").is_null());
}

TEST(AdminApi, ExportPoliciesAreSetListedAndTested) {
  FakeArray array;
  ServerThread server(make_admin_handler(array, std::string(kToken)));
  const std::string path = "/api/v1/nfs-export-policies";
  const auto answer = [&](std::string method, std::string target) {
    const auto response = server.call(method, path + target, kToken);
    return std::pair(response->status, boost::json::parse(response->body).as_object());
  };
  const auto item = [&](std::string method, std::string target) {
    auto [status, body] = answer(std::move(method), std::move(target));
    EXPECT_EQ(status, 200) << boost::json::serialize(body);
    return body.at("items").as_array().at(0).as_object();
  };
  for (const char* bad : {"", "?names=/photos", "?names=photos&rules=*", "?names=/a/b&rules=*",
                          "?names=/photos&rules=*(wr)", "?names=/photos&rules=host(rw)"}) {
    EXPECT_EQ(answer("PUT", bad).first, 400) << bad;
  }
  item("PUT", "?names=/photos&rules=10.0.0.7(rw,no_root_squash)%20*(ro,insecure)");
  item("PUT", "?names=/closed&rules=");
  const auto listed = item("GET", "");
  EXPECT_EQ(listed.at("name").as_string(), "/photos");
  const auto& rule = listed.at("rules").as_array().at(0).as_object();
  EXPECT_EQ(rule.at("access").as_string(), "rw");
  EXPECT_EQ(rule.at("squash").as_string(), "none");
  EXPECT_EQ(rule.at("text").as_string(),
            "10.0.0.7(rw,no_root_squash,anonuid=65534,anongid=65534,secure)");

  const auto first = item("GET", "/test?names=/photos&client=::ffff:10.0.0.7");
  EXPECT_EQ(first.at("client").as_string(), "10.0.0.7");
  EXPECT_EQ(first.at("number").to_number<int>(), 1);
  EXPECT_TRUE(first.at("allowed").as_bool());
  EXPECT_EQ(item("GET", "/test?names=/photos&client=::1").at("number").to_number<int>(), 2);
  const auto nobody = item("GET", "/test?names=/closed&client=10.0.0.7");
  EXPECT_FALSE(nobody.at("allowed").as_bool());
  EXPECT_TRUE(nobody.at("rule").is_null());
  EXPECT_TRUE(item("GET", "/test?names=/&client=::1").at("policy").is_null());
  EXPECT_EQ(answer("GET", "/test?names=*&client=::1").first, 400);
  EXPECT_EQ(answer("GET", "/test?names=/photos&client=host").first, 400);
  EXPECT_EQ(answer("DELETE", "?names=/none").first, 404);
}

TEST(AdminApi, SaysWhereNfsIs) {
  FakeArray array;
  ServerThread server(make_admin_handler(array, std::string(kToken)));
  const auto body = boost::json::parse(server.call("GET", "/api/v1/arrays", kToken)->body);
  const auto& item = body.as_object().at("items").as_array().at(0).as_object();
  EXPECT_EQ(item.at("nfs").as_array().at(0).as_string(), "10.0.0.1:2049");
}

TEST(HttpServer, RefusesOversizedAndMalformedRequests) {
  HttpServerOptions options;
  options.body_bytes_max = 1000;
  ServerThread server(make_process_handler({[] { return Result<>{}; }, [] { return ""; }}),
                      options);
  EXPECT_EQ(server.call("GET", "/health/live", "", std::string(2000, 'x'))->status, 413);
  EXPECT_EQ(server.call("GET", "/" + std::string(20000, 'x'))->status, 400);
  EXPECT_EQ(server.call("GET", "/health/live")->status, 200);
}

TEST(HttpServer, NamesATakenPortOrTakesAnother) {
  ServerThread server(make_process_handler({[] { return Result<>{}; }, [] { return ""; }}));
  asio::io_context context;
  HttpServerOptions options;
  options.port = server.port();
  const auto refused = HttpServer::start(context.get_executor(), options, {});
  ASSERT_TRUE(refused.failed_with(Errc::exists));
  EXPECT_NE(refused.error().context.find(std::to_string(server.port())), std::string::npos);
  options.any_port_if_taken = true;
  ServerThread other(make_process_handler({[] { return Result<>{}; }, [] { return ""; }}), options);
  EXPECT_NE(other.port(), server.port());
}

TEST(HttpClient, TellsNobodyThereFromNoAnswer) {
  ClientRequest request;
  request.host = "127.0.0.1";
  {
    asio::io_context context;
    asio::ip::tcp::acceptor silent(context, {asio::ip::address_v4::loopback(), 0});
    request.port = silent.local_endpoint().port();
    request.timeout_ms = 50;
    EXPECT_TRUE(http_call(request).failed_with(Errc::timeout));
  }
  EXPECT_TRUE(http_call(request).failed_with(Errc::unavailable));
}

TEST(ProcessPage, IsNotReadyWhileSomethingIsMissing) {
  ServerThread server(make_process_handler(
      {[]() -> Result<> { return fail(Errc::unavailable, "no cluster map yet"); },
       [] { return "x 1\n"; }}));
  EXPECT_EQ(server.call("GET", "/health/ready")->status, 503);
  EXPECT_EQ(server.call("GET", "/metrics")->body, "x 1\n");
  EXPECT_EQ(server.call("POST", "/metrics")->status, 400);
}

TEST(MetricsText, DescribesOnceAndEscapes) {
  MetricsText metrics;
  metrics.gauge("x", "An x", 1, MetricsText::label("name", "a\"b\\c\nd"));
  metrics.gauge("x", "An x", 0.5);
  EXPECT_EQ(metrics.text(),
            "# HELP x An x\n# TYPE x gauge\nx{name=\"a\\\"b\\\\c\\nd\"} 1\nx 0.5\n");
}

TEST(ParseTarget, SplitsAndDecodes) {
  HttpRequest request;
  ASSERT_TRUE(parse_target("/a%20b/c?names=x%2Fy&flag&z=", request).ok());
  EXPECT_EQ(request.path, "/a b/c");
  EXPECT_EQ(request.parameter("names"), "x/y");
  EXPECT_EQ(request.query.size(), 3u);
  for (const char* bad : {"/%", "/%4", "/%zz", "/?a=%1"}) {
    HttpRequest other;
    EXPECT_TRUE(parse_target(bad, other).failed_with(Errc::invalid)) << bad;
  }
}

}  // namespace
}  // namespace turbine::admin
