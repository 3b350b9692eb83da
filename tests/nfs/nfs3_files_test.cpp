// Procedures of NFS version 3 on single files: what they answer, and how they fail.
#include "support/nfs_fixture.hpp"

namespace turbine::test {
namespace {

using nfs::Nfsstat3;

class Nfs3Files : public NfsFixture {
 protected:
  nfs::Diropargs3 at(std::string_view name) { return {root(), name}; }
};

TEST_F(Nfs3Files, NullAnswersNothing) {
  nfs3<nfs::VoidResult>(0, nfs::VoidArgs{});
}

TEST_F(Nfs3Files, GetattrGivesWhatStatGives) {
  const InodeId id = file("a", "12345");
  fs::FileStat& stat = files_.stat_of(id);
  stat.mode = 0100640;
  stat.uid = 7;
  stat.modified_ns = 1'234'567'890'123'456'789;
  const auto result = nfs3<nfs::GetattrResult>(1, nfs::GetattrArgs{handle(id)});
  ASSERT_EQ(result.status, Nfsstat3::ok);
  EXPECT_EQ(result.attributes.type, nfs::Ftype3::reg);
  EXPECT_EQ(result.attributes.mode, 0640U);
  EXPECT_EQ(result.attributes.uid, 7U);
  EXPECT_EQ(result.attributes.size, 5U);
  EXPECT_EQ(result.attributes.fileid, id.value);
  EXPECT_EQ(result.attributes.fsid, bucket_.value);
  EXPECT_EQ(result.attributes.mtime.seconds, 1'234'567'890U);
  EXPECT_EQ(result.attributes.mtime.nseconds, 123'456'789U);
}

TEST_F(Nfs3Files, HandlesAreProvenOnEveryCall) {
  const InodeId id = file("a");
  const auto status = [&](const nfs::NfsFh3& handle) {
    return nfs3<nfs::GetattrResult>(1, nfs::GetattrArgs{handle}).status;
  };
  nfs::NfsFh3 forged = handle(id);
  forged.bytes[27] ^= std::byte{1};
  EXPECT_EQ(status(forged), Nfsstat3::stale);
  nfs::NfsFh3 shorter = handle(id);
  shorter.size = 24;
  EXPECT_EQ(status(shorter), Nfsstat3::badhandle);
  EXPECT_EQ(status(handles_.encode({id, id})), Nfsstat3::stale);  // signed, but no export
  files_.drop(id);
  EXPECT_EQ(status(handle(id)), Nfsstat3::stale);
}

TEST_F(Nfs3Files, ExportsAreCheckedOnEveryCall) {
  const nfs::GetattrArgs args{root()};
  EXPECT_EQ(nfs3<nfs::GetattrResult>(1, args).status, Nfsstat3::ok);
  exports_.rows[0].access.secure = true;
  ++exports_.changes;
  EXPECT_EQ(nfs3<nfs::GetattrResult>(1, args).status,
            Nfsstat3::acces);  // the port is not below 1024
  exports_.rows[0].allowed = false;
  ++exports_.changes;
  EXPECT_EQ(nfs3<nfs::GetattrResult>(1, args).status, Nfsstat3::stale);
}

TEST_F(Nfs3Files, ExportsAreAskedOnceAsLongAsNothingChanges) {
  const nfs::GetattrArgs args{root()};
  for (int i = 0; i < 5; ++i) nfs3<nfs::GetattrResult>(1, args);
  EXPECT_EQ(exports_.asked, 1);
  exports_.failure = Errc::unavailable;  // an answer that is known still holds
  EXPECT_EQ(nfs3<nfs::GetattrResult>(1, args).status, Nfsstat3::ok);
  ++exports_.changes;
  EXPECT_EQ(nfs3<nfs::GetattrResult>(1, args).status, Nfsstat3::jukebox) << "never stale";
  exports_.failure.reset();
  EXPECT_EQ(nfs3<nfs::GetattrResult>(1, args).status, Nfsstat3::ok);
}

TEST_F(Nfs3Files, FailuresOfTheArrayBecomeThoseOfNfs) {
  const struct {
    Errc code;
    Nfsstat3 status;
  } kCases[] = {{Errc::unavailable, Nfsstat3::jukebox},
                {Errc::busy, Nfsstat3::jukebox},
                {Errc::io, Nfsstat3::io},
                {Errc::stale, Nfsstat3::stale},
                {Errc::denied, Nfsstat3::acces},
                {Errc::no_space, Nfsstat3::nospc},
                {Errc::quota_exceeded, Nfsstat3::dquot}};
  for (const auto& [code, status] : kCases) {
    files_.failure = code;
    EXPECT_EQ(nfs3<nfs::GetattrResult>(1, nfs::GetattrArgs{root()}).status, status);
    const auto created = nfs3<nfs::CreateResult>(8, nfs::CreateArgs{.where = at("x")});
    EXPECT_EQ(created.status, status);
  }
}

TEST_F(Nfs3Files, ACallOfUnknownOutcomeEndsItsConnection) {
  start();
  files_.failure = Errc::timeout;
  const std::string record = as_record(
      client_.call_bytes(nfs::kNfsProgram, nfs::kNfsVersion, 8, nfs::CreateArgs{.where = at("x")}));
  ASSERT_TRUE(loop_.run(client_.send(record)).ok());
  EXPECT_TRUE(loop_.run(client_.receive()).failed_with(Errc::closed))
      << "after JUKEBOX the client would ask under another xid";
}

TEST_F(Nfs3Files, SquashDecidesWhoAsks) {
  const auto who = [&](nfs::Squash squash, uint32_t uid, uint32_t gid) {
    exports_.rows[0].access.squash = squash;
    ++exports_.changes;
    client_.credential.uid = uid;
    client_.credential.gid = gid;
    client_.credential.group_count = 2;
    client_.credential.group_ids = {0, 33};
    nfs3<nfs::LookupResult>(3, nfs::LookupArgs{at(".")});
    return files_.last_who;
  };
  fs::Credentials seen = who(nfs::Squash::root, 0, 0);
  EXPECT_EQ(seen.uid, 65534U);
  EXPECT_EQ(seen.gid, 65534U);
  EXPECT_EQ(seen.groups, (std::vector<uint32_t>{65534, 33}));
  seen = who(nfs::Squash::root, 5, 6);
  EXPECT_EQ(seen.uid, 5U);
  EXPECT_EQ(seen.gid, 6U);
  seen = who(nfs::Squash::none, 0, 0);
  EXPECT_EQ(seen.uid, 0U);
  EXPECT_EQ(seen.groups, (std::vector<uint32_t>{0, 33}));
  seen = who(nfs::Squash::all, 5, 6);
  EXPECT_EQ(seen.uid, 65534U);
  EXPECT_TRUE(seen.groups.empty());

  client_.credential.flavor = nfs::kAuthNone;
  seen = who(nfs::Squash::none, 0, 0);
  EXPECT_EQ(seen.uid, 65534U);
}

TEST_F(Nfs3Files, AReadOnlyExportRefusesAllChanges) {
  const nfs::NfsFh3 a = handle(file("a", "abc"));
  exports_.rows[0].access.read_only = true;
  EXPECT_EQ(nfs3<nfs::WccResult>(2, nfs::SetattrArgs{.object = a}).status, Nfsstat3::rofs);
  EXPECT_EQ(nfs3<nfs::WriteResult>(7, nfs::WriteArgs{.file = a}).status, Nfsstat3::rofs);
  EXPECT_EQ(nfs3<nfs::CreateResult>(8, nfs::CreateArgs{.where = at("x")}).status, Nfsstat3::rofs);
  EXPECT_EQ(nfs3<nfs::CreateResult>(9, nfs::MkdirArgs{.where = at("x")}).status, Nfsstat3::rofs);
  EXPECT_EQ(nfs3<nfs::CreateResult>(10, nfs::SymlinkArgs{.where = at("x"), .target = "y"}).status,
            Nfsstat3::rofs);
  EXPECT_EQ(nfs3<nfs::CreateResult>(11, nfs::MknodArgs{.where = at("x")}).status, Nfsstat3::rofs);
  EXPECT_EQ(nfs3<nfs::WccResult>(12, nfs::RemoveArgs{at("a")}).status, Nfsstat3::rofs);
  EXPECT_EQ(nfs3<nfs::WccResult>(13, nfs::RmdirArgs{at("a")}).status, Nfsstat3::rofs);
  EXPECT_EQ(nfs3<nfs::RenameResult>(14, nfs::RenameArgs{at("a"), at("b")}).status, Nfsstat3::rofs);
  EXPECT_EQ(nfs3<nfs::LinkResult>(15, nfs::LinkArgs{a, at("b")}).status, Nfsstat3::rofs);
  EXPECT_EQ(nfs3<nfs::ReadResult>(6, nfs::ReadArgs{a, 0, 10}).status, Nfsstat3::ok);
  files_.stat_of(inode(a)).mode = 0777;
  EXPECT_EQ(nfs3<nfs::AccessResult>(4, nfs::AccessArgs{a, 0x3F}).access,
            nfs::kAccessRead | nfs::kAccessExecute);
  EXPECT_TRUE(files_.mutations.empty());
}

TEST_F(Nfs3Files, SetattrHonoursItsGuardAndTellsBeforeAndAfter) {
  const InodeId id = file("a", "12345");
  const int64_t changed = files_.stat_of(id).changed_ns;
  nfs::SetattrArgs args{.object = handle(id)};
  args.new_attributes.size = 2;
  args.new_attributes.mode = 0600;
  args.guard = nfs::Nfstime3{1, 1};
  EXPECT_EQ(nfs3<nfs::WccResult>(2, args).status, Nfsstat3::not_sync);
  EXPECT_EQ(files_.bytes(id), "12345");
  args.guard = nfs::Nfstime3{static_cast<uint32_t>(changed / 1'000'000'000),
                             static_cast<uint32_t>(changed % 1'000'000'000)};
  const auto result = nfs3<nfs::WccResult>(2, args);
  ASSERT_EQ(result.status, Nfsstat3::ok);
  EXPECT_EQ(files_.bytes(id), "12");
  ASSERT_TRUE(result.wcc.before && result.wcc.after);
  EXPECT_EQ(result.wcc.before->size, 5U);
  EXPECT_EQ(result.wcc.before->ctime.nseconds, args.guard->nseconds);
  EXPECT_EQ(result.wcc.after->size, 2U);
  EXPECT_EQ(result.wcc.after->mode, 0600U);
  args.new_attributes.mtime = {nfs::TimeHow::set_to_client_time, {1, 1'000'000'000}};
  EXPECT_EQ(nfs3<nfs::WccResult>(2, args).status, Nfsstat3::inval);
}

TEST_F(Nfs3Files, LookupFindsNamesAndNobodyLeavesTheExport) {
  const InodeId directory = files_.put(bucket_, "d", fs::FileType::directory);
  const InodeId inner = files_.put(directory, "f", fs::FileType::regular);
  const auto look = [&](InodeId in, std::string_view name) {
    return nfs3<nfs::LookupResult>(3, nfs::LookupArgs{{handle(in), name}});
  };
  auto found = look(directory, "f");
  ASSERT_EQ(found.status, Nfsstat3::ok);
  EXPECT_EQ(inode(found.object), inner);
  ASSERT_TRUE(found.attributes && found.dir_attributes);
  EXPECT_EQ(found.dir_attributes->fileid, directory.value);
  EXPECT_EQ(inode(look(directory, ".").object), directory);
  EXPECT_EQ(inode(look(directory, "..").object), bucket_);
  EXPECT_EQ(inode(look(bucket_, "..").object), bucket_);
  EXPECT_EQ(look(directory, "g").status, Nfsstat3::noent);
  EXPECT_EQ(look(inner, "g").status, Nfsstat3::notdir);
  client_.credential.uid = files_.denied_uid;
  EXPECT_EQ(look(directory, "f").status, Nfsstat3::acces);
}

TEST_F(Nfs3Files, NamesThatCantBeAreRefusedEverywhere) {
  const std::string long_name(256, 'n');
  const nfs::NfsFh3 a = handle(file("a"));
  const struct {
    std::string_view name;
    Nfsstat3 status;
  } kCases[] = {{long_name, Nfsstat3::nametoolong},
                {std::string_view("a\0b", 3), Nfsstat3::inval},
                {"a/b", Nfsstat3::inval},
                {"", Nfsstat3::inval}};
  for (const auto& [name, status] : kCases) {
    EXPECT_EQ(nfs3<nfs::LookupResult>(3, nfs::LookupArgs{at(name)}).status, status);
    EXPECT_EQ(nfs3<nfs::CreateResult>(8, nfs::CreateArgs{.where = at(name)}).status, status);
    EXPECT_EQ(nfs3<nfs::CreateResult>(9, nfs::MkdirArgs{.where = at(name)}).status, status);
    EXPECT_EQ(
        nfs3<nfs::CreateResult>(10, nfs::SymlinkArgs{.where = at(name), .target = "t"}).status,
        status);
    EXPECT_EQ(nfs3<nfs::CreateResult>(11, nfs::MknodArgs{.where = at(name)}).status, status);
    EXPECT_EQ(nfs3<nfs::WccResult>(12, nfs::RemoveArgs{at(name)}).status, status);
    EXPECT_EQ(nfs3<nfs::WccResult>(13, nfs::RmdirArgs{at(name)}).status, status);
    EXPECT_EQ(nfs3<nfs::RenameResult>(14, nfs::RenameArgs{at("a"), at(name)}).status, status);
    EXPECT_EQ(nfs3<nfs::RenameResult>(14, nfs::RenameArgs{at(name), at("a")}).status, status);
    EXPECT_EQ(nfs3<nfs::LinkResult>(15, nfs::LinkArgs{a, at(name)}).status, status);
  }
  const std::string longest(255, 'n');
  EXPECT_EQ(nfs3<nfs::CreateResult>(8, nfs::CreateArgs{.where = at(longest)}).status, Nfsstat3::ok);
  EXPECT_EQ(nfs3<nfs::CreateResult>(9, nfs::MkdirArgs{.where = at("..")}).status, Nfsstat3::exist);
  EXPECT_EQ(nfs3<nfs::WccResult>(12, nfs::RemoveArgs{at(".")}).status, Nfsstat3::isdir);
  EXPECT_EQ(nfs3<nfs::WccResult>(13, nfs::RmdirArgs{at(".")}).status, Nfsstat3::inval);
  EXPECT_EQ(nfs3<nfs::WccResult>(13, nfs::RmdirArgs{at("..")}).status, Nfsstat3::exist);
  EXPECT_EQ(nfs3<nfs::RenameResult>(14, nfs::RenameArgs{at("a"), at("..")}).status,
            Nfsstat3::inval);
}

TEST_F(Nfs3Files, ReadlinkAndSymlink) {
  const auto made =
      nfs3<nfs::CreateResult>(10, nfs::SymlinkArgs{.where = at("l"), .target = "../else/where"});
  ASSERT_EQ(made.status, Nfsstat3::ok);
  EXPECT_EQ(made.attributes->type, nfs::Ftype3::lnk);
  const auto read = nfs3<nfs::ReadlinkResult>(5, nfs::ReadlinkArgs{*made.object});
  EXPECT_EQ(read.target, "../else/where");
  EXPECT_EQ(nfs3<nfs::ReadlinkResult>(5, nfs::ReadlinkArgs{handle(file("f"))}).status,
            Nfsstat3::inval);
  const std::string long_target(1025, 't');
  nfs::SymlinkArgs args{.where = at("m"), .target = long_target};
  EXPECT_EQ(nfs3<nfs::CreateResult>(10, args).status, Nfsstat3::nametoolong);
  args.target = std::string_view("a\0b", 3);
  EXPECT_EQ(nfs3<nfs::CreateResult>(10, args).status, Nfsstat3::inval);
}

TEST_F(Nfs3Files, ReadGivesBytesAndEndOfFile) {
  files_.read_piece_bytes = 3;
  const nfs::NfsFh3 a = handle(file("a", "0123456789"));
  const auto read = [&](uint64_t offset, uint32_t count) {
    auto result = nfs3<nfs::ReadResult>(6, nfs::ReadArgs{a, offset, count});
    EXPECT_EQ(result.status, Nfsstat3::ok);
    std::string bytes(result.data.at(0).text());
    EXPECT_EQ(result.count, bytes.size());
    return bytes + (result.eof ? "|" : "");
  };
  EXPECT_EQ(read(0, 4), "0123");
  EXPECT_EQ(read(4, 6), "456789|");
  EXPECT_EQ(read(4, 1000), "456789|");
  EXPECT_EQ(read(10, 1), "|");
  EXPECT_EQ(read(0, 0), "");
  EXPECT_EQ(read(UINT64_MAX, UINT32_MAX), "|");
  EXPECT_EQ(nfs3<nfs::ReadResult>(6, nfs::ReadArgs{root(), 0, 4}).status, Nfsstat3::isdir);
}

TEST_F(Nfs3Files, ReadGivesAtMostAMegabyte) {
  std::string content(3 << 20, '\0');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7 / 5);
  files_.read_piece_bytes = 300'000;
  const nfs::NfsFh3 a = handle(file("a", content));
  const auto result = nfs3<nfs::ReadResult>(6, nfs::ReadArgs{a, 12345, UINT32_MAX});
  EXPECT_EQ(result.count, 1U << 20);
  EXPECT_FALSE(result.eof);
  EXPECT_EQ(result.data.at(0).text(), std::string_view(content).substr(12345, 1 << 20));
}

TEST_F(Nfs3Files, WriteIsFileSyncWhateverIsAskedFor) {
  const InodeId id = file("a", "0123456789");
  nfs::WriteArgs args{.file = handle(id), .offset = 8, .count = 5};
  args.data = Buffer::copy_of(std::string_view("abcde"));
  for (const auto how :
       {nfs::StableHow::unstable, nfs::StableHow::data_sync, nfs::StableHow::file_sync}) {
    args.stable = how;
    const auto result = nfs3<nfs::WriteResult>(7, args);
    ASSERT_EQ(result.status, Nfsstat3::ok);
    EXPECT_EQ(result.count, 5U);
    EXPECT_EQ(result.committed, nfs::StableHow::file_sync);
    EXPECT_EQ(result.verifier, 0x1122334455667788U);
    EXPECT_EQ(result.wcc.after->size, 13U);
  }
  EXPECT_EQ(files_.bytes(id), "01234567abcde");
  args.count = 4;
  EXPECT_EQ(nfs3<nfs::WriteResult>(7, args).status, Nfsstat3::inval);
  args.count = 0;
  args.data = Buffer();
  EXPECT_EQ(nfs3<nfs::WriteResult>(7, args).status, Nfsstat3::acces);  // also to write nothing
  files_.stat_of(id).mode = 0666;
  const auto nothing = nfs3<nfs::WriteResult>(7, args);
  EXPECT_EQ(nothing.status, Nfsstat3::ok);
  EXPECT_EQ(nothing.count, 0U);
  args = {.file = root(), .count = 1, .data = Buffer::copy_of(std::string_view("x"))};
  EXPECT_EQ(nfs3<nfs::WriteResult>(7, args).status, Nfsstat3::isdir);
  args = {.file = root()};
  EXPECT_EQ(nfs3<nfs::WriteResult>(7, args).status, Nfsstat3::isdir);
}

TEST_F(Nfs3Files, WritesOfAllSizesArriveWhole) {
  const InodeId id = file("a");
  for (const uint32_t size : {1U, 3U, 4095U, 16000U, 16384U, 70001U, 1U << 20}) {
    std::string content(size, '\0');
    for (size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * 11 / 3 + size);
    nfs::WriteArgs args{.file = handle(id), .offset = 0, .count = size};
    args.data = Buffer::copy_of(std::string_view(content));
    nfs::SetattrArgs truncate{.object = handle(id)};
    truncate.new_attributes.size = 0;
    EXPECT_EQ(nfs3<nfs::WccResult>(2, truncate).status, Nfsstat3::ok);
    EXPECT_EQ(nfs3<nfs::WriteResult>(7, args).count, size);
    EXPECT_EQ(files_.bytes(id), content);
  }
  EXPECT_EQ(server_->bytes_in_flight(), 0U);
}

TEST_F(Nfs3Files, CreateHasItsThreeModes) {
  nfs::CreateArgs args{.where = at("a")};
  args.attributes.mode = 0600;
  args.mode = nfs::Createmode3::guarded;
  const auto made = nfs3<nfs::CreateResult>(8, args);
  ASSERT_EQ(made.status, Nfsstat3::ok);
  EXPECT_EQ(made.attributes->mode, 0600U);
  EXPECT_EQ(made.attributes->uid, 1000U);
  ASSERT_TRUE(made.dir_wcc.before && made.dir_wcc.after);
  EXPECT_EQ(made.dir_wcc.after->fileid, bucket_.value);
  EXPECT_EQ(nfs3<nfs::CreateResult>(8, args).status, Nfsstat3::exist);
  args.mode = nfs::Createmode3::unchecked;
  EXPECT_EQ(inode(*nfs3<nfs::CreateResult>(8, args).object), inode(*made.object));

  args = {.where = at("b"), .mode = nfs::Createmode3::exclusive, .verifier = 77};
  const auto exclusive = nfs3<nfs::CreateResult>(8, args);
  ASSERT_EQ(exclusive.status, Nfsstat3::ok);
  EXPECT_EQ(inode(*nfs3<nfs::CreateResult>(8, args).object), inode(*exclusive.object));
  args.verifier = 78;
  EXPECT_EQ(nfs3<nfs::CreateResult>(8, args).status, Nfsstat3::exist);
}

TEST_F(Nfs3Files, MknodMakesSpecialFilesOnly) {
  nfs::MknodArgs args{.where = at("n"), .type = nfs::Ftype3::chr, .device = {4, 5}};
  const auto made = nfs3<nfs::CreateResult>(11, args);
  ASSERT_EQ(made.status, Nfsstat3::ok);
  EXPECT_EQ(made.attributes->type, nfs::Ftype3::chr);
  EXPECT_EQ(made.attributes->rdev.major, 4U);
  EXPECT_EQ(made.attributes->rdev.minor, 5U);
  args = {.where = at("p"), .type = nfs::Ftype3::sock};
  EXPECT_EQ(nfs3<nfs::CreateResult>(11, args).attributes->type, nfs::Ftype3::sock);
  for (const uint32_t type : {0U, 1U, 2U, 5U, 8U, 4711U}) {
    args = {.where = at("q"), .type = static_cast<nfs::Ftype3>(type)};
    EXPECT_EQ(nfs3<nfs::CreateResult>(11, args).status, Nfsstat3::badtype) << type;
  }
}

TEST_F(Nfs3Files, LinkMakesASecondName) {
  const InodeId id = file("a");
  const auto linked = nfs3<nfs::LinkResult>(15, nfs::LinkArgs{handle(id), at("b")});
  ASSERT_EQ(linked.status, Nfsstat3::ok);
  EXPECT_EQ(linked.attributes->nlink, 2U);
  EXPECT_EQ(linked.dir_wcc.after->fileid, bucket_.value);
  EXPECT_EQ(nfs3<nfs::LinkResult>(15, nfs::LinkArgs{handle(id), at("b")}).status, Nfsstat3::exist);
}

TEST_F(Nfs3Files, NothingMovesBetweenExports) {
  const InodeId other = files_.put(kRootInode, "other", fs::FileType::directory);
  exports_.rows.push_back({"/other", other, {.secure = false}});
  const InodeId id = file("a");
  const nfs::Diropargs3 there{handles_.encode({other, other}), "b"};
  EXPECT_EQ(nfs3<nfs::RenameResult>(14, nfs::RenameArgs{at("a"), there}).status, Nfsstat3::xdev);
  EXPECT_EQ(nfs3<nfs::LinkResult>(15, nfs::LinkArgs{handle(id), there}).status, Nfsstat3::xdev);
}

TEST_F(Nfs3Files, CommitSaysThatAllIsDurable) {
  const InodeId id = file("a", "abc");
  const auto result = nfs3<nfs::CommitResult>(21, nfs::CommitArgs{handle(id), 0, 0});
  ASSERT_EQ(result.status, Nfsstat3::ok);
  EXPECT_EQ(result.verifier, 0x1122334455667788U);
  EXPECT_EQ(result.wcc.after->size, 3U);
  files_.drop(id);
  EXPECT_EQ(nfs3<nfs::CommitResult>(21, nfs::CommitArgs{handle(id), 0, 0}).status, Nfsstat3::stale);
}

TEST_F(Nfs3Files, ARetransmissionHasTheSameRequestId) {
  const InodeId id = file("a");
  const auto write = [&](uint32_t xid, std::string_view bytes, uint64_t offset = 0) {
    client_.next_xid = xid;
    nfs::WriteArgs args{
        .file = handle(id), .offset = offset, .count = static_cast<uint32_t>(bytes.size())};
    args.data = Buffer::copy_of(bytes);
    EXPECT_EQ(nfs3<nfs::WriteResult>(7, args).status, Nfsstat3::ok);
    return files_.mutations.back().request;
  };
  const RequestId first = write(5, "abc");
  EXPECT_NE(first.session.value >> 63, 0U);
  EXPECT_EQ(write(5, "abc"), first);
  EXPECT_NE(write(6, "abc"), first);
  EXPECT_NE(write(5, "abd"), first);
  EXPECT_NE(write(5, "abc", 1), first);
  client_.credential.uid = 1001;
  EXPECT_NE(write(5, "abc"), first);
  client_.credential.uid = 1000;

  // Over another connection, and in other pieces.
  const std::string large(50'000, 'x');
  const RequestId whole = write(9, large);
  RpcTestClient again(loop_);
  ASSERT_TRUE(loop_.run(again.connect(server_->port())).ok());
  again.credential = client_.credential;
  again.next_xid = 9;
  nfs::WriteArgs args{.file = handle(id), .count = 50'000};
  args.data = Buffer::copy_of(std::string_view(large));
  const std::string bytes = again.call_bytes(nfs::kNfsProgram, nfs::kNfsVersion, 7, args);
  const std::string stream =
      record_mark(20'000, false) + bytes.substr(0, 20'000) + as_record(bytes.substr(20'000));
  ASSERT_TRUE(loop_.run(again.send(stream)).ok());
  ASSERT_TRUE(loop_.run(again.receive()).ok());
  EXPECT_EQ(files_.mutations.back().request, whole);
}

}  // namespace
}  // namespace turbine::test
