// Procedures of NFS version 3 on directories and on the file system.
#include "support/nfs_fixture.hpp"

namespace turbine::test {
namespace {

using nfs::Nfsstat3;

class Nfs3Directories : public NfsFixture {
 protected:
  nfs::Diropargs3 at(std::string_view name) { return {root(), name}; }

  /// All names, and how many replies they took. Every reply keeps to the limits.
  std::vector<std::string> read_all(uint32_t count, size_t* replies = nullptr) {
    std::vector<std::string> names;
    nfs::ReaddirArgs args{.dir = root(), .count = count};
    for (bool eof = false; !eof;) {
      const auto page = nfs3<nfs::ReaddirResult>(16, args);
      EXPECT_EQ(page.status, Nfsstat3::ok);
      EXPECT_LE(last_results_.size() - 4, count);  // without the status
      if (page.status != Nfsstat3::ok || page.entries.items.empty()) break;
      for (const auto& entry : page.entries.items) names.push_back(entry.name);
      args.cookie = page.entries.items.back().cookie;
      eof = page.eof;
      if (replies != nullptr) ++*replies;
    }
    return names;
  }
};

TEST_F(Nfs3Directories, MkdirRmdirAndRename) {
  const auto made = nfs3<nfs::CreateResult>(9, nfs::MkdirArgs{.where = at("d")});
  ASSERT_EQ(made.status, Nfsstat3::ok);
  EXPECT_EQ(made.attributes->type, nfs::Ftype3::dir);
  EXPECT_EQ(nfs3<nfs::CreateResult>(9, nfs::MkdirArgs{.where = at("d")}).status, Nfsstat3::exist);

  const InodeId id = file("a");
  const nfs::Diropargs3 inside{*made.object, "b"};
  const auto renamed = nfs3<nfs::RenameResult>(14, nfs::RenameArgs{at("a"), inside});
  ASSERT_EQ(renamed.status, Nfsstat3::ok);
  EXPECT_EQ(renamed.from_wcc.after->fileid, bucket_.value);
  EXPECT_EQ(renamed.to_wcc.after->fileid, inode(*made.object).value);
  EXPECT_EQ(inode(nfs3<nfs::LookupResult>(3, nfs::LookupArgs{inside}).object), id);
  EXPECT_EQ(nfs3<nfs::RenameResult>(14, nfs::RenameArgs{at("a"), inside}).status, Nfsstat3::noent);

  EXPECT_EQ(nfs3<nfs::WccResult>(13, nfs::RmdirArgs{at("d")}).status, Nfsstat3::notempty);
  EXPECT_EQ(nfs3<nfs::WccResult>(12, nfs::RemoveArgs{at("d")}).status, Nfsstat3::isdir);
  EXPECT_EQ(nfs3<nfs::WccResult>(13, nfs::RmdirArgs{inside}).status, Nfsstat3::notdir);
  const auto removed = nfs3<nfs::WccResult>(12, nfs::RemoveArgs{inside});
  EXPECT_EQ(removed.status, Nfsstat3::ok);
  EXPECT_TRUE(removed.wcc.before && removed.wcc.after);
  EXPECT_EQ(nfs3<nfs::WccResult>(13, nfs::RmdirArgs{at("d")}).status, Nfsstat3::ok);
  EXPECT_EQ(nfs3<nfs::WccResult>(13, nfs::RmdirArgs{at("d")}).status, Nfsstat3::noent);
}

TEST_F(Nfs3Directories, ReaddirGivesEveryNameOnceInPagesOfAnySize) {
  std::vector<std::string> expected{".", ".."};
  for (int i = 0; i < 60; ++i) {
    expected.push_back(fmt::format("name-{:0>{}}", i, 2 + i * 4 % 90));
    file(expected.back());
  }
  size_t replies = 0;
  for (const uint32_t count : {300U, 512U, 1000U, 4096U, 1U << 20}) {
    replies = 0;
    EXPECT_EQ(read_all(count, &replies), expected) << count;
  }
  EXPECT_EQ(replies, 1U);
}

TEST_F(Nfs3Directories, ReaddirKeepsToItsCountToTheByte) {
  file("abcde");  // 4 + 8 + 4 + 8 + 8 = 32 bytes; "." and ".." 28 each
  const auto count_of = [&](uint32_t count, uint64_t cookie = 0) {
    const auto page = nfs3<nfs::ReaddirResult>(
        16, nfs::ReaddirArgs{.dir = root(), .cookie = cookie, .count = count});
    if (page.status != Nfsstat3::ok) return fmt::format("{}", static_cast<uint32_t>(page.status));
    return fmt::format("{}{}", page.entries.items.size(), page.eof ? " eof" : "");
  };
  EXPECT_EQ(count_of(104 + 28 * 2 + 32), "3 eof");
  EXPECT_EQ(count_of(104 + 28 * 2 + 31), "2");
  EXPECT_EQ(count_of(104 + 28), "1");
  EXPECT_EQ(count_of(104 + 27), "10005");
  EXPECT_EQ(count_of(0), "10005");
  EXPECT_EQ(count_of(104 + 32, 2), "1 eof");
  EXPECT_EQ(count_of(104, 3), "0 eof");  // nothing is left, and nothing takes no room
}

TEST_F(Nfs3Directories, ReaddirplusKeepsToBothCounts) {
  file("abcde");  // names and cookies: 28; attributes 88, handle 36, link 4: 156. "." 24, 152
  const auto count_of = [&](uint32_t dircount, uint32_t maxcount) {
    const auto page = nfs3<nfs::ReaddirplusResult>(
        17, nfs::ReaddirplusArgs{.dir = root(), .dircount = dircount, .maxcount = maxcount});
    if (page.status != Nfsstat3::ok) return fmt::format("{}", static_cast<uint32_t>(page.status));
    EXPECT_LE(last_results_.size() - 4, maxcount);
    return fmt::format("{}{}", page.entries.items.size(), page.eof ? " eof" : "");
  };
  constexpr uint32_t kAll = 104 + 152 + 152 + 156;
  EXPECT_EQ(count_of(10'000, kAll), "3 eof");
  EXPECT_EQ(count_of(10'000, kAll - 1), "2");
  EXPECT_EQ(count_of(24 + 24 + 28, 10'000), "3 eof");
  EXPECT_EQ(count_of(24 + 24 + 27, 10'000), "2");
  EXPECT_EQ(count_of(23, 10'000), "10005");
  EXPECT_EQ(count_of(10'000, 104 + 151), "10005");
}

TEST_F(Nfs3Directories, ReaddirplusGivesAttributesAndHandles) {
  const InodeId id = file("a", "abc");
  const auto page = nfs3<nfs::ReaddirplusResult>(
      17, nfs::ReaddirplusArgs{.dir = root(), .dircount = 4096, .maxcount = 4096});
  ASSERT_EQ(page.status, Nfsstat3::ok);
  ASSERT_EQ(page.entries.items.size(), 3U);
  EXPECT_TRUE(page.eof);
  EXPECT_EQ(page.dir_attributes->fileid, bucket_.value);
  const auto& [dot, dotdot, a] =
      std::tie(page.entries.items[0], page.entries.items[1], page.entries.items[2]);
  EXPECT_EQ(dot.name, ".");
  EXPECT_EQ(dot.cookie, 1U);
  EXPECT_EQ(inode(*dot.handle), bucket_);
  EXPECT_EQ(dotdot.cookie, 2U);
  EXPECT_EQ(inode(*dotdot.handle), bucket_);  // the export's root is its own parent
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.fileid, id.value);
  EXPECT_EQ(a.attributes->size, 3U);
  EXPECT_EQ(inode(*a.handle), id);
}

TEST_F(Nfs3Directories, DotDotBelowTheRootIsTheParent) {
  const InodeId directory = files_.put(bucket_, "d", fs::FileType::directory);
  const auto page =
      nfs3<nfs::ReaddirResult>(16, nfs::ReaddirArgs{.dir = handle(directory), .count = 4096});
  ASSERT_EQ(page.entries.items.size(), 2U);
  EXPECT_EQ(page.entries.items[1].fileid, bucket_.value);
}

TEST_F(Nfs3Directories, CookiesAreChecked) {
  const InodeId id = file("a");
  nfs::ReaddirArgs args{.dir = root(), .cookie = 1, .cookieverf = 9, .count = 4096};
  EXPECT_EQ(nfs3<nfs::ReaddirResult>(16, args).status, Nfsstat3::bad_cookie);
  args = {.dir = root(), .cookie = 1'000'000, .count = 4096};
  EXPECT_EQ(nfs3<nfs::ReaddirResult>(16, args).status, Nfsstat3::bad_cookie);
  args = {.dir = handle(id), .count = 4096};
  EXPECT_EQ(nfs3<nfs::ReaddirResult>(16, args).status, Nfsstat3::notdir);
  args = {.dir = root(), .cookie = 1, .count = 4096};
  const auto page = nfs3<nfs::ReaddirResult>(16, args);
  ASSERT_EQ(page.entries.items.size(), 2U);
  EXPECT_EQ(page.entries.items[0].name, "..");
}

TEST_F(Nfs3Directories, TheFileSystemTellsWhatItIs) {
  const auto space = nfs3<nfs::FsstatResult>(18, nfs::FsstatArgs{root()});
  ASSERT_EQ(space.status, Nfsstat3::ok);
  EXPECT_EQ(space.tbytes, 1'000'000U);
  EXPECT_EQ(space.fbytes, 600'000U);
  EXPECT_EQ(space.abytes, 600'000U);
  EXPECT_EQ(space.tfiles, 5000U);
  EXPECT_EQ(space.afiles, 4000U);

  const auto info = nfs3<nfs::FsinfoResult>(19, nfs::FsinfoArgs{root()});
  ASSERT_EQ(info.status, Nfsstat3::ok);
  EXPECT_EQ(info.rtmax, 1U << 20);
  EXPECT_EQ(info.wtmax, 1U << 20);
  EXPECT_EQ(info.time_delta.seconds, 0U);
  EXPECT_EQ(info.time_delta.nseconds, 1U);
  EXPECT_EQ(info.properties, 0x1BU);
  EXPECT_TRUE(info.attributes.has_value());

  const auto conf = nfs3<nfs::PathconfResult>(20, nfs::PathconfArgs{root()});
  ASSERT_EQ(conf.status, Nfsstat3::ok);
  EXPECT_EQ(conf.name_max, 255U);
  EXPECT_TRUE(conf.no_trunc && conf.chown_restricted && conf.case_preserving);
  EXPECT_FALSE(conf.case_insensitive);

  files_.failure = Errc::stale;
  EXPECT_EQ(nfs3<nfs::FsstatResult>(18, nfs::FsstatArgs{root()}).status, Nfsstat3::stale);
  EXPECT_EQ(nfs3<nfs::FsinfoResult>(19, nfs::FsinfoArgs{root()}).status, Nfsstat3::stale);
  EXPECT_EQ(nfs3<nfs::PathconfResult>(20, nfs::PathconfArgs{root()}).status, Nfsstat3::stale);
}

}  // namespace
}  // namespace turbine::test
