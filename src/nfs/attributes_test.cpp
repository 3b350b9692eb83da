#include "nfs/attributes.hpp"

#include <gtest/gtest.h>

namespace turbine::nfs {
namespace {

constexpr uint32_t kAll = 0x3F;

fs::FileStat file(uint32_t mode, fs::FileType type = fs::FileType::regular) {
  fs::FileStat stat;
  stat.type = type;
  stat.mode = mode;
  stat.uid = 1000;
  stat.gid = 100;
  return stat;
}

TEST(Access, FollowsOwnerGroupAndOthersAndNoFurther) {
  const fs::Credentials owner{1000, 7, {}}, group{5, 100, {}}, second_group{5, 7, {9, 100}},
      other{5, 7, {9}};
  EXPECT_EQ(granted_access(file(0400), owner, kAll), kAccessRead);
  EXPECT_EQ(granted_access(file(0040), owner, kAll), 0U);
  EXPECT_EQ(granted_access(file(0040), group, kAll), kAccessRead);
  EXPECT_EQ(granted_access(file(0040), second_group, kAll), kAccessRead);
  EXPECT_EQ(granted_access(file(0004), group, kAll), 0U);
  EXPECT_EQ(granted_access(file(0004), other, kAll), kAccessRead);
  EXPECT_EQ(granted_access(file(0002), other, kAll), kAccessModify | kAccessExtend);
  EXPECT_EQ(granted_access(file(0001), other, kAll), kAccessExecute);
  EXPECT_EQ(granted_access(file(0007), other, kAccessRead), kAccessRead);
}

TEST(Access, GrantsRootAllButExecutionOfWhatNobodyExecutes) {
  const fs::Credentials root{0, 0, {}};
  EXPECT_EQ(granted_access(file(0000), root, kAll), kAccessRead | kAccessModify | kAccessExtend);
  EXPECT_EQ(granted_access(file(0100), root, kAll),
            kAccessRead | kAccessModify | kAccessExtend | kAccessExecute);
}

TEST(Access, OfADirectoryNeedsSearchForChanges) {
  const fs::Credentials other{5, 7, {}};
  const auto directory = [](uint32_t mode) { return file(mode, fs::FileType::directory); };
  EXPECT_EQ(granted_access(directory(0002), other, kAll), 0U);
  EXPECT_EQ(granted_access(directory(0003), other, kAll),
            kAccessLookup | kAccessModify | kAccessExtend | kAccessDelete);
  EXPECT_EQ(granted_access(directory(0005), other, kAll), kAccessRead | kAccessLookup);
}

TEST(Times, KeepWhatNfsCanHold) {
  const int64_t ns = 1'700'000'000'123'456'789;
  EXPECT_EQ(to_nfstime3(ns).seconds, 1'700'000'000U);
  EXPECT_EQ(to_nfstime3(ns).nseconds, 123'456'789U);
  EXPECT_EQ(to_ns(to_nfstime3(ns)), ns);
  EXPECT_EQ(to_nfstime3(-1).seconds, 0U);
  EXPECT_EQ(to_nfstime3(INT64_MAX).seconds, UINT32_MAX);
}

TEST(NewAttributes, RefuseATimeOfMoreThanASecondsNanoseconds) {
  Sattr3 attributes;
  attributes.mode = 0100644;
  attributes.mtime = {TimeHow::set_to_client_time, {1, 999'999'999}};
  attributes.atime.how = TimeHow::set_to_server_time;
  const auto stat = to_new_stat(attributes);
  ASSERT_TRUE(stat.has_value());
  EXPECT_EQ(stat->mode, 0644U);
  EXPECT_TRUE(stat->accessed->now);
  EXPECT_EQ(stat->modified->ns, 1'999'999'999);
  attributes.mtime.time.nseconds = 1'000'000'000;
  EXPECT_EQ(to_new_stat(attributes).error().status, Nfsstat3::inval);
}

TEST(NfsErrors, AreJukeboxForAllThatPassesByWaiting) {
  for (const Errc code : {Errc::unavailable, Errc::timeout, Errc::busy, Errc::wrong_primary,
                          Errc::stale_epoch, Errc::conflict, Errc::closed}) {
    EXPECT_EQ(to_nfsstat3(code), Nfsstat3::jukebox) << errc_name(code);
  }
  EXPECT_EQ(to_nfsstat3(Errc::stale), Nfsstat3::stale);
  EXPECT_EQ(to_nfsstat3(Errc::precondition_failed), Nfsstat3::not_sync);
  EXPECT_EQ(to_nfsstat3(Errc::quota_exceeded), Nfsstat3::dquot);
  EXPECT_EQ(to_nfsstat3(Errc::cross_device), Nfsstat3::xdev);
  EXPECT_EQ(to_nfsstat3(Errc::too_many_links), Nfsstat3::mlink);
}

}  // namespace
}  // namespace turbine::nfs
