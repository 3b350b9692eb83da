// What buckets use and their quotas, over many partitions, under load and through crashes.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <utility>

#include "meta/test_array.hpp"

namespace turbine::meta {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr uint32_t kBlades = 3;
constexpr uint32_t kPartitions = 8;

proto::Credentials root() {
  proto::Credentials who;
  who.set_uid(0);
  return who;
}

class BucketUsage : public testing::Test {
 protected:
  explicit BucketUsage(uint64_t seed = 1, uint32_t replicas = 1)
      : array_(kBlades, kPartitions, seed, {}, replicas), rng_(seed) {}

  void SetUp() override {
    ASSERT_TRUE(array_.clock.run_until([&] { return all_served(); }, seconds(20)));
    bucket_ = array_.make_bucket("b").value();
    for (int i = 0; i < 6; ++i) {
      proto::MakeDirectoryRequest request;
      request.set_directory(bucket_.value);
      request.set_name(fmt::format("d{}", i));
      const auto made =
          call<proto::MakeDirectoryReply>(proto::MAKE_DIRECTORY, bucket_, std::move(request));
      ASSERT_TRUE(made.ok());
      directories_.emplace_back(made->body.inode().id());
    }
  }

  template <class Reply, class Request>
  Task<rpc::With<Reply>> send(int type, InodeId at, Request request, std::string payload = {}) {
    return array_.client->call<Reply>(at.partition(), type, std::move(request),
                                      payload.empty() ? Buffer() : Buffer::copy_of(payload),
                                      array_.next_request(), array_.clock.now());
  }
  template <class Reply, class Request>
  Result<rpc::With<Reply>> call(int type, InodeId at, Request request, std::string payload = {}) {
    return array_.clock.run(send<Reply>(type, at, std::move(request), std::move(payload)));
  }

  // One operation each, as gateways ask them.
  Task<> put(InodeId directory, std::vector<std::string> path, size_t size) {
    proto::PutFileRequest request;
    request.set_directory(directory.value);
    for (std::string& name : path) request.add_path(std::move(name));
    request.mutable_content()->set_size(size);
    request.mutable_content()->set_inline_payload(true);
    request.set_session(900);
    auto reply = CO_TRY(co_await send<proto::PutFileReply>(
        proto::PUT_FILE, directory, std::move(request), std::string(size, 'x')));
    last_ = InodeId(reply.body.inode().id());
    files_.insert(last_);
    co_return Result<>{};
  }
  Task<> remove(InodeId directory, std::string name, bool as_file) {
    proto::DeleteFileRequest request;
    request.set_directory(directory.value);
    request.set_name(std::move(name));
    if (as_file) *request.mutable_who() = root();
    CO_TRY(
        co_await send<proto::DeleteFileReply>(proto::DELETE_FILE, directory, std::move(request)));
    co_return Result<>{};
  }
  Task<> write(InodeId file, uint64_t offset, size_t size) {
    proto::WriteFileRequest request;
    request.set_inode(file.value);
    request.set_offset(offset);
    request.set_session(900);
    request.mutable_content()->set_inline_payload(true);
    CO_TRY(co_await send<proto::WriteFileReply>(proto::WRITE_FILE, file, std::move(request),
                                                std::string(size, 'y')));
    co_return Result<>{};
  }
  Task<> resize(InodeId file, uint64_t size) {
    proto::SetAttributesRequest request;
    request.set_inode(file.value);
    request.set_size(size);
    CO_TRY(
        co_await send<proto::SetAttributesReply>(proto::SET_ATTRIBUTES, file, std::move(request)));
    co_return Result<>{};
  }
  Task<> rename(InodeId from, std::string from_name, InodeId to, std::string name) {
    proto::RenameRequest request;
    request.set_from_directory(from.value);
    request.set_from_name(std::move(from_name));
    request.set_directory(to.value);
    request.set_name(std::move(name));
    *request.mutable_who() = root();
    CO_TRY(co_await send<proto::RenameReply>(proto::RENAME, to, std::move(request)));
    co_return Result<>{};
  }
  Task<> link(InodeId file, InodeId directory, std::string name) {
    proto::LinkFileRequest request;
    request.set_inode(file.value);
    request.set_directory(directory.value);
    request.set_name(std::move(name));
    *request.mutable_who() = root();
    CO_TRY(co_await send<proto::LinkFileReply>(proto::LINK_FILE, directory, std::move(request)));
    co_return Result<>{};
  }
  Task<> symlink(InodeId directory, std::string name, size_t length) {
    proto::CreateFileRequest request;
    request.set_directory(directory.value);
    request.set_name(std::move(name));
    *request.mutable_who() = root();
    request.set_type(proto::FILE_SYMLINK);
    request.set_mode_of_creation(proto::CREATE_GUARDED);
    request.set_symlink_target(std::string(length, 't'));
    CO_TRY(
        co_await send<proto::CreateFileReply>(proto::CREATE_FILE, directory, std::move(request)));
    co_return Result<>{};
  }
  Result<> run(Task<> task) { return array_.clock.run(std::move(task)); }

