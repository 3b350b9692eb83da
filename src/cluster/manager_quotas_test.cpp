// Quotas of buckets on their way to blades.
#include "cluster/manager_fixture.hpp"

namespace turbine::cluster {
namespace {

class ManagerQuotas : public ManagerTest {
 protected:
  Result<> set(uint64_t bucket, std::optional<uint64_t> bytes, std::vector<uint64_t> buckets) {
    std::vector<InodeId> ids;
    for (const uint64_t id : buckets) ids.emplace_back(id);
    return clock_.run(manager_->set_bucket_quota(InodeId(bucket), bytes, std::move(ids)));
  }
  const proto::ClusterMap& record() { return manager_->map()->record(); }
};

TEST_F(ManagerQuotas, OfANewGenerationOnlyWhenThereWasNone) {
  ASSERT_TRUE(set(7, 1000, {7}).ok());
  ASSERT_EQ(record().quotas_size(), 1);
  const uint64_t first = record().quotas(0).generation();
  EXPECT_EQ(first, record().epoch());
  ASSERT_TRUE(set(7, 2000, {7}).ok());
  EXPECT_EQ(record().quotas(0).bytes(), 2000U);
  EXPECT_EQ(record().quotas(0).generation(), first);
  ASSERT_TRUE(set(7, {}, {7}).ok());
  EXPECT_EQ(record().quotas_size(), 0);
  ASSERT_TRUE(set(7, 2000, {7}).ok());
  EXPECT_GT(record().quotas(0).generation(), first);
}

TEST_F(ManagerQuotas, OfBucketsThatAreGoneAreForgotten) {
  ASSERT_TRUE(set(7, 1000, {7, 8}).ok());
  ASSERT_TRUE(set(8, 1000, {8}).ok());
  ASSERT_EQ(record().quotas_size(), 1);
  EXPECT_EQ(record().quotas(0).bucket(), 8U);
}

TEST_F(ManagerQuotas, StayOverARestartAndReachBlades) {
  ASSERT_TRUE(set(7, 1000, {7}).ok());
  stop_manager();
  start_manager();
  ASSERT_EQ(record().quotas_size(), 1);
  Peer& one = blade(1);
  const proto::ClusterMap& there = one.holder.get()->record();
  ASSERT_EQ(there.quotas_size(), 1);
  EXPECT_EQ(there.quotas(0).bytes(), 1000U);
}

}  // namespace
}  // namespace turbine::cluster
