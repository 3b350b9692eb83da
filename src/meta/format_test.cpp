// Golden bytes of keys and values: what is on disk must stay readable.
#include <gtest/gtest.h>

#include "meta/keys.hpp"
#include "meta/records.hpp"

namespace turbine::meta {
namespace {

const Keys kKeys{PartitionId(0x0102)};

TEST(MetadataFormat, KeysKeepTheirBytes) {
  const InodeId dir = InodeId::make(PartitionId(0x102), 5);
  EXPECT_EQ(key_text(kKeys.state()), "010301");
  EXPECT_EQ(key_text(kKeys.dirent(dir, "a", false)), "01030210200000000000050061");
  EXPECT_EQ(key_text(kKeys.dirent(dir, "a", true)),
            "0103021020000000000005"
            "00"
            "612f");
  EXPECT_EQ(key_text(kKeys.dirent(dir, "", false)), "010302102000000000000500");
  EXPECT_EQ(key_text(kKeys.inode(dir)), "0103031020000000000005");
  EXPECT_EQ(key_text(kKeys.content(dir.value, 0x1000)), "01030410200000000000050000000000001000");
  EXPECT_EQ(key_text(kKeys.pending(dir.value, 0x1000)), "01030510200000000000050000000000001000");
  EXPECT_EQ(key_text(kKeys.upload(dir, std::string("k\0", 2), "id")),
            "0103091020000000000005"
            "6b00ff"
            "0000"
            "6964");
  EXPECT_EQ(key_text(kKeys.part("id", 7)), "01030a0002696400000007");
  EXPECT_EQ(key_text(kKeys.replay(3, {SessionId(1), 2})),
            "01030d000000000000000300000000000000010000000000000002");
  EXPECT_EQ(key_text(kKeys.group(GroupId(9), StripeId(4))), "010308000000090000000000000004");
}

TEST(MetadataFormat, UploadsOfAKeySortBeforeThoseOfALongerKey) {
  const InodeId bucket(1);
  const std::string zero("a\0", 2);
  EXPECT_LT(kKeys.upload(bucket, "a", "zz"), kKeys.upload(bucket, zero, "aa"));
  EXPECT_LT(kKeys.upload(bucket, zero, "zz"), kKeys.upload(bucket, "a\x01", "aa"));
}

TEST(MetadataFormat, ValuesKeepTheirBytes) {
  proto::ContentRecord record;
  record.set_offset(4096);
  record.set_data("xy");
  record.set_version(3);
  record.set_counted(true);
  EXPECT_EQ(key_text(record.SerializeAsString()),
            "108020"
            "1a027879"
            "2003"
            "2801");
  proto::Dirent dirent;
  dirent.mutable_file()->set_id(1);
  dirent.mutable_file()->set_content(2);
  EXPECT_EQ(key_text(dirent.SerializeAsString()),
            "0a13"
            "090100000000000000"
            "f9010200000000000000");
  proto::LogEntry entry;
  entry.set_time_ns(1);
  entry.set_sequence(2);
  entry.add_mutations()->mutable_release_content()->set_content(9);
  EXPECT_EQ(key_text(entry.SerializeAsString()),
            "090100000000000000"
            "1802"
            "2a0b"
            "4209"
            "090900000000000000");
}

}  // namespace
}  // namespace turbine::meta
