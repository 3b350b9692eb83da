#include <gtest/gtest.h>

#include <map>

#include "meta/etag.hpp"
#include "meta/test_array.hpp"

namespace turbine::meta {
namespace {

using Path = std::vector<std::string>;

TEST(PutFile, ReplacesContentAndKeepsTheInode) {
  TestArray array;
  const InodeId bucket = array.make_bucket("b").value();
  const auto first = array.put(bucket, {"f"}, "one");
  ASSERT_TRUE(first.ok()) << first.error().text();
  const auto second = array.put(bucket, {"f"}, "twice");
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(first->inode().id(), second->inode().id());
  EXPECT_GT(second->inode().content_time_ns(), first->inode().content_time_ns());
  EXPECT_EQ(second->inode().content_version(), 2U);
  EXPECT_TRUE(second->replaced());
  EXPECT_EQ(array.get(bucket, {"f"}).value(), "twice");
}

TEST(PutFile, KeepsFileDirectoryAndMarkerOfOneNameApart) {
  TestArray array;
  const InodeId bucket = array.make_bucket("b").value();
  ASSERT_TRUE(array.put(bucket, {"a"}, "file").ok());
  ASSERT_TRUE(array.put(bucket, {"a", "b"}, "below").ok());
  ASSERT_TRUE(array.put(bucket, {"a", ""}, "marker").ok());
  ASSERT_TRUE(array.put(bucket, {"a", "", "x"}, "slashes").ok());
  EXPECT_EQ(array.get(bucket, {"a"}).value(), "file");
  EXPECT_EQ(array.get(bucket, {"a", ""}).value(), "marker");
  EXPECT_EQ(array.list(bucket).value(), (Path{"a", "a/", "a//x", "a/b"}));
}

TEST(PutFile, HonoursConditions) {
  TestArray array;
  const InodeId bucket = array.make_bucket("b").value();
  proto::Condition none;
  none.set_if_none_match("*");
  EXPECT_TRUE(array.put(bucket, {"f"}, "one", none).ok());
  EXPECT_TRUE(array.put(bucket, {"f"}, "two", none).failed_with(Errc::precondition_failed));
  proto::Condition match;
  match.set_if_match("e3");
  EXPECT_TRUE(array.put(bucket, {"f"}, "four", match).ok());
  EXPECT_TRUE(array.put(bucket, {"f"}, "five5", match).failed_with(Errc::precondition_failed));
  EXPECT_TRUE(array.put(bucket, {"g"}, "x", match).failed_with(Errc::not_found));
}

TEST(PutFile, ComparesConditionsWithTheEtagThatReadersSee) {
  TestArray array;
  const InodeId bucket = array.make_bucket("b").value();
  proto::PutFileRequest request;  // without an etag, as a file written in place
  request.set_directory(bucket.value);
  request.add_path("f");
  const auto put = [&] {
    return array.call<proto::PutFileReply>(bucket.partition(), proto::PUT_FILE, request, "",
                                           array.next_request());
  };
  const auto first = put();
  ASSERT_TRUE(first.ok());
  const std::string etag = effective_etag(first->body.inode());
  request.mutable_condition()->set_if_match(etag);
  const auto second = put();
  ASSERT_TRUE(second.ok()) << second.error().text();
  EXPECT_NE(effective_etag(second->body.inode()), etag);
  EXPECT_TRUE(put().failed_with(Errc::precondition_failed));
}

TEST(PutFile, ExecutesADuplicateOnceAndGivesTheFirstAnswer) {
  TestArray array;
  const InodeId bucket = array.make_bucket("b").value();
  proto::PutFileRequest request;
  request.set_directory(bucket.value);
  request.add_path("f");
  request.mutable_content()->set_size(3);
  const RequestId id = array.next_request();
  const auto first =
      array.call<proto::PutFileReply>(bucket.partition(), proto::PUT_FILE, request, "one", id);
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(array.put(bucket, {"f"}, "newer").ok());
  TestArray::Blade& blade = array.blade_of(bucket.partition());
  array.crash(blade);
  array.start(blade);
  const auto again =
      array.call<proto::PutFileReply>(bucket.partition(), proto::PUT_FILE, request, "one", id);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->body.SerializeAsString(), first->body.SerializeAsString());
  EXPECT_EQ(array.get(bucket, {"f"}).value(), "newer");
}

TEST(PutFile, RefusesSmallObjectsTooWhenTheBladesAreFull) {
  TestArray array(1, 2);
  const InodeId bucket = array.make_bucket("b").value();
  ASSERT_TRUE(array.put(bucket, {"f"}, std::string(2000, 'x')).ok());
  const auto set_full = [&](bool full) {
    proto::ClusterMap record = array.blade(1).map.get()->record();
    record.set_epoch(record.epoch() + 1);
    record.mutable_blades(0)->set_full(full);
    array.blade(1).map.update(record);
  };
  set_full(true);
  EXPECT_TRUE(array.put(bucket, {"g"}, std::string(2000, 'x')).failed_with(Errc::no_space));
  EXPECT_TRUE(array.put(bucket, {"d", "g"}, std::string(2000, 'x')).failed_with(Errc::no_space));
  EXPECT_TRUE(array.put(bucket, {"little"}, std::string(100, 'x')).ok());
  EXPECT_TRUE(array.remove(bucket, {"f"}).ok());
  set_full(false);
  EXPECT_TRUE(array.put(bucket, {"g"}, std::string(2000, 'x')).ok());
}

TEST(PutFile, ExecutesADuplicateOnceThoughTheWallClockIsSet) {
  Options options;
  options.background = false;
  TestArray array(1, 1, 1, options);
  PartitionHost& host = *array.blade(1).host;
  const InodeId bucket = array.make_bucket("b").value();
  proto::PutFileRequest request;
  request.set_directory(bucket.value);
  request.add_path("f");
  request.mutable_content()->set_size(3);
  const RequestId id = array.next_request();
  const auto put = [&] {
    return array.call<proto::PutFileReply>(bucket.partition(), proto::PUT_FILE, request, "one", id);
  };
  ASSERT_TRUE(put().ok());
  ASSERT_TRUE(array.clock.run(host.settle_transactions()).ok());
  array.clock.step_wall(std::chrono::hours(1));
  ASSERT_TRUE(array.put(bucket, {"f"}, "newer").ok());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(array.clock.run(host.settle_transactions()).ok());
  EXPECT_TRUE(put().ok());
  EXPECT_EQ(array.get(bucket, {"f"}).value(), "newer");
  // Old by both clocks, its answer goes.
  for (int i = 0; i < 30; ++i) {
    array.clock.advance(std::chrono::seconds(10));
    ASSERT_TRUE(array.put(bucket, {"f"}, "newer").ok());
    ASSERT_TRUE(array.clock.run(host.settle_transactions()).ok());
  }
  EXPECT_FALSE(host.partitions().front()->image().replay_bucket_of(id).has_value());
}

TEST(DeleteFile, TakesImplicitDirectoriesWithTheirLastEntry) {
  TestArray array(3, 8);
  const InodeId bucket = array.make_bucket("b").value();
  ASSERT_TRUE(array.put(bucket, {"a", "b", "c", "f"}, "1").ok());
  ASSERT_TRUE(array.put(bucket, {"a", "g"}, "2").ok());
  EXPECT_TRUE(array.remove(bucket, {"a", "b", "c", "f"}).value());
  EXPECT_EQ(array.list(bucket).value(), (Path{"a/g"}));
  EXPECT_TRUE(array.remove(bucket, {"a", "g"}).value());
  EXPECT_EQ(array.list(bucket).value(), Path{});
  EXPECT_FALSE(array.remove(bucket, {"a", "g"}).value());
  EXPECT_TRUE(array.remove_bucket("b").ok());
}

// Stripes that a live gateway gave up are nobody's only when their range has ended.
TEST(StripeIds, EndWithTheirRangeThoughTheSessionLivesOn) {
  Options options;
  options.range_age_max = std::chrono::minutes(10);
  TestArray array(1, 1, 1, options);
  proto::LeaseStripeIdsRequest request;
  request.set_session(900);
  request.set_count(64);
  ASSERT_TRUE(array
                  .call<proto::LeaseStripeIdsReply>(PartitionId(0), proto::LEASE_STRIPE_IDS,
                                                    request, {}, array.next_request())
                  .ok());
  const auto ranges = [&] {
    proto::OpenSessionRequest session;
    session.set_session(900);
    for (int i = 0; i < 20; ++i) {
      array.clock.advance(std::chrono::seconds(15));
      (void)array.clock.run(array.client->call_blade<proto::OpenSessionReply>(
          BladeId(1), proto::OPEN_SESSION, session, std::chrono::seconds(1)));
    }
    return array.blade(1).host->partitions()[0]->image().ranges().size();
  };
  EXPECT_EQ(ranges(), 1U);  // after 5 minutes
  (void)ranges();
  EXPECT_EQ(ranges(), 0U);
}

TEST(Queues, AreLookedIntoAgainOnlyWhenSomethingWasApplied) {
  Options options;
  options.background = false;
  TestArray array(1, 1, 1, options);
  const InodeId bucket = array.make_bucket("b").value();
  const PartitionPtr partition = array.blade(1).host->admit(PartitionId(0)).value();
  const auto first = partition->scan_queue(Kind::pending);
  ASSERT_NE(first, nullptr);
  EXPECT_FALSE(first->valid());
  EXPECT_EQ(partition->scan_queue(Kind::pending), nullptr);
  ASSERT_TRUE(array.put(bucket, {"f"}, std::string(5000, 'x')).ok());
  for (int i = 0; i < 2; ++i) {  // as long as there is something in it
    const auto rows = partition->scan_queue(Kind::pending);
    ASSERT_NE(rows, nullptr);
    EXPECT_TRUE(rows->valid());
  }
}

TEST(RemoveDirectory, RefusesABucketThatHoldsObjects) {
  TestArray array;
  const InodeId bucket = array.make_bucket("b").value();
  EXPECT_TRUE(array.make_bucket("b").failed_with(Errc::exists));
  ASSERT_TRUE(array.put(bucket, {"f"}, "1").ok());
  EXPECT_TRUE(array.remove_bucket("b").failed_with(Errc::not_empty));
  ASSERT_TRUE(array.remove(bucket, {"f"}).ok());
  EXPECT_TRUE(array.remove_bucket("b").ok());
  EXPECT_TRUE(array.remove_bucket("b").failed_with(Errc::not_found));
  EXPECT_TRUE(array.put(bucket, {"f"}, "1").failed_with(Errc::stale));
}

std::vector<std::string> split(const std::string& key) {
  Path path(1);
  for (const char c : key) {
    if (c == '/') {
      path.emplace_back();
    } else {
      path.back().push_back(c);
    }
  }
  return path;
}

class RandomKeys : public ::testing::TestWithParam<uint64_t> {};

TEST_P(RandomKeys, AgreeWithASortedMapOverCrashes) {
  const uint64_t seed = GetParam();
  TestArray array(3, 8, seed);
  Rng rng(seed);
  const InodeId bucket = array.make_bucket("b").value();
  std::map<std::string, std::string> model;
  const auto random_key = [&rng] {
    static constexpr std::string_view kAlphabet = "ab/.-";
    std::string key;
    const size_t size = 1 + rng.below(6);
    for (size_t i = 0; i < size; ++i) key.push_back(kAlphabet[rng.below(kAlphabet.size())]);
    return key;
  };
  int crashes = 0;
  for (int i = 0; i < 300; ++i) {
    const std::string key = random_key();
    const uint64_t dice = rng.below(100);
    if (dice < 50) {
      const std::string content = fmt::format("{}:{}", key, i);
      const auto reply = array.put(bucket, split(key), content);
      ASSERT_TRUE(reply.ok()) << "seed " << seed << " key " << key << reply.error().text();
      EXPECT_EQ(reply->replaced(), model.contains(key)) << "seed " << seed;
      model[key] = content;
    } else if (dice < 85) {
      const auto reply = array.remove(bucket, split(key));
      ASSERT_TRUE(reply.ok()) << "seed " << seed << " key " << key << reply.error().text();
      EXPECT_EQ(*reply, model.erase(key) == 1) << "seed " << seed;
    } else if (dice < 97) {
      const auto content = array.get(bucket, split(key));
      EXPECT_EQ(content.ok(), model.contains(key)) << "seed " << seed;
      if (content.ok()) EXPECT_EQ(*content, model[key]) << "seed " << seed;
    } else {
      TestArray::Blade& blade = array.blade(1 + static_cast<uint32_t>(rng.below(3)));
      array.crash(blade, &rng);
      array.start(blade);
      ++crashes;
    }
    if (i % 25 != 0) continue;
    Path keys;
    for (const auto& [name, content] : model) keys.push_back(name);
    const auto listed = array.list(bucket);
    ASSERT_TRUE(listed.ok()) << listed.error().text();
    EXPECT_EQ(*listed, keys) << "seed " << seed << " step " << i;
  }
  EXPECT_GT(crashes, 0);
  for (const auto& [key, content] : model) {
    EXPECT_EQ(array.get(bucket, split(key)).value(), content) << "seed " << seed;
  }
  for (const auto& [key, content] : model) {
    EXPECT_TRUE(array.remove(bucket, split(key)).value()) << "seed " << seed;
  }
  EXPECT_EQ(array.list(bucket).value(), Path{});
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomKeys, ::testing::Range<uint64_t>(1, 41));

}  // namespace
}  // namespace turbine::meta
