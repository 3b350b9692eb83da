// Operations that meet each other, or a background job, halfway.
#include <gtest/gtest.h>

#include <optional>

#include "meta/test_array.hpp"

namespace turbine::meta {
namespace {

using Path = std::vector<std::string>;
using std::chrono::seconds;

Options without_jobs() {
  Options options;
  options.background = false;
  return options;
}

constexpr SessionId kGateway{900};  // whose request ids TestArray makes

uint64_t extent_bytes(TestArray& array, InodeId directory, const std::string& name) {
  proto::LookupRequest request;
  request.set_directory(directory.value);
  request.set_name(name);
  request.set_want_content(true);
  request.set_length(1 << 20);
  const auto reply =
      array.call<proto::LookupReply>(directory.partition(), proto::LOOKUP, std::move(request));
  EXPECT_TRUE(reply.ok());
  uint64_t bytes = 0;
  if (!reply.ok()) return bytes;
  for (const proto::Extent& extent : reply->body.content().extents()) bytes += extent.length();
  return bytes;
}

Task<> put_hidden(TestArray& array, InodeId bucket, Path path, proto::NewContent content,
                  Result<>& outcome) {
  proto::PutFileRequest put;
  put.set_directory(bucket.value);
  for (std::string& name : path) put.add_path(std::move(name));
  *put.mutable_content() = std::move(content);
  put.set_session(kGateway.value);
  const auto reply = co_await array.client->call<proto::PutFileReply>(
      bucket.partition(), proto::PUT_FILE, std::move(put), {}, array.next_request(),
      array.clock.now());
  if (!reply.ok()) outcome = fail(reply.error());
  co_return Result<>{};
}

// A reader that asks again for places must not get a hole for bytes that were released.
TEST(GetExtents, GivesThePlacesOfAPinnedContentUntilThePinIsReleased) {
  TestArray array(1, 1, 1, without_jobs());
  const InodeId bucket = array.make_bucket("b").value();
  Result<> outcome;
  ASSERT_TRUE(array.clock
                  .run(put_hidden(array, bucket, {"f"},
                                  array.hidden_content(bucket.partition(), kGateway), outcome))
                  .ok());
  ASSERT_TRUE(outcome.ok());
  proto::LookupRequest lookup;
  lookup.set_directory(bucket.value);
  lookup.set_name("f");
  lookup.set_pin(true);
  lookup.set_session(kGateway.value);
  const auto found = array.call<proto::LookupReply>(bucket.partition(), proto::LOOKUP, lookup);
  ASSERT_TRUE(found.ok());
  ASSERT_NE(found->body.pin(), 0U);
  ASSERT_TRUE(array.put(bucket, {"f"}, "new").ok());
  proto::GetExtentsRequest request;
  request.set_inode(found->body.inode().id());
  request.set_length(1 << 20);
  request.set_content_version(found->body.inode().content_version());
  request.set_session(kGateway.value);
  const auto pinned =
      array.call<proto::GetExtentsReply>(bucket.partition(), proto::GET_EXTENTS, request);
  ASSERT_TRUE(pinned.ok()) << pinned.error().text();
  uint64_t bytes = 0;
  for (const proto::Extent& extent : pinned->body.content().extents()) bytes += extent.length();
  EXPECT_EQ(bytes, found->body.inode().size());
  EXPECT_GT(bytes, 0U);
  proto::ReleasePinRequest release;
  release.add_pins(found->body.pin());
  release.set_session(kGateway.value);
  release.set_inode(found->body.inode().id());
  ASSERT_TRUE(
      array.call<proto::ReleasePinReply>(bucket.partition(), proto::RELEASE_PIN, release).ok());
  EXPECT_TRUE(array.call<proto::GetExtentsReply>(bucket.partition(), proto::GET_EXTENTS, request)
                  .failed_with(Errc::conflict));
}

Task<> get_extents(TestArray& array, InodeId inode, Result<uint64_t>& bytes) {
  proto::GetExtentsRequest request;
  request.set_inode(inode.value);
  request.set_length(1 << 20);
  const auto reply = co_await array.client->call<proto::GetExtentsReply>(
      inode.partition(), proto::GET_EXTENTS, request, {}, {}, array.clock.now());
  bytes = reply.ok() ? Result<uint64_t>(reply->body.inode().size()) : fail(reply.error());
  co_return Result<>{};
}

Task<> get_extents_at(TestArray& array, Duration after, proto::GetExtentsRequest request,
                      std::optional<uint64_t>& bytes) {
  CO_TRY(co_await array.clock.sleep_for(after));
  const auto reply = co_await array.client->call<proto::GetExtentsReply>(
      InodeId(request.inode()).partition(), proto::GET_EXTENTS, request, {}, {}, array.clock.now());
  if (!reply.ok()) co_return Result<>{};
  bytes = 0;
  for (const proto::Extent& extent : reply->body.content().extents()) *bytes += extent.length();
  co_return Result<>{};
}

Task<> put_inline(TestArray& array, InodeId bucket, std::string name) {
  proto::PutFileRequest put;
  put.set_directory(bucket.value);
  put.add_path(std::move(name));
  put.mutable_content()->set_size(3);
  CO_TRY(co_await array.client->call<proto::PutFileReply>(bucket.partition(), proto::PUT_FILE,
                                                          std::move(put), Buffer::copy_of("new"),
                                                          array.next_request(), array.clock.now()));
  co_return Result<>{};
}

// Whenever the object is replaced during the read of its records: all places or none.
TEST(GetExtents, NeverTakesAReplacedContentForAHole) {
  int found = 0, refused = 0;
  for (int step = 0; step < 80; ++step) {
    TestArray array(1, 1, 1, without_jobs());
    const InodeId bucket = array.make_bucket("b").value();
    Result<> outcome;
    (void)array.clock.run(put_hidden(array, bucket, {"f"},
                                     array.hidden_content(bucket.partition(), kGateway), outcome));
    ASSERT_TRUE(outcome.ok());
    proto::LookupRequest lookup;
    lookup.set_directory(bucket.value);
    lookup.set_name("f");
    const auto file = array.call<proto::LookupReply>(bucket.partition(), proto::LOOKUP, lookup);
    ASSERT_TRUE(file.ok());
    array.kv_options.cold_read_one_in = 1;
    array.crash(array.blade(1));
    array.start(array.blade(1));
    proto::GetExtentsRequest request;
    request.set_inode(file->body.inode().id());
    request.set_length(1 << 20);
    request.set_content_version(file->body.inode().content_version());
    std::optional<uint64_t> bytes;
    std::vector<Task<>> both;
    both.reserve(2);
    both.push_back(get_extents_at(array, std::chrono::microseconds(step * 25), request, bytes));
    both.push_back(put_inline(array, bucket, "f"));
    ASSERT_TRUE(array.clock
                    .run([](std::vector<Task<>> tasks) -> Task<> {
                      for (auto& result : co_await when_all(std::move(tasks))) {
                        CO_TRY(std::move(result));
                      }
                      co_return Result<>{};
                    }(std::move(both)))
                    .ok());
    if (bytes.has_value()) EXPECT_EQ(*bytes, 100'000U) << "step " << step;
    ++(bytes.has_value() ? found : refused);
  }
  EXPECT_GT(found, 0);
  EXPECT_GT(refused, 0);
}

Task<> finish_late(TestArray& array, proto::TxnFinishRequest finish) {
  CO_TRY(co_await array.clock.sleep_for(std::chrono::milliseconds(300)));
  const PartitionId target(finish.partition());
  CO_TRY(co_await array.client->call<proto::TxnFinishReply>(
      target, proto::TXN_FINISH, std::move(finish), {}, {}, array.clock.now()));
  co_return Result<>{};
}

// The coordinator has answered the client, this partition has not been told yet.
TEST(Transaction, LetsReadersOfItsContentWaitForTheOutcome) {
  TestArray array(2, 4, 1, without_jobs());
  const InodeId bucket = array.make_bucket("b").value();
  const PartitionId home(1);
  proto::TxnPrepareRequest prepare;
  prepare.mutable_id()->set_session(kGateway.value);
  prepare.mutable_id()->set_sequence(78);
  prepare.mutable_id()->set_step(1);
  prepare.set_partition(home.value);
  prepare.set_coordinator(bucket.partition().value);
  proto::TakeContent& take = *prepare.mutable_operation()->mutable_take_content();
  *take.mutable_content() = array.hidden_content(home, kGateway);
  take.set_session(kGateway.value);
  const auto prepared = array.call<proto::TxnPrepareReply>(home, proto::TXN_PREPARE, prepare);
  ASSERT_TRUE(prepared.ok());
  proto::TxnFinishRequest finish;
  *finish.mutable_id() = prepare.id();
  finish.set_partition(home.value);
  finish.set_commit(true);
  Result<uint64_t> bytes = fail(Errc::ok, "not asked");
  std::vector<Task<>> both;
  both.reserve(2);
  both.push_back(get_extents(array, InodeId(prepared->body.result().content_inode()), bytes));
  both.push_back(finish_late(array, std::move(finish)));
  ASSERT_TRUE(array.clock
                  .run([](std::vector<Task<>> tasks) -> Task<> {
                    for (auto& result : co_await when_all(std::move(tasks))) {
                      CO_TRY(std::move(result));
                    }
                    co_return Result<>{};
                  }(std::move(both)))
                  .ok());
  ASSERT_TRUE(bytes.ok()) << bytes.error().text();
  EXPECT_EQ(*bytes, 100'000U);
}

Task<> end_sessions(PartitionHost& host) {
  return host.end_silent_sessions();
}

// A gateway that was held up for as long as its session lasts comes back at the moment when the
// blade ends that session.
void race_with_the_end_of_the_session(const Path& path) {
  TestArray array(1, 1, 1, without_jobs());
  TestArray::Blade& blade = array.blade(1);
  const InodeId bucket = array.make_bucket("b").value();
  blade.host->renew_session(kGateway);
  proto::NewContent content = array.hidden_content(bucket.partition(), kGateway);
  array.clock.advance(seconds(31));
  Result<> outcome;
  std::vector<Task<>> both;
  both.push_back(end_sessions(*blade.host));
  both.push_back(put_hidden(array, bucket, path, std::move(content), outcome));
  (void)array.clock.run([](std::vector<Task<>> tasks) -> Task<> {
    for (auto& result : co_await when_all(std::move(tasks))) CO_TRY(std::move(result));
    co_return Result<>{};
  }(std::move(both)));
  // Another silence later the session is ended for good.
  array.clock.advance(seconds(31));
  ASSERT_TRUE(array.clock.run(blade.host->end_silent_sessions()).ok());
  ASSERT_FALSE(blade.failed);
  if (!outcome.ok()) return;
  InodeId directory = bucket;
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    directory = array.find_directory(directory, path[i]).value();
  }
  EXPECT_EQ(extent_bytes(array, directory, path.back()), 100'000U);
}

TEST(PutFile, KeepsItsBytesWhenTheSessionEndsMeanwhile) {
  race_with_the_end_of_the_session({"f"});
}
TEST(PutFile, KeepsItsBytesBelowANewDirectoryWhenTheSessionEndsMeanwhile) {
  race_with_the_end_of_the_session({"d", "f"});
}

Task<> commit_something(PartitionPtr partition) {
  proto::LogEntry entry;
  entry.add_mutations()->set_drop_replay_below(0);
  co_return co_await partition->commit(std::move(entry));
}

TEST(PartitionHost, StopsThoughAJobWaitsForRoomInTheJournal) {
  TestArray array(1, 1);
  TestArray::Blade& blade = array.blade(1);
  ASSERT_TRUE(array.make_bucket("b").ok());
  blade.log->full = true;
  blade.host->gate().spawn("a job", commit_something(blade.host->partitions().front()));
  array.clock.run_until_idle();
  const Result<> stopped = array.clock.run(blade.host->stop(), seconds(10));
  EXPECT_TRUE(stopped.ok()) << stopped.error().text();
}

Task<> delete_file(TestArray& array, InodeId directory, std::string name) {
  proto::DeleteFileRequest request;
  request.set_directory(directory.value);
  request.set_name(std::move(name));
  CO_TRY(co_await array.client->call<proto::DeleteFileReply>(
      directory.partition(), proto::DELETE_FILE, std::move(request), {}, array.next_request(),
      array.clock.now()));
  co_return Result<>{};
}

// Reads of records that are not in memory let others in between check and removal.
TEST(DeleteFile, LeavesNoEmptyDirectoryWhenTheLastFilesGoTogether) {
  for (int files = 2; files <= 4; ++files) {
    TestArray array(1, 1);
    const InodeId bucket = array.make_bucket("b").value();
    for (int i = 0; i < files; ++i) {
      ASSERT_TRUE(array.put(bucket, {"d", fmt::format("f{}", i)}, "x").ok());
    }
    array.kv_options.cold_read_one_in = 1;
    array.crash(array.blade(1));
    array.start(array.blade(1));
    const InodeId directory = array.find_directory(bucket, "d").value();
    std::vector<Task<>> deletes;
    deletes.reserve(4);
    for (int i = 0; i < files; ++i) {
      deletes.push_back(delete_file(array, directory, fmt::format("f{}", i)));
    }
    const Result<> done = array.clock.run([](std::vector<Task<>> tasks) -> Task<> {
      for (auto& result : co_await when_all(std::move(tasks))) CO_TRY(std::move(result));
      co_return Result<>{};
    }(std::move(deletes)));
    ASSERT_TRUE(done.ok()) << done.error().text();
    EXPECT_EQ(array.list(bucket).value(), Path{}) << files << " files";
  }
}

TEST(DeleteFile, LeavesNoEmptyParentWhenItsLastDirectoriesGoTogether) {
  for (int directories = 2; directories <= 4; ++directories) {
    TestArray array(3, 8);
    const InodeId bucket = array.make_bucket("b").value();
    for (int i = 0; i < directories; ++i) {
      ASSERT_TRUE(array.put(bucket, {"p", fmt::format("d{}", i), "f"}, "x").ok());
    }
    array.kv_options.cold_read_one_in = 1;
    for (uint32_t id = 1; id <= 3; ++id) {
      array.crash(array.blade(id));
      array.start(array.blade(id));
    }
    const InodeId parent = array.find_directory(bucket, "p").value();
    std::vector<Task<>> deletes;
    deletes.reserve(4);
    for (int i = 0; i < directories; ++i) {
      const InodeId directory = array.find_directory(parent, fmt::format("d{}", i)).value();
      deletes.push_back(delete_file(array, directory, "f"));
    }
    const Result<> done = array.clock.run([](std::vector<Task<>> tasks) -> Task<> {
      for (auto& result : co_await when_all(std::move(tasks))) CO_TRY(std::move(result));
      co_return Result<>{};
    }(std::move(deletes)));
    ASSERT_TRUE(done.ok()) << done.error().text();
    EXPECT_EQ(array.list(bucket).value(), Path{}) << directories << " directories";
  }
}

// The network may bring a message again after everything that followed it.
TEST(Transaction, PreparesNothingForALateDuplicate) {
  for (const bool after_prepare : {true, false}) {
    TestArray array(2, 4, 1, without_jobs());
    const InodeId bucket = array.make_bucket("b").value();
    const PartitionId target(1);
    proto::TxnId id;
    id.set_session(kGateway.value);
    id.set_sequence(77);
    id.set_attempt(5);
    id.set_step(1);
    proto::TxnPrepareRequest prepare;
    *prepare.mutable_id() = id;
    prepare.set_partition(target.value);
    prepare.set_coordinator(bucket.partition().value);
    proto::InsertTree& tree = *prepare.mutable_operation()->mutable_insert_tree();
    tree.set_parent(bucket.value);
    tree.add_names("d");
    tree.set_implicit(true);
    proto::TxnFinishRequest finish;
    *finish.mutable_id() = id;
    finish.set_partition(target.value);
    finish.set_commit(after_prepare);
    if (after_prepare) {
      ASSERT_TRUE(array.call<proto::TxnPrepareReply>(target, proto::TXN_PREPARE, prepare).ok());
    }
    ASSERT_TRUE(array.call<proto::TxnFinishReply>(target, proto::TXN_FINISH, finish).ok());
    EXPECT_TRUE(array.call<proto::TxnPrepareReply>(target, proto::TXN_PREPARE, prepare)
                    .failed_with(Errc::conflict));
    for (const PartitionPtr& partition : array.blade_of(target).host->partitions()) {
      EXPECT_TRUE(partition->image().intents().empty());
    }
  }
}

}  // namespace
}  // namespace turbine::meta
