// Golden bytes of keys: what is on disk must stay readable. Those of the values are in
// tests/format.
#include <gtest/gtest.h>

#include "kv/mem_kv.hpp"
#include "meta/keys.hpp"
#include "meta/partition_host.hpp"
#include "meta/records.hpp"
#include "support/virtual_time.hpp"

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

TEST(MetadataFormat, KeysOfJobsAndTransactionsKeepTheirBytes) {
  const StripeId stripe = StripeId::make(PartitionId(0x102), 4);
  proto::TxnId txn;
  txn.set_session(1);
  txn.set_sequence(2);
  txn.set_attempt(3);
  txn.set_step(4);
  EXPECT_EQ(key_text(kKeys.stripe(stripe)), "0103071020000000000004");
  EXPECT_EQ(key_text(kKeys.intent(txn)),
            "01030b00000000000000010000000000000002000000000000000300000004");
  EXPECT_EQ(key_text(kKeys.decision(txn)),
            "01030c00000000000000010000000000000002000000000000000300000004");
  EXPECT_EQ(key_text(kKeys.range(64)), "01030e0000000000000040");
  EXPECT_EQ(key_text(kKeys.free_queue(stripe)), "01030f1020000000000004");
  EXPECT_EQ(key_text(kKeys.reap_queue(InodeId(5))), "0103100000000000000005");
  EXPECT_EQ(key_text(kKeys.trash(6)), "0103110000000000000006");
  EXPECT_EQ(key_text(kKeys.part_table(6)), "0103120000000000000006");
  EXPECT_EQ(key_text(kKeys.hidden(SessionId(1), InodeId(5))),
            "01031300000000000000010000000000000005");
  EXPECT_EQ(key_text(kKeys.pieces(stripe)), "0103141020000000000004");
  EXPECT_EQ(key_text(kKeys.cookie(InodeId(5), 6)), "01030600000000000000050000000000000006");
  EXPECT_EQ(key_text(kKeys.gone_cookie(7, InodeId(5), 6)),
            "010315000000000000000700000000000000050000000000000006");
  EXPECT_EQ(key_text(kKeys.lock(InodeId(5))), "0103160000000000000005");
  EXPECT_EQ(key_text(kKeys.lock_from("10.0.0.1", InodeId(5))),
            "010317b61d99f8e56b66460000000000000005");
  EXPECT_EQ(key_text(kKeys.usage(5)), "01031e0000000000000005");
  EXPECT_EQ(key_text(kKeys.quota(5)), "01031f0000000000000005");
}

TEST(MetadataFormat, RecoveryPositionKeepsItsRow) {
  test::VirtualTime time;
  kv::MemKvDisk disk;
  const auto kv = kv::open_mem_kv(time, disk);
  kv::WriteBatch batch;
  batch.put(std::string("\0\0\xf0recovery", 11), std::string("\2\1\0\0\0\0\0\0", 8));
  ASSERT_TRUE(kv->write(std::move(batch)).ok());
  EXPECT_EQ(PartitionHost::recovery_position(*kv)->value, 0x102U);
}

TEST(MetadataFormat, UploadsOfAKeySortBeforeThoseOfALongerKey) {
  const InodeId bucket(1);
  const std::string zero("a\0", 2);
  EXPECT_LT(kKeys.upload(bucket, "a", "zz"), kKeys.upload(bucket, zero, "aa"));
  EXPECT_LT(kKeys.upload(bucket, zero, "zz"), kKeys.upload(bucket, "a\x01", "aa"));
}

}  // namespace
}  // namespace turbine::meta
