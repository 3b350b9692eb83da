// Exports out of the cluster map's policies and the array's buckets.
#include "nfs/array_exports.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/sim_clock.hpp"
#include "support/memory_file_system.hpp"

namespace turbine::test {
namespace {

using nfs::ExportAccess;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// Buckets that can be renamed, and may be out of reach.
class Buckets final : public MemoryFileSystem {
 public:
  using MemoryFileSystem::MemoryFileSystem;
  std::optional<Errc> failure;
  std::map<std::string, std::string> renamed;  // new names by those they were made with

  Task<fs::BucketInfo> bucket(fs::CallContext call, std::string name) override {
    for (const fs::BucketInfo& each : CO_TRY(co_await list_buckets(call))) {
      if (each.name == name) co_return each;
    }
    co_return fail(Errc::not_found, "no bucket {}", name);
  }
  Task<std::vector<fs::BucketInfo>> list_buckets(fs::CallContext call) override {
    if (failure) co_return fail(*failure, "as the test wants");
    auto buckets = CO_TRY(co_await MemoryFileSystem::list_buckets(call));
    for (fs::BucketInfo& each : buckets) {
      if (const auto found = renamed.find(each.name); found != renamed.end()) {
        each.name = found->second;
      }
    }
    co_return buckets;
  }
};

class ArrayExports : public testing::Test {
 protected:
  ArrayExports() {
    cluster::export_to_loopback(settings_);
    publish();
    photos_ = make("photos");
    exports_.start();
  }
  void TearDown() override { EXPECT_TRUE(clock_.run(exports_.stop()).ok()); }

  InodeId make(const std::string& name) {
    return clock_.run(files_.create_bucket(files_.begin(1), name))->inode;
  }
  void publish() {
    proto::ClusterMap record;
    record.set_epoch(++epoch_);
    *record.mutable_nfs() = settings_;
    map_.update(std::move(record));
  }
  void set_rules(const std::string& name, std::string_view rules) {
    proto::NfsExportPolicy* policy = settings_.add_policies();
    for (auto& each : *settings_.mutable_policies()) {
      if (each.name() == name) policy = &each;
    }
    policy->set_name(name);
    policy->clear_rules();
    for (auto& rule : cluster::parse_export_rules(rules).value()) *policy->add_rules() = rule;
    publish();
  }
  Result<std::optional<ExportAccess>> access(InodeId root, const char* from = "127.0.0.1") {
    return clock_.run(exports_.access(root, {boost::asio::ip::make_address(from), 1000}));
  }
  bool allows(InodeId root, const char* from = "127.0.0.1") {
    const auto answer = access(root, from);
    EXPECT_TRUE(answer.ok());
    return answer.ok() && answer->has_value();
  }

  io::SimClock clock_;
  Buckets files_{clock_};
  cluster::MapHolder map_;
  proto::NfsSettings settings_;
  uint64_t epoch_ = 0;
  bool in_use_ = true;
  InodeId photos_;
  nfs::ArrayExports exports_{files_, map_, clock_, {.in_use = [this] { return in_use_; }}};
};

TEST_F(ArrayExports, EveryBucketAndTheWholeArray) {
  EXPECT_EQ(clock_.run(exports_.find("/photos")).value(), photos_);
  EXPECT_EQ(clock_.run(exports_.find("/")).value(), kRootInode);
  for (const char* no_export : {"/other", "/photos/below", "photos", ""}) {
    EXPECT_EQ(clock_.run(exports_.find(no_export)).value(), std::nullopt) << no_export;
  }
  EXPECT_TRUE(allows(photos_));
  EXPECT_TRUE(allows(kRootInode));
  EXPECT_FALSE(allows(photos_, "10.0.0.1"));
}

TEST_F(ArrayExports, RulesSayWhatIsGranted) {
  set_rules("/photos", "10.0.0.7(rw,all_squash,anonuid=5,anongid=6,insecure) 10.0.0.0/8");
  const ExportAccess first = access(photos_, "10.0.0.7").value().value();
  EXPECT_FALSE(first.read_only);
  EXPECT_FALSE(first.secure);
  EXPECT_EQ(first.squash, nfs::Squash::all);
  EXPECT_EQ(std::pair(first.anonymous_uid, first.anonymous_gid), std::pair(5U, 6U));
  const ExportAccess second = access(photos_, "10.0.0.8").value().value();
  EXPECT_TRUE(second.read_only && second.secure);
  EXPECT_EQ(second.squash, nfs::Squash::root);
  EXPECT_FALSE(allows(photos_, "127.0.0.1")) << "the default is for buckets without rules";
}

TEST_F(ArrayExports, ChangesHoldAtOnceAndAreAnnounced) {
  EXPECT_TRUE(allows(photos_));
  const uint64_t before = exports_.generation();
  publish();
  EXPECT_EQ(exports_.generation(), before) << "the map has changed, but no rule";
  set_rules("/photos", "");
  EXPECT_NE(exports_.generation(), before);
  EXPECT_FALSE(allows(photos_));
}

TEST_F(ArrayExports, MeetsABucketThatWasMadeAMomentAgo) {
  EXPECT_TRUE(allows(photos_));
  EXPECT_TRUE(allows(make("fresh"))) << "through another gateway, say";
}

TEST_F(ArrayExports, ABucketThatIsGoneIsLookedForOnce) {
  const InodeId old = make("old");
  ASSERT_TRUE(clock_.run(files_.delete_bucket(files_.begin(1), "old")).ok());
  EXPECT_FALSE(allows(old));
  const uint64_t listings = exports_.listings();
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(allows(old));
  EXPECT_EQ(exports_.listings(), listings);
}

TEST_F(ArrayExports, DoesNotSayThatAnExportIsGoneWhileTheArrayIsAway) {
  files_.failure = Errc::unavailable;
  EXPECT_TRUE(access(photos_).failed_with(Errc::unavailable));
  EXPECT_TRUE(clock_.run(exports_.find("/photos")).failed_with(Errc::unavailable));
  files_.failure.reset();
  EXPECT_TRUE(allows(photos_));
  files_.failure = Errc::unavailable;
  clock_.advance(seconds(5));
  EXPECT_TRUE(allows(photos_)) << "what it knew still holds";
}

TEST_F(ArrayExports, FollowsARenamedBucketWithinASecond) {
  set_rules("/private", "10.0.0.1(rw)");
  EXPECT_TRUE(allows(photos_));
  files_.renamed["photos"] = "private";
  const uint64_t before = exports_.generation();
  clock_.advance(milliseconds(1100));
  EXPECT_NE(exports_.generation(), before);
  EXPECT_FALSE(allows(photos_));
  EXPECT_TRUE(allows(photos_, "10.0.0.1"));
}

TEST_F(ArrayExports, RestsWhileNobodyIsConnected) {
  in_use_ = false;
  const uint64_t listings = exports_.listings();
  clock_.advance(seconds(10));
  EXPECT_EQ(exports_.listings(), listings);
  in_use_ = true;
  clock_.advance(seconds(10));
  EXPECT_GE(exports_.listings(), listings + 9);
}

TEST_F(ArrayExports, ListsWhatIsExportedToAnybody) {
  make("hidden");
  set_rules("/hidden", "");
  const auto entries = clock_.run(exports_.list()).value();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].path, "/");
  EXPECT_EQ(entries[1].path, "/photos");
  EXPECT_THAT(entries[1].clients, testing::ElementsAre("127.0.0.0/8", "::1"));
}

}  // namespace
}  // namespace turbine::test