  /// As the partitions count it.
  int64_t counted_bytes() {
    int64_t bytes = 0;
    for (uint32_t i = 0; i < kPartitions; ++i) {
      const auto& usage = array_.served(PartitionId(i))->image().usage();
      const auto found = usage.find(bucket_.value);
      if (found != usage.end()) bytes += found->second.bytes();
    }
    return bytes;
  }
  /// Of every file below by its inode, as a walk finds them.
  void walk(InodeId directory, std::map<uint64_t, uint64_t>& sizes) {
    proto::ListDirectoryRequest request;
    request.set_directory(directory.value);
    request.set_count(1000);
    const auto reply = array_.call<proto::ListDirectoryReply>(directory.partition(),
                                                              proto::LIST_DIRECTORY, request);
    ASSERT_TRUE(reply.ok()) << reply.error().text();
    ASSERT_FALSE(reply->body.more());
    for (const proto::DirectoryEntry& entry : reply->body.entries()) {
      const InodeId id(entry.inode().id());
      if (entry.is_directory()) {
        walk(id, sizes);
        continue;
      }
      proto::GetExtentsRequest ask;
      ask.set_inode(id.value);
      const auto file =
          array_.call<proto::GetExtentsReply>(id.partition(), proto::GET_EXTENTS, std::move(ask));
      ASSERT_TRUE(file.ok()) << file.error().text();
      sizes[id.value] = file->body.inode().size();
      EXPECT_EQ(file->body.inode().bucket(), bucket_.value);
    }
  }
  int64_t walked_bytes() {
    std::map<uint64_t, uint64_t> sizes;
    walk(bucket_, sizes);
    int64_t bytes = 0;
    for (const auto& [id, size] : sizes) bytes += static_cast<int64_t>(size);
    return bytes;
  }
  std::optional<proto::BucketQuotaState> quota() {
    const PartitionPtr home = array_.served(bucket_.partition());
    if (home == nullptr) return std::nullopt;
    const auto found = home->image().quotas().find(bucket_.value);
    if (found == home->image().quotas().end()) return std::nullopt;
    return found->second;
  }
  bool wait_enforced() {
    return array_.clock.run_until([&] { return quota() && quota()->complete(); }, seconds(30));
  }
  bool all_served() {
    for (uint32_t i = 0; i < kPartitions; ++i) {
      if (array_.served(PartitionId(i)) == nullptr) return false;
    }
    return true;
  }
  /// Every transaction has ended everywhere.
  bool wait_quiet() {
    return array_.clock.run_until(
        [&] {
          if (!all_served()) return false;
          for (uint32_t i = 0; i < kPartitions; ++i) {
            const PartitionPtr partition = array_.served(PartitionId(i));
            if (!partition->image().intents().empty()) return false;
            for (const auto& [key, decision] : partition->image().decisions()) {
              if (decision.steps_size() > 0) return false;
            }
          }
          return true;
        },
        seconds(60));
  }
  void expect_consistent() {
    ASSERT_TRUE(wait_quiet());
    const int64_t there = walked_bytes();
    EXPECT_EQ(counted_bytes(), there);
    if (quota() && quota()->complete()) EXPECT_EQ(quota()->used(), there);
  }

