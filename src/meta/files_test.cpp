// Files in place: random writes, lengths and attributes against a plain model.
#include <gtest/gtest.h>

#include <map>

#include "meta/test_array.hpp"

namespace turbine::meta {
namespace {

using std::chrono::seconds;

/// What a byte of a file is: of an inline run its value, of a stripe where it lies.
using Byte = uint64_t;
Byte stripe_byte(uint64_t stripe, uint64_t at) {
  return (stripe << 24U) + at + 1000;
}

class FilesTest : public testing::Test {
 protected:
  explicit FilesTest(uint64_t seed = 1) : rng_(seed) {}

  void SetUp() override {
    bucket_ = array_.make_bucket("b").value();
    const auto made = array_.put(bucket_, {"f"}, "");
    ASSERT_TRUE(made.ok());
    file_ = InodeId(made->inode().id());
  }

  proto::Credentials user(uint32_t uid, uint32_t gid, std::vector<uint32_t> groups = {}) {
    proto::Credentials who;
    who.set_uid(uid);
    who.set_gid(gid);
    for (const uint32_t group : groups) who.add_groups(group);
    return who;
  }
  Result<proto::InodeChange> send(proto::WriteFileRequest request, std::string payload = {}) {
    request.set_inode(file_.value);
    request.set_session(900);
    auto reply = TRY(array_.call<proto::WriteFileReply>(file_.partition(), proto::WRITE_FILE,
                                                        std::move(request), std::move(payload),
                                                        array_.next_request()));
    return std::move(*reply.body.mutable_file());
  }
  Result<proto::InodeChange> write(uint64_t offset, std::string bytes,
                                   std::optional<proto::Credentials> who = {}) {
    proto::WriteFileRequest request;
    request.set_offset(offset);
    request.mutable_content()->set_inline_payload(true);
    if (who) *request.mutable_who() = *who;
    return send(std::move(request), std::move(bytes));
  }
  Result<proto::InodeChange> write_stripe(uint64_t offset, uint64_t length, uint64_t* stripe) {
    const StripeId id = next_stripe();
    *stripe = id.value;
    proto::WriteFileRequest request;
    proto::NewContent& content = *request.mutable_content();
    proto::NewStripe& added = *content.add_stripes();
    added.set_id(id.value);
    added.set_group(cluster::make_group_id(1, 0).value);
    added.set_group_version(1);
    added.set_shard_bytes(1 << 20);
    added.set_data_bytes(static_cast<uint32_t>(length));
    proto::Extent& extent = *content.add_extents();
    extent.set_offset(offset);
    extent.set_length(length);
    extent.set_stripe(id.value);
    extent.set_group(added.group());
    extent.set_shard_bytes(1 << 20);
    return send(std::move(request));
  }
  Result<proto::InodeChange> set(proto::SetAttributesRequest request) {
    request.set_inode(file_.value);
    auto reply = TRY(array_.call<proto::SetAttributesReply>(
        file_.partition(), proto::SET_ATTRIBUTES, std::move(request), {}, array_.next_request()));
    return std::move(*reply.body.mutable_file());
  }
  Result<proto::InodeChange> resize(uint64_t size) {
    proto::SetAttributesRequest request;
    request.set_size(size);
    return set(std::move(request));
  }
  Result<rpc::With<proto::GetExtentsReply>> ask(uint64_t version = 0, bool pin = false) {
    proto::GetExtentsRequest request;
    request.set_inode(file_.value);
    request.set_length(uint64_t{1} << 30);
    request.set_content_version(version);
    request.set_pin(pin);
    request.set_session(900);
    return array_.call<proto::GetExtentsReply>(file_.partition(), proto::GET_EXTENTS,
                                               std::move(request));
  }
  std::vector<Byte> read() {
    const auto reply = ask();
    EXPECT_TRUE(reply.ok()) << reply.error().text();
    if (!reply.ok()) return {};
    EXPECT_FALSE(reply->body.content().more());
    const uint64_t size = reply->body.inode().size();
    std::vector<Byte> bytes(size);
    std::vector<bool> there(size);
    for (const proto::Extent& extent : reply->body.content().extents()) {
      for (uint64_t i = 0; i < extent.length(); ++i) {
        EXPECT_FALSE(there.at(extent.offset() + i)) << "runs overlap";
        there[extent.offset() + i] = true;
        bytes[extent.offset() + i] = stripe_byte(extent.stripe(), extent.stripe_offset() + i);
      }
    }
    size_t from = 0;
    for (const proto::InlineRun& run : reply->body.content().inline_runs()) {
      for (uint64_t i = 0; i < run.length(); ++i) {
        EXPECT_FALSE(there.at(run.offset() + i)) << "runs overlap";
        there[run.offset() + i] = true;
        bytes[run.offset() + i] = static_cast<uint8_t>(reply->payload.text()[from++]);
      }
    }
    const auto holes = static_cast<uint64_t>(std::ranges::count(there, false));
    EXPECT_EQ(reply->body.inode().hole_bytes(), holes);
    return bytes;
  }
  StripeId next_stripe() {
    const PartitionId home = file_.partition();
    if (ids_left_ == 0) {
      proto::LeaseStripeIdsRequest lease;
      lease.set_partition(home.value);
      lease.set_session(900);
      lease.set_count(64);
      const auto leased = array_.call<proto::LeaseStripeIdsReply>(
          home, proto::LEASE_STRIPE_IDS, std::move(lease), {}, array_.next_request());
      EXPECT_TRUE(leased.ok());
      next_id_ = leased->body.first_number();
      ids_left_ = leased->body.count();
    }
    --ids_left_;
    return StripeId::make(home, next_id_++);
  }
  /// Sums that must fit what the file refers to.
  void expect_sound_books() {
    const PartitionPtr partition = array_.served(file_.partition());
    ASSERT_NE(partition, nullptr);
    const auto reply = ask();
    ASSERT_TRUE(reply.ok());
    std::map<uint64_t, uint64_t> live;
    uint64_t striped = 0, small = 0;
    for (const proto::Extent& extent : reply->body.content().extents()) {
      live[extent.stripe()] += extent.length();
      striped += extent.length();
    }
    for (const proto::InlineRun& run : reply->body.content().inline_runs()) small += run.length();
    const Keys& keys = partition->keys();
    auto it = partition->kv().scan(keys.kind(Kind::stripe), keys.kind_end(Kind::stripe));
    for (; it->valid(); it->next()) {
      const auto stripe = parse_record<proto::Stripe>(it->key(), it->value());
      ASSERT_TRUE(stripe.ok());
      EXPECT_EQ(stripe->live_bytes(), live[stripe->id()]);
      live.erase(stripe->id());
    }
    EXPECT_TRUE(live.empty());
    const proto::PartitionState& state = partition->image().state();
    EXPECT_EQ(state.striped_bytes(), static_cast<int64_t>(striped));
    EXPECT_EQ(state.small_bytes(), static_cast<int64_t>(small));
    EXPECT_EQ(state.object_bytes(), static_cast<int64_t>(reply->body.inode().size()));
  }

