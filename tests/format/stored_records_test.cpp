// Golden bytes of the records that are kept on disk: values of a blade's Kv, payloads of its
// journal, the cluster store. Made with protoc --encode, not with our own code.
#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "proto/chunk.pb.h"
#include "proto/cluster.pb.h"
#include "proto/locks.pb.h"
#include "proto/meta.pb.h"
#include "proto/meta_log.pb.h"

namespace turbine {
namespace {

using google::protobuf::Message;
using google::protobuf::TextFormat;

struct Golden {
  const Message* type;
  const char* text;
  const char* hex;
};

const Golden kRecords[] = {
    {&proto::PartitionState::default_instance(),
     "applied_lsn: 1 applied_term: 2 applied_position: 300 next_number: 4 next_stripe: 5 "
     "last_time_ns: -6 object_count: 7 object_bytes: -8 small_bytes: 9 striped_bytes: 10",
     "0801100218ac022004280531faffffffffffffff500e580f60126814"},
    {&proto::Dirent::default_instance(),
     "file { id: 0x1020000000000005 type: FILE_REGULAR mode: 420 uid: 1 gid: 2 link_count: 1 "
     "size: 300 atime_ns: 1 mtime_ns: 2 ctime_ns: 3 content_time_ns: 4 change: 5 "
     "content_version: 6 etag: \"e\" content_type: \"t\" metadata { key: \"k\" value: \"v\" } "
     "owner_user: 7 content: 8 part_count: 2 }",
     "0a5e090500000000002010100118a40320012802300138ac0241010000000000000049020000000000000051030"
     "0000000000000590400000000000000600568067201657a01748201060a016b120176900107f901080000000000"
     "0000800202"},
    {&proto::Dirent::default_instance(), "directory: 0x0010000000000002", "110200000000001000"},
    {&proto::Dirent::default_instance(), "cookie: 3 link: 4 shadowed: true",
     "18032104000000000000002801"},
    {&proto::CookieName::default_instance(), "entry_key: \"n/\" removed_ns: 1",
     "0a026e2f110100000000000000"},
    {&proto::Inode::default_instance(),
     "id: 1 type: FILE_SYMLINK symlink_target: \"t\" device_major: 2 device_minor: 3 "
     "create_verifier: 0",
     "090100000000000000100392020174980202a00203a9020000000000000000"},
    {&proto::Inode::default_instance(), "id: 1 bucket: 2",
     "090100000000000000b1020200000000000000"},
    {&proto::BucketUsage::default_instance(), "bytes: 1 files: 2 charged: 3 counted_bytes: 4",
     "0802100418032008"},
    {&proto::BucketQuotaState::default_instance(),
     "generation: 1 limit: 2 used: -3 counted: \"\\001\\200\" complete: true",
     "080110021805220201802801"},
    {&proto::InodeRecord::default_instance(), "directory: 5 name: \"n\"",
     "1105000000000000001a016e"},
    {&proto::InodeRecord::default_instance(),
     "inode { id: 5 type: FILE_DIRECTORY implicit: true entry_count: 1 parent: 2 name: \"d\" "
     "next_cookie: 3 directory_count: 4 settings { key: \"k\" value: \"v\" } } hidden_session: 6",
     "0a2e0905000000000000001002a00101a80101b1010200000000000000ba010164c00103c80104d201060a016b1"
     "20176210600000000000000"},
    {&proto::ContentRecord::default_instance(),
     "extent { offset: 4096 length: 8192 stripe: 9 stripe_offset: 128 group: 1048577 "
     "shard_bytes: 4096 } offset: 4096 version: 3 counted: true",
     "0a190880201080401909000000000000002080012881804030802010802020032801"},
    {&proto::ContentRecord::default_instance(),
     "offset: 4096 data: \"xy\" version: 3 counted: true", "1080201a02787920032801"},
    {&proto::PendingSmall::default_instance(), "length: 2000 time_ns: 1 version: 3",
     "08d00f1101000000000000001803"},
    {&proto::PendingSmall::default_instance(), "length: 2000 time_ns: 1 version: 3 counted: false",
     "08d00f11010000000000000018032000"},
    {&proto::Stripe::default_instance(),
     "id: 9 group: 1048577 group_version: 2 shard_bytes: 4096 data_bytes: 8192 live_bytes: 100 "
     "generation: 1",
     "09090000000000000010818040180220802028804030643801"},
    {&proto::StripePieces::default_instance(),
     "pieces { inode: 8 offset: 1 length: 2 stripe_offset: 3 }",
     "0a0f090800000000000000100118022003"},
    {&proto::PartTable::default_instance(), "parts { offset: 1 length: 2 inode: 3 }",
     "0a0d08011002190300000000000000"},
    {&proto::StripeRange::default_instance(), "first: 1 count: 64 session: 2 used: \"\\001\\200\"",
     "0801104019020000000000000022020180"},
    {&proto::FreeQueueEntry::default_instance(), "time_ns: 1 lsn: 2 waited: true",
     "09010000000000000010021801"},
    {&proto::TrashEntry::default_instance(), "time_ns: 1 lsn: 2", "0901000000000000001002"},
    {&proto::ReplayRecord::default_instance(), "reply: \"r\"", "0a0172"},
    {&proto::Upload::default_instance(),
     "id: \"u\" key: \"k\" bucket: 2 attributes { etag: \"e\" content_type: \"t\" metadata { "
     "key: \"k\" value: \"v\" } owner_user: 7 mode: 420 uid: 1 gid: 2 } created_ns: 5",
     "0a017512016b19020000000000000022170a01651201741a060a016b120176200728a4033001380229050000000"
     "0000000"},
    {&proto::Part::default_instance(), "number: 1 inode: 2 size: 3 etag: \"e\" time_ns: 5",
     "08011102000000000000001803220165290500000000000000"},
    {&proto::Intent::default_instance(),
     "id { session: 1 sequence: 2 attempt: 3 step: 4 } coordinator: 5 locks { kind: 1 inode: 2 "
     "name: \"n\" exclusive: true } mutations { reaped { inodes: 1 } } result: \"r\" time_ns: 6",
     "0a160901000000000000001002190300000000000000200410051a1008011102000000000000001a016e2001220"
     "c7a0a0a0801000000000000002a0172310600000000000000"},
    {&proto::Decision::default_instance(),
     "id { session: 1 sequence: 2 attempt: 3 step: 4 } commit: true steps { partition: 5 step: 6 "
     "} time_ns: 7",
     "0a160901000000000000001002190300000000000000200410011a0408051006210700000000000000"},
    {&proto::LogEntry::default_instance(),
     "time_ns: 1 session: 2 sequence: 3 reply: \"r\" mutations { remove_inode { inode: 4 } }",
     "09010000000000000011020000000000000018032201722a0b3209090400000000000000"},
    {&proto::Mutation::default_instance(),
     "put_file { directory: 1 name: \"n\" inode { id: 0x1020000000000005 type: FILE_REGULAR "
     "mode: 420 uid: 1 gid: 2 link_count: 1 size: 300 atime_ns: 1 mtime_ns: 2 ctime_ns: 3 "
     "content_time_ns: 4 change: 5 content_version: 6 etag: \"e\" content_type: \"t\" metadata { "
     "key: \"k\" value: \"v\" } owner_user: 7 content: 8 part_count: 2 } added: true old_size: 2 "
     "make_implicit: true }",
     "0a7209010000000000000012016e1a5e090500000000002010100118a40320012802300138ac024101000000000"
     "00000490200000000000000510300000000000000590400000000000000600568067201657a01748201060a016b"
     "120176900107f9010800000000000000800202200128023001"},
    {&proto::Mutation::default_instance(),
     "remove_file { directory: 1 name: \"n\" inode: 2 old_size: 3 }",
     "121709010000000000000012016e1902000000000000002003"},
    {&proto::Mutation::default_instance(), "link_directory { directory: 1 name: \"n\" child: 2 }",
     "1a1509010000000000000012016e190200000000000000"},
    {&proto::Mutation::default_instance(), "unlink_directory { directory: 1 name: \"n\" }",
     "220c09010000000000000012016e"},
    {&proto::Mutation::default_instance(), "put_inode { inode { id: 1 } hidden_session: 2 }",
     "2a140a09090100000000000000110200000000000000"},
    {&proto::Mutation::default_instance(), "remove_inode { inode: 1 }", "3209090100000000000000"},
    {&proto::Mutation::default_instance(),
     "add_content { content: 1 extents { offset: 4096 length: 8192 stripe: 9 stripe_offset: 128 "
     "group: 1048577 shard_bytes: 4096 } stripes { id: 9 group: 1048577 group_version: 2 "
     "shard_bytes: 4096 data_bytes: 8192 } inline_data { offset: 2 data: \"d\" } counted: true }",
     "3a440901000000000000001219088020108040190900000000000000208001288180403080201a1509090000000"
     "0000000108180401802208020288040220508021201642801"},
    {&proto::Mutation::default_instance(), "release_content { content: 1 }",
     "4209090100000000000000"},
    {&proto::Mutation::default_instance(),
     "put_parts { content: 1 parts { offset: 1 length: 2 inode: 3 } }",
     "4a18090100000000000000120d08011002190300000000000000"},
    {&proto::Mutation::default_instance(), "lease_range { first: 1 count: 2 session: 3 }",
     "520d08011002190300000000000000"},
    {&proto::Mutation::default_instance(), "end_ranges { session: 1 first: 2 }",
     "5a0b0901000000000000001002"},
    {&proto::Mutation::default_instance(),
     "swap { stripe { id: 9 group: 1048577 group_version: 2 shard_bytes: 4096 data_bytes: 8192 } "
     "pieces { content: 1 offset: 2 length: 3 stripe_offset: 4 version: 5 source_stripe: 6 "
     "source_offset: 7 } }",
     "62350a15090900000000000000108180401802208020288040121c0901000000000000001002180320042805310"
     "6000000000000003807"},
    {&proto::Mutation::default_instance(), "free_stripes { stripes: 1 }",
     "6a0a0a080100000000000000"},
    {&proto::Mutation::default_instance(), "trim_content { content: 1 count: 2 }",
     "720b0901000000000000001002"},
    {&proto::Mutation::default_instance(), "reaped { inodes: 1 inodes: 2 }",
     "7a120a1001000000000000000200000000000000"},
    {&proto::Mutation::default_instance(), "put_upload { id: \"u\" }", "8201030a0175"},
    {&proto::Mutation::default_instance(),
     "remove_upload { bucket: 1 key: \"k\" id: \"u\" keep: 2 }",
     "8a011909010000000000000012016b1a017522080200000000000000"},
    {&proto::Mutation::default_instance(), "put_part { upload_id: \"u\" part { number: 1 } }",
     "9201070a017512020801"},
    {&proto::Mutation::default_instance(),
     "set_settings { inode: 1 settings { key: \"k\" value: \"v\" } }",
     "a2011109010000000000000012060a016b120176"},
    {&proto::Mutation::default_instance(), "put_intent { coordinator: 5 }", "aa01021005"},
    {&proto::Mutation::default_instance(),
     "finish_intent { id { session: 1 sequence: 2 attempt: 3 step: 4 } commit: true }",
     "b2011a0a16090100000000000000100219030000000000000020041001"},
    {&proto::Mutation::default_instance(), "put_decision { commit: true }", "ba01021001"},
    {&proto::Mutation::default_instance(),
     "forget_decision { session: 1 sequence: 2 attempt: 3 step: 4 }",
     "c2011609010000000000000010021903000000000000002004"},
    {&proto::Mutation::default_instance(), "drop_replay_below: 3", "c80103"},
    {&proto::Mutation::default_instance(), "stripe_repaired { stripe: 1 generation: 2 }",
     "d2010b0901000000000000001002"},
    {&proto::Mutation::default_instance(), "adopt_hidden { inode: 1 }", "da0109090100000000000000"},
    {&proto::Mutation::default_instance(),
     "write_file { inode: 1 add { content: 2 inline_data { offset: 3 data: \"d\" } counted: true } "
     "end: 4 clear_set_id: true }",
     "e20121090100000000000000121209020000000000000022050803120164280118042001"},
    {&proto::Mutation::default_instance(),
     "change_inode { inode: 1 mode: 420 uid: 2 gid: 3 size: 4 atime_ns: 5 mtime_ns: 6 "
     "new_content: 7 }",
     "ea012d09010000000000000010a403180220032804310500000000000000390600000000000000410700000000000"
     "000"},
    {&proto::Mutation::default_instance(), "link_file { directory: 1 name: \"n\" inode: 2 }",
     "f2011509010000000000000012016e190200000000000000"},
    {&proto::Mutation::default_instance(),
     "unlink_file { directory: 1 name: \"n\" keep_directory: true }",
     "fa010e09010000000000000012016e1801"},
    {&proto::Mutation::default_instance(),
     "rename_file { from_directory: 1 from_name: \"m\" directory: 2 name: \"n\" keep_directory: "
     "true }",
     "82021a09010000000000000012016d19020000000000000022016e2801"},
    {&proto::Mutation::default_instance(), "promote_file { inode: 1 }", "8a0209090100000000000000"},
    {&proto::Mutation::default_instance(), "change_links { inode: 1 by: -1 }",
     "92020b0901000000000000001001"},
    {&proto::Mutation::default_instance(), "set_parent { inode: 1 parent: 2 name: \"n\" }",
     "9a02150901000000000000001102000000000000001a016e"},
    {&proto::Mutation::default_instance(), "replace_file { inode { id: 1 } old_size: 2 }",
     "a2020d0a090901000000000000001002"},
    {&proto::Mutation::default_instance(), "drop_cookies_before_ns: 3", "a9020300000000000000"},
    {&proto::FileLocks::default_instance(),
     "owners { address: \"10.0.0.1\" name: \"h\" handle: \"1@h\" process: 7 } locks { owner: 0 "
     "begin: 1 end: 2 exclusive: true claim: 3 state: 4 } locks { owner: 0 begin: 5 end: "
     "18446744073709551615 } shares { owner: 0 access: 1 deny: 2 }",
     "0a140a0831302e302e302e311201681a03314068200712111001180220012903000000000000003004120d100518f"
     "fffffffffffffffff011a0410011802"},
    {&proto::Mutation::default_instance(),
     "change_locks { inode: 1 owner { address: \"a\" name: \"n\" handle: \"h\" process: 2 } take { "
     "begin: 3 end: 4 exclusive: true claim: 5 state: 6 } }",
     "920329090100000000000000120b0a016112016e1a016820021a110803100418012105000000000000002806"},
    {&proto::Mutation::default_instance(),
     "change_locks { inode: 1 owner { address: \"a\" } drop { begin: 3 end: 4 claim: 5 } }",
     "92031d09010000000000000012030a0161220d08031004190500000000000000"},
    {&proto::Mutation::default_instance(),
     "change_locks { inode: 1 owner { address: \"a\" } take_share { access: 1 deny: 2 } }",
     "92031409010000000000000012030a01612a0408011002"},
    {&proto::Mutation::default_instance(),
     "change_locks { inode: 1 owner { address: \"a\" } drop_share { } }",
     "92031009010000000000000012030a01613200"},
    {&proto::Mutation::default_instance(),
     "change_locks { inode: 1 owner { address: \"a\" name: \"n\" } release { state: 3 } }",
     "92031509010000000000000012060a016112016e3a020803"},
    {&proto::Mutation::default_instance(),
     "set_quota { bucket: 1 generation: 2 limit: 3 removed: true }",
     "b2030f090100000000000000100218032001"},
    {&proto::Mutation::default_instance(),
     "note_usage { bucket: 1 generation: 2 partition: 3 bytes: 4 partition_count: 5 }",
     "ba03110901000000000000001002180320082805"},
    {&proto::Mutation::default_instance(), "charge_bucket { bucket: 1 generation: 2 delta: -3 }",
     "c2030d09010000000000000010021805"},
    {&proto::Mutation::default_instance(), "count_usage { bucket: 1 generation: 2 ended: true }",
     "ca030d09010000000000000010021801"},
    {&proto::ShardIndexRecord::default_instance(),
     "device_offset: 8192 bytes: 4096 group: 1048577 generation: 2 block_checksums: \"12345678\"",
     "0880401080201881804020022a083132333435363738"},
    {&proto::ChunkPutRecord::default_instance(),
     "shard { stripe: 9 index: 5 } index { device_offset: 8192 }",
     "0a0b09090000000000000010051203088040"},
    {&proto::ChunkFreeRecord::default_instance(),
     "shards { stripe: 9 index: 5 } shards { stripe: 10 }",
     "0a0b09090000000000000010050a09090a00000000000000"},
    {&proto::ClusterMap::default_instance(),
     "array_id: \"a\" epoch: 2 blades { id: 1 state: BLADE_HEALTHY address: \"unix:/s\" "
     "incarnation: 3 session: 4 capacity_bytes: 5 used_bytes: 6 host: \"h\" state_since_ms: 7 "
     "full: true } partitions { primary: 1 replicas: 1 term: 2 } layouts { id: 1 data_count: 4 "
     "parity_count: 2 groups { blades: 1 blades: 2 version: 3 } preferred: true } users { id: 1 "
     "name: \"root\" root: true created_ms: 2 } keys { access_key: \"k\" secret_key: \"s\" "
     "user_id: 1 created_ms: 2 } region: \"r\" array_name: \"n\"",
     "0a016110021a23080110021a07756e69783a2f73210300000000000000280430053806420168480750012207080"
     "112010118022a1008011004180222060a02010210032801320c08011204726f6f74180120023a0a0a016b120173"
     "180120024201724a016e"},
    {&proto::ArrayCounters::default_instance(),
     "next_session: 1 next_blade: 2 next_user: 3 expected_blades: 6 partition_count: 256",
     "0801100218032006288002"},
    {&proto::ClusterMap::default_instance(),
     "array_id: \"a\" nfs { handle_keys: \"k\" write_verifier: 2 policies { name: \"/b\" rules { "
     "client: \"*\" read_write: true squash: NFS_SQUASH_ALL anonymous_uid: 65534 "
     "anonymous_gid: 3 insecure: true } } }",
     "0a016152230a016b1102000000000000001a150a022f62120f0a012a1001180220feff0328033001"},
    {&proto::ClusterMap::default_instance(),
     "array_id: \"a\" quotas { bucket: 1 bytes: 2 generation: 3 }",
     "0a0161620d09010000000000000010021803"},
    {&proto::ClusterMap::default_instance(), "array_id: \"a\" restoring: \"r\"", "0a0161a2010172"},
    {&proto::ArrayCounters::default_instance(),
     "next_session: 1 restoration { backup_ms: 2 partitions { primary: 1 } lost_blades: 3 reports "
     "{ "
     "blade: 4 process: 5 damaged: true logs { partition: 6 last_lsn: 7 last_term: 8 } } }",
     "0801a20127090200000000000000120208011a01032215080411050000000000000018012206080610071808"},
};

std::string to_hex(const std::string& bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

std::string from_hex(std::string_view hex) {
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

TEST(StoredRecords, KeepTheirBytes) {
  for (const Golden& golden : kRecords) {
    SCOPED_TRACE(golden.type->GetTypeName() + ": " + golden.text);
    const std::unique_ptr<Message> record(golden.type->New());
    ASSERT_TRUE(TextFormat::ParseFromString(golden.text, record.get()));
    EXPECT_EQ(to_hex(record->SerializeAsString()), golden.hex);
  }
}

TEST(StoredRecords, OfOldAreStillRead) {
  for (const Golden& golden : kRecords) {
    SCOPED_TRACE(golden.type->GetTypeName() + ": " + golden.text);
    const std::unique_ptr<Message> meant(golden.type->New());
    ASSERT_TRUE(TextFormat::ParseFromString(golden.text, meant.get()));
    const std::unique_ptr<Message> found(golden.type->New());
    ASSERT_TRUE(found->ParseFromString(from_hex(golden.hex)));
    EXPECT_EQ(found->DebugString(), meant->DebugString());
  }
}

TEST(StoredRecords, EveryMutationOfTheLogIsPinned) {
  std::set<std::string> pinned;
  std::set<std::string> all;
  for (const Golden& golden : kRecords) {
    if (golden.type != &proto::Mutation::default_instance()) continue;
    const std::string text = golden.text;
    pinned.insert(text.substr(0, text.find_first_of(" :")));
  }
  const auto* descriptor = proto::Mutation::descriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) all.insert(descriptor->field(i)->name());
  EXPECT_THAT(pinned, testing::ContainerEq(all));
}

}  // namespace
}  // namespace turbine