  InodeId any_directory() { return directories_[rng_.next() % directories_.size()]; }
  std::string any_name() { return fmt::format("f{}", rng_.next() % 5); }
  InodeId any_file() {
    if (files_.empty()) return bucket_;
    return *std::next(files_.begin(), static_cast<long>(rng_.next() % files_.size()));
  }
  Task<> any_operation() {
    const size_t size = rng_.next() % 3000;
    switch (rng_.next() % 12) {
      case 0:
      case 1:
      case 2:
        return put(any_directory(), {any_name()}, size);
      case 3:
        return put(any_directory(), {fmt::format("sub{}", rng_.next() % 3), any_name()}, size);
      case 4:
        return remove(any_directory(), any_name(), false);
      case 5:
        return remove(any_directory(), any_name(), true);
      case 6:
      case 7:
        return write(any_file(), rng_.next() % 4000, size + 1);
      case 8:
        return resize(any_file(), size);
      case 9:
        return rename(any_directory(), any_name(), any_directory(), any_name());
      case 10:
        return link(any_file(), any_directory(), any_name());
      default:
        return symlink(any_directory(), any_name(), size % 50 + 1);
    }
  }

  TestArray array_;
  Rng rng_;
  InodeId bucket_;
  std::vector<InodeId> directories_;  // in several partitions
  std::set<InodeId> files_;           // that were made, and may be gone
  InodeId last_;                      // of them
};

TEST_F(BucketUsage, IsTheSumOfTheFilesWhateverIsDone) {
  for (int i = 0; i < 600; ++i) (void)run(any_operation());
  ASSERT_GT(walked_bytes(), 0);
  expect_consistent();
  for (const InodeId directory : directories_) {
    for (int i = 0; i < 5; ++i) (void)run(remove(directory, fmt::format("f{}", i), true));
    for (int s = 0; s < 3; ++s) {
      const auto sub = array_.find_directory(directory, fmt::format("sub{}", s));
      for (int i = 0; sub.ok() && i < 5; ++i) {
        (void)run(remove(*sub, fmt::format("f{}", i), false));
      }
    }
  }
  ASSERT_TRUE(wait_quiet());
  EXPECT_EQ(walked_bytes(), 0);
  for (uint32_t i = 0; i < kPartitions; ++i) {
    EXPECT_TRUE(array_.served(PartitionId(i))->image().usage().empty()) << "partition " << i;
  }
}

TEST_F(BucketUsage, NamesDoNotMoveOrLinkToAnotherBucket) {
  const InodeId other = array_.make_bucket("other").value();
  ASSERT_TRUE(run(put(directories_[0], {"f"}, 10)).ok());
  const InodeId file = *files_.begin();
  EXPECT_TRUE(run(rename(directories_[0], "f", other, "f")).failed_with(Errc::cross_device));
  EXPECT_TRUE(run(rename(bucket_, "d0", other, "d0")).failed_with(Errc::cross_device));
  EXPECT_TRUE(run(rename(bucket_, "d0", kRootInode, "d0")).failed_with(Errc::cross_device));
  EXPECT_TRUE(run(rename(kRootInode, "other", bucket_, "x")).failed_with(Errc::cross_device));
  EXPECT_TRUE(run(link(file, other, "f")).failed_with(Errc::cross_device));
  EXPECT_TRUE(run(rename(kRootInode, "other", kRootInode, "another")).ok());
  EXPECT_TRUE(run(link(file, directories_[1], "g")).ok());
  EXPECT_TRUE(run(rename(directories_[1], "g", directories_[2], "g")).ok());
}

class BucketQuota : public BucketUsage {
 protected:
  using BucketUsage::BucketUsage;
};

TEST_F(BucketQuota, RefusesTheFirstByteTooMuchOfEveryOperation) {
  ASSERT_TRUE(run(put(directories_[0], {"before"}, 100)).ok());
  array_.set_quota(bucket_, 1000);
  ASSERT_TRUE(wait_enforced());
  const auto exceeded = [&](Task<> task) {
    return run(std::move(task)).failed_with(Errc::quota_exceeded);
  };
  EXPECT_TRUE(exceeded(put(directories_[1], {"f"}, 901)));
  ASSERT_TRUE(run(put(directories_[1], {"f"}, 900)).ok());
  ASSERT_TRUE(wait_quiet());
  EXPECT_EQ(quota()->used(), 1000);
  const InodeId file = last_;
  EXPECT_TRUE(exceeded(put(directories_[2], {"g"}, 1)));
  EXPECT_TRUE(exceeded(put(directories_[2], {"new", "g"}, 1)));
  EXPECT_TRUE(exceeded(put(directories_[1], {"f"}, 901)));
  EXPECT_TRUE(exceeded(symlink(directories_[2], "s", 1)));
  EXPECT_TRUE(run(put(directories_[2], {"empty"}, 0)).ok());
  for (const InodeId each : files_) {
    EXPECT_TRUE(exceeded(write(each, 900, 1)));
    EXPECT_TRUE(exceeded(resize(each, 901)));
  }
  EXPECT_TRUE(run(put(directories_[1], {"f"}, 900)).ok()) << "no longer than before";
  EXPECT_TRUE(run(write(file, 0, 900)).ok()) << "in place";

  ASSERT_TRUE(run(link(file, directories_[3], "linked")).ok()) << "no new bytes";
  ASSERT_TRUE(run(remove(directories_[1], "f", true)).ok());
  EXPECT_TRUE(exceeded(put(directories_[3], {"linked"}, 901)));
  ASSERT_TRUE(run(put(directories_[3], {"linked"}, 899)).ok());
  EXPECT_TRUE(exceeded(put(directories_[2], {"g"}, 2)));
  ASSERT_TRUE(run(put(directories_[2], {"g"}, 1)).ok());
  ASSERT_TRUE(run(rename(directories_[2], "g", directories_[3], "linked")).ok());
  ASSERT_TRUE(wait_quiet());
  EXPECT_EQ(quota()->used(), 101);
  ASSERT_TRUE(run(remove(directories_[0], "before", false)).ok());
  ASSERT_TRUE(run(put(directories_[4], {"all"}, 999)).ok());
  expect_consistent();
}

TEST_F(BucketQuota, IsCountedAnewWhenItIsSetAgain) {
  ASSERT_TRUE(run(put(directories_[0], {"f"}, 100)).ok());
  array_.set_quota(bucket_, 1000);
  ASSERT_TRUE(wait_enforced());
  array_.set_quota(bucket_, {});
  ASSERT_TRUE(array_.clock.run_until(
      [&] {
        for (uint32_t i = 0; i < kPartitions; ++i) {
          if (!array_.served(PartitionId(i))->image().charged().empty()) return false;
        }
        return !quota().has_value();
      },
      seconds(10)));
  ASSERT_TRUE(run(put(directories_[1], {"g"}, 1000)).ok()) << "there is no quota";
  array_.set_quota(bucket_, 1200);
  array_.set_quota(bucket_, {});
  array_.set_quota(bucket_, 1150);
  ASSERT_TRUE(wait_enforced());
  EXPECT_EQ(quota()->used(), 1100);
  EXPECT_TRUE(run(put(directories_[2], {"h"}, 51)).failed_with(Errc::quota_exceeded));
  EXPECT_TRUE(run(put(directories_[2], {"h"}, 50)).ok());
  array_.set_quota(bucket_, 10);
  ASSERT_TRUE(array_.clock.run_until([&] { return quota()->limit() == 10; }, seconds(10)));
  EXPECT_TRUE(run(put(directories_[2], {"h"}, 51)).failed_with(Errc::quota_exceeded));
  EXPECT_TRUE(run(put(directories_[2], {"h"}, 49)).ok()) << "less than before is allowed";
  expect_consistent();
}

TEST_F(BucketQuota, GoesWithItsBucket) {
  const InodeId other = array_.make_bucket("other").value();
  array_.set_quota(other, 10);
  const auto state = [&] {
    const auto& quotas = array_.served(other.partition())->image().quotas();
    return quotas.contains(other.value);
  };
  ASSERT_TRUE(array_.clock.run_until(state, seconds(10)));
  ASSERT_TRUE(array_.remove_bucket("other").ok());
  ASSERT_TRUE(array_.clock.run_until([&] { return !state(); }, seconds(10)));
  array_.clock.advance(seconds(3));
  EXPECT_FALSE(state()) << "it does not come back";
}

class BucketQuotaUnderLoad : public BucketUsage, public testing::WithParamInterface<uint64_t> {
 protected:
  BucketQuotaUnderLoad() : BucketUsage(GetParam(), replicas()) {}
  static uint32_t replicas() { return GetParam() % 2 == 0 ? 3 : 1; }

