#include "cluster/config_backup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/array_records.hpp"
#include "io/sim_clock.hpp"

namespace turbine::cluster {
namespace {

using testing::HasSubstr;

const std::string kArray(32, 'a');
constexpr uint64_t kNow = 1'790'000'000'000;  // ms

std::vector<StoreRecord> array_records(const std::string& array_id = kArray, int partitions = 1) {
  proto::ClusterMap map;
  map.set_array_id(array_id);
  map.set_array_name("n");
  map.add_blades()->set_id(1);
  for (int i = 0; i < partitions; ++i) {
    proto::Partition& partition = *map.add_partitions();
    partition.set_primary(1);
    partition.add_replicas(1);
    partition.set_term(2);
  }
  proto::ArrayCounters counters;
  counters.set_next_session(9);
  return {{kCountersKey, counters.SerializeAsString(), 4}, {kMapKey, map.SerializeAsString(), 3}};
}

std::string backup_text() {
  return encode_config_backup(make_config_backup(array_records(), kNow).value());
}

TEST(ConfigBackup, ComesBackAsItWas) {
  auto records = array_records();
  records.push_back({"leader", "me", 5});  // of a running manager: not in a backup
  const auto backup =
      decode_config_backup(encode_config_backup(make_config_backup(records, kNow).value()));
  ASSERT_TRUE(backup.ok()) << backup.error().text();
  EXPECT_EQ(backup->array_id, kArray);
  EXPECT_EQ(backup->array_name, "n");
  EXPECT_EQ(backup->time_ms, kNow);
  EXPECT_EQ(backup->store_revision, 4U);
  ASSERT_EQ(backup->records.size(), 2U);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(backup->records[i].key, records[i].key);
    EXPECT_EQ(backup->records[i].value, records[i].value);
    EXPECT_EQ(backup->records[i].revision, records[i].revision);
  }
}

/// Made by hand, with protoc, base64 and sha256sum.
TEST(ConfigBackup, IsTheDocumentThatItsPageDescribes) {
  EXPECT_EQ(
      backup_text(),
      R"({"format":"turbine-config-backup","format_version":1,)"
      R"("array_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","array_name":"n",)"
      R"("time":"2026-09-21T14:13:20Z","time_ms":1790000000000,"store_revision":4,"records":[)"
      R"({"key":"array/counters","revision":4,"value":"CAk="},)"
      R"({"key":"array/map","revision":3,)"
      R"("value":"CiBhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYRoCCAEiBwgBEgEBGAJKAW4="}])"
      R"(,)"
      R"("checksum":"sha256:4e223d5b61c486c3f68a49a38f5ab420a67ad66870edb0e3293defb9d3330118"})"
      "\n");
}

TEST(ConfigBackup, IsRefusedWhenItWasCutAnywhere) {
  std::string text = backup_text();
  text.pop_back();  // the line's end is no part of the document
  for (size_t size = 0; size < text.size(); ++size) {
    ASSERT_TRUE(decode_config_backup(text.substr(0, size)).failed_with(Errc::corrupt)) << size;
  }
}

TEST(ConfigBackup, IsRefusedWhenAnyBitWasFlipped) {
  const std::string text = backup_text();
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = text;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      ASSERT_FALSE(decode_config_backup(flipped).ok()) << "bit " << bit << " of byte " << i;
    }
  }
}

TEST(ConfigBackup, OfALaterFormatIsRefusedWithWhatToDo) {
  std::string text = backup_text();
  const std::string version = "\"format_version\":1";
  text.replace(text.find(version), version.size(), "\"format_version\":2");
  const auto backup = decode_config_backup(text);
  ASSERT_TRUE(backup.failed_with(Errc::unsupported));
  EXPECT_THAT(backup.error().context, HasSubstr("version 2 of the format"));
  EXPECT_THAT(backup.error().context, HasSubstr("use the program that wrote it"));
}

TEST(ConfigBackup, IsNotMadeOfAnArrayThatIsNotComplete) {
  EXPECT_TRUE(make_config_backup(array_records(kArray, 0), kNow).failed_with(Errc::unavailable));
  EXPECT_TRUE(make_config_backup({}, kNow).failed_with(Errc::corrupt));
}

class RestoreConfig : public testing::Test {
 protected:
  Result<> restore(const RestoreOrder& order) {
    return clock_.run(restore_config(store_, decode_config_backup(backup_text()).value(), order));
  }
  void put(std::vector<StoreRecord> records) {
    std::vector<StorePut> puts;
    puts.reserve(records.size());
    for (StoreRecord& record : records) puts.push_back({record.key, record.value});
    ASSERT_TRUE(clock_.run(store_.txn({}, std::move(puts))).ok());
  }
  ArrayRecords stored() { return parse_array_records(clock_.run(store_.list("")).value()).value(); }

  io::SimClock clock_;
  MemStore store_;
  const RestoreOrder order_{.array_id = kArray, .now_ms = kNow};
};

TEST_F(RestoreConfig, FillsAnEmptyStoreSoThatNobodyLeadsYet) {
  const Result<> restored = restore(order_);
  ASSERT_TRUE(restored.ok()) << restored.error().text();
  EXPECT_EQ(stored().map.array_id(), kArray);
  EXPECT_EQ(stored().map.partitions(0).primary(), 0U);
  EXPECT_TRUE(stored().counters.has_restoration());
}

TEST_F(RestoreConfig, RefusesAStoreWithRecordsUnlessForced) {
  put(array_records());
  put({{"array/other", "x"}});
  const Result<> refused = restore(order_);
  ASSERT_TRUE(refused.failed_with(Errc::denied));
  EXPECT_THAT(refused.error().context, HasSubstr("--force"));
  EXPECT_FALSE(stored().counters.has_restoration()) << "nothing was changed";
  RestoreOrder force = order_;
  force.force = true;
  ASSERT_TRUE(restore(force).ok());
  EXPECT_TRUE(stored().counters.has_restoration());
  EXPECT_FALSE(clock_.run(store_.get("array/other")).value().has_value()) << "not in the backup";
}

TEST_F(RestoreConfig, RefusesAnotherArraysBackupAndAnotherArraysStoreAlsoWhenForced) {
  RestoreOrder other = order_;
  other.force = true;
  other.array_id = std::string(32, 'b');
  EXPECT_TRUE(restore(other).failed_with(Errc::denied));
  EXPECT_TRUE(clock_.run(store_.list("")).value().empty());
  put(array_records(other.array_id));
  RestoreOrder force = order_;
  force.force = true;
  EXPECT_TRUE(restore(force).failed_with(Errc::denied));
  EXPECT_EQ(stored().map.array_id(), other.array_id);
}

TEST_F(RestoreConfig, RefusesAStoreThatAManagerLeadsWithAlsoWhenForced) {
  put({{kLeaderKey, "tcp:host:7000"}});
  RestoreOrder force = order_;
  force.force = true;
  const Result<> refused = restore(force);
  ASSERT_TRUE(refused.failed_with(Errc::conflict));
  EXPECT_THAT(refused.error().context, HasSubstr("stop all managers"));
}

}  // namespace
}  // namespace turbine::cluster
