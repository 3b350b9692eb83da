#include "meta/repairer.hpp"

#include <gtest/gtest.h>

#include "meta/test_array.hpp"

namespace turbine::meta {
namespace {

Task<rpc::With<proto::StatShardReply>> count_stat(int* asked) {
  ++*asked;
  co_return rpc::With<proto::StatShardReply>{};
}

// Its losses happened while it was away, perhaps before this blade's own start.
TEST(Repairer, AsksABladeThatWasDeadWhenThisOneStarted) {
  Options options;
  options.background = false;
  TestArray array(2, 2, 1, options);
  const PartitionId home(1);
  TestArray::Blade& primary = array.blade_of(home);
  ASSERT_EQ(primary.id, BladeId(2));
  array.hidden_content(home, SessionId(900));  // a stripe with its shard on blade 1
  int asked = 0;
  array.blade(1).dispatcher->on<proto::StatShardRequest, proto::StatShardReply>(
      proto::STAT_SHARD, [&asked](const proto::StatShardRequest&, const rpc::CallInfo&) {
        return count_stat(&asked);
      });

  proto::ClusterMap record = array.map.record();
  record.set_epoch(record.epoch() + 1);
  record.mutable_blades(0)->set_state(proto::BLADE_DEAD);
  array.map = cluster::ClusterMap(record);
  array.crash(primary);
  array.start(primary);
  ASSERT_TRUE(array.clock.run(primary.host->repairer().run_once()).ok());
  EXPECT_EQ(asked, 0);
  record.set_epoch(record.epoch() + 1);
  record.mutable_blades(0)->set_state(proto::BLADE_HEALTHY);
  record.mutable_blades(0)->set_session(77);
  primary.map.update(record);
  ASSERT_TRUE(array.clock.run(primary.host->repairer().run_once()).ok());
  EXPECT_EQ(asked, 1);
}

// Found by the simulator: power failed everywhere, a shard of the last batch failed its checksum at
// replay and was dropped, and as all blades had started anew nobody asked for it ever after.
TEST(Repairer, AsksEveryBladeAfterItsOwnStart) {
  Options options;
  options.background = false;
  TestArray array(2, 2, 1, options);
  const PartitionId home(1);
  TestArray::Blade& primary = array.blade_of(home);
  array.hidden_content(home, SessionId(900));
  int asked = 0;
  array.blade(1).dispatcher->on<proto::StatShardRequest, proto::StatShardReply>(
      proto::STAT_SHARD, [&asked](const proto::StatShardRequest&, const rpc::CallInfo&) {
        return count_stat(&asked);
      });
  array.crash(primary);
  array.start(primary);
  ASSERT_TRUE(array.clock.run(primary.host->repairer().run_once()).ok());
  EXPECT_EQ(asked, 1);
}

}  // namespace
}  // namespace turbine::meta