  /// Power off; with replicas others take over meanwhile.
  void crash_one(Rng& chance, Rng& loss) {
    TestArray::Blade& blade = array_.blade(static_cast<uint32_t>(chance.next() % kBlades) + 1);
    array_.crash(blade, &loss);
    if (replicas() > 1) array_.set_alive(blade, false);
    array_.clock.advance(milliseconds(chance.next() % (replicas() > 1 ? 4000 : 400)));
    array_.start(blade);
    if (replicas() > 1) array_.set_alive(blade, true);
    ++crashes_;
  }
  bool may_crash() const {
    return std::ranges::all_of(array_.map.record().partitions(), [](const auto& partition) {
      return static_cast<uint32_t>(partition.replicas_size()) == replicas();
    });
  }

  Task<> client(int operations) {
    ++running_;
    for (int i = 0; i < operations; ++i) {
      const Result<> done = co_await any_operation();
      if (done.ok()) ++done_;
      if (done.failed_with(Errc::quota_exceeded)) ++refused_;
      // What crashed blades forget is asked again by the next operation.
      (void)co_await array_.clock.sleep_for(milliseconds(rng_.next() % 20));
    }
    --running_;
    co_return Result<>{};
  }
  /// Once all are counted, nothing is added beyond the limit but what was on its way by then.
  void check_limit() {
    const auto now = quota();
    if (!now || !now->complete()) return;
    const int64_t used = now->used();
    const int64_t used_soon =
        used + array_.served(bucket_.partition())->charges_on_their_way(bucket_.value).grown;
    const auto limit = static_cast<int64_t>(now->limit());
    if (now->generation() != std::exchange(generation_, now->generation())) most_ = used_soon;
    most_ = std::max(limit, most_);
    ASSERT_LE(used, most_);
    most_ = std::max(limit, std::min(most_, used_soon));
  }