  TestArray array_{2, 2, 1, quiet()};
  InodeId bucket_, file_;
  Rng rng_;
  uint64_t next_id_ = 0;
  uint32_t ids_left_ = 0;

 private:
  static Options quiet() {
    Options options;
    options.background = false;
    return options;
  }
};

class FilesProperty : public FilesTest, public testing::WithParamInterface<uint64_t> {
 protected:
  FilesProperty() : FilesTest(GetParam()) {}
};

TEST_P(FilesProperty, ReadWhatWasWrittenLast) {
  std::vector<Byte> model;
  for (int step = 0; step < 300; ++step) {
    const uint64_t offset = rng_.below(60'000);
    const uint64_t length = 1 + rng_.below(rng_.chance(1, 2) ? 9000 : 300);
    switch (rng_.below(8)) {
      case 0: {
        const uint64_t size = rng_.below(70'000);
        ASSERT_TRUE(resize(size).ok());
        model.resize(size);
        break;
      }
      case 1:
      case 2:
      case 3: {
        uint64_t stripe = 0;
        const auto written = write_stripe(offset, length, &stripe);
        ASSERT_TRUE(written.ok()) << written.error().text();
        model.resize(std::max<size_t>(model.size(), offset + length));
        for (uint64_t i = 0; i < length; ++i) model[offset + i] = stripe_byte(stripe, i);
        break;
      }
      default: {
        std::string bytes(length, static_cast<char>(1 + rng_.below(255)));
        ASSERT_TRUE(write(offset, bytes).ok());
        model.resize(std::max<size_t>(model.size(), offset + length));
        for (uint64_t i = 0; i < length; ++i) model[offset + i] = static_cast<uint8_t>(bytes[i]);
      }
    }
    if (step % 10 == 0) {
      ASSERT_EQ(read(), model) << "after step " << step;
      ASSERT_NO_FATAL_FAILURE(expect_sound_books());
    }
  }
  // All of it comes back out of the log as well.
  array_.crash(array_.blade_of(file_.partition()));
  array_.start(array_.blade_of(file_.partition()));
  array_.clock.advance(seconds(5));
  EXPECT_EQ(read(), model);
  ASSERT_NO_FATAL_FAILURE(expect_sound_books());
}
INSTANTIATE_TEST_SUITE_P(Seeds, FilesProperty, testing::Range<uint64_t>(1, 9));

TEST_F(FilesTest, SayHowTheyWereAroundAWrite) {
  const auto first = write(0, "hello").value();
  EXPECT_EQ(first.size_before(), 0U);
  EXPECT_EQ(first.after().size(), 5U);
  const auto second = write(3, "p me").value();
  EXPECT_EQ(second.size_before(), 5U);
  EXPECT_EQ(second.after().size(), 7U);
  EXPECT_EQ(second.mtime_before_ns(), first.after().mtime_ns());
  EXPECT_EQ(second.ctime_before_ns(), first.after().ctime_ns());
  EXPECT_GT(second.after().ctime_ns(), first.after().ctime_ns());
  EXPECT_GT(second.after().content_version(), first.after().content_version());
  EXPECT_EQ(array_.get(bucket_, {"f"}).value(), "help me");
}

TEST_F(FilesTest, TruncationsOfManyRunsAreDoneInSteps) {
  for (uint64_t i = 0; i < 2500; ++i) ASSERT_TRUE(write(i * 20, "0123456789").ok());
  ASSERT_TRUE(resize(15).ok());
  std::vector<Byte> model(15);
  for (size_t i = 0; i < 10; ++i) model[i] = static_cast<uint8_t>('0' + i);
  EXPECT_EQ(read(), model);
  ASSERT_TRUE(resize(40).ok());
  model.resize(40);
  EXPECT_EQ(read(), model);
  ASSERT_NO_FATAL_FAILURE(expect_sound_books());
}

TEST_F(FilesTest, AnEmptiedFileTakesAFreshContent) {
  ASSERT_TRUE(write(0, std::string(5000, 'x')).ok());
  ASSERT_TRUE(resize(0).ok());
  EXPECT_EQ(read(), std::vector<Byte>{});
  ASSERT_TRUE(write(2, "ab").ok());
  EXPECT_EQ(read(), (std::vector<Byte>{0, 0, 'a', 'b'}));
}

TEST_F(FilesTest, AReaderOfAnEarlierVersionIsRefused) {
  ASSERT_TRUE(write(0, "first").ok());
  const auto opened = ask(0, true);
  ASSERT_TRUE(opened.ok());
  const uint64_t version = opened->body.content().content_version();
  EXPECT_TRUE(ask(version).ok());
  ASSERT_TRUE(write(0, "other").ok());
  EXPECT_TRUE(ask(version).failed_with(Errc::conflict));
}

TEST_F(FilesTest, ObeyPermissionBits) {
  proto::SetAttributesRequest own;
  own.set_uid(100);
  own.set_gid(200);
  own.set_mode(0640);
  ASSERT_TRUE(set(own).ok());
  EXPECT_TRUE(write(0, "a", user(100, 1)).ok());
  EXPECT_TRUE(write(0, "a", user(101, 200)).failed_with(Errc::denied));
  EXPECT_TRUE(write(0, "a", user(0, 0)).ok());
  proto::SetAttributesRequest mode;
  mode.set_mode(0666);
  *mode.mutable_who() = user(101, 200);
  EXPECT_TRUE(set(mode).failed_with(Errc::not_permitted));
  *mode.mutable_who() = user(100, 1);
  EXPECT_TRUE(set(mode).ok());
  EXPECT_TRUE(write(0, "a", user(101, 1)).ok());
  proto::SetAttributesRequest group;
  group.set_gid(300);
  *group.mutable_who() = user(100, 1, {5, 6});
  EXPECT_TRUE(set(group).failed_with(Errc::not_permitted));
  *group.mutable_who() = user(100, 1, {5, 300});
  EXPECT_TRUE(set(group).ok());
  proto::SetAttributesRequest owner;
  owner.set_uid(7);
  *owner.mutable_who() = user(100, 1);
  EXPECT_TRUE(set(owner).failed_with(Errc::not_permitted));
}

TEST_F(FilesTest, LoseSetIdBitsWhenOthersThanRootWrite) {
  proto::SetAttributesRequest own;
  own.set_uid(100);
  own.set_mode(06777);
  ASSERT_TRUE(set(own).ok());
  EXPECT_EQ(write(0, "a", user(0, 0))->after().mode(), 06777U);
  EXPECT_EQ(write(0, "a", user(100, 1))->after().mode(), 0777U);
}

TEST_F(FilesTest, ChangeOnlyUnderTheGuard) {
  const int64_t ctime = write(0, "a")->after().ctime_ns();
  proto::SetAttributesRequest guarded;
  guarded.set_mode(0600);
  guarded.set_guard_ctime_ns(ctime - 1);
  EXPECT_TRUE(set(guarded).failed_with(Errc::precondition_failed));
  guarded.set_guard_ctime_ns(ctime);
  EXPECT_EQ(set(guarded)->after().mode(), 0600U);
}

TEST_F(FilesTest, TimesAreSetAsAskedOrToNow) {
  proto::SetAttributesRequest times;
  times.mutable_atime()->set_ns(123);
  times.mutable_mtime()->set_now(true);
  const auto changed = set(times).value();
  EXPECT_EQ(changed.after().atime_ns(), 123);
  EXPECT_EQ(changed.after().mtime_ns(), changed.after().ctime_ns());
  times.mutable_mtime()->set_ns(5);
  times.mutable_mtime()->set_now(false);
  EXPECT_EQ(set(times)->after().mtime_ns(), 5);
}

TEST_F(FilesTest, GoneFilesAreStaleAndHugeOnesTooLarge) {
  EXPECT_TRUE(write(uint64_t{16} << 40, "a").failed_with(Errc::too_large));
  EXPECT_TRUE(resize((uint64_t{16} << 40) + 1).failed_with(Errc::too_large));
  EXPECT_TRUE(write((uint64_t{16} << 40) - 1, "a").ok());
  EXPECT_TRUE(array_.remove(bucket_, {"f"}).value());
  EXPECT_TRUE(write(0, "a").failed_with(Errc::stale));
  EXPECT_TRUE(resize(0).failed_with(Errc::stale));
}

}  // namespace
}  // namespace turbine::meta