  int running_ = 0, done_ = 0, refused_ = 0, crashes_ = 0;
  uint64_t generation_ = 0;
  int64_t most_ = 0;
};

TEST_P(BucketQuotaUnderLoad, IsNeverExceededAndNeverForgotten) {
  Gate gate(array_.clock.executor());
  for (int i = 0; i < 8; ++i) gate.spawn("client", client(300));
  array_.clock.advance(milliseconds(300));
  array_.set_quota(bucket_, 20'000);
  Rng chance(GetParam() + 1000);
  Rng loss(GetParam() + 2000);
  for (int round = 0; running_ > 0; ++round) {
    array_.clock.advance(milliseconds(5));
    check_limit();
    if ((round == 20 || chance.next() % 60 == 0) && may_crash()) crash_one(chance, loss);
    if (round == 200) array_.set_quota(bucket_, {});
    if (round == 240) array_.set_quota(bucket_, 12'000);
  }
  ASSERT_TRUE(run(gate.close()).ok());
  EXPECT_GT(crashes_, 0);
  EXPECT_GT(done_, 100);
  EXPECT_GT(refused_, 10);
  array_.set_quota(bucket_, 12'000);  // where the clients were done before
  ASSERT_TRUE(wait_enforced());
  expect_consistent();
  check_limit();
}

INSTANTIATE_TEST_SUITE_P(Seeds, BucketQuotaUnderLoad, testing::Range<uint64_t>(1, 9));

}  // namespace
}  // namespace turbine::meta
