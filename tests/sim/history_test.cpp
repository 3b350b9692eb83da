// The check of histories: what one order explains, and what none does.
#include "sim/history.hpp"

#include <gtest/gtest.h>

namespace turbine::sim {
namespace {

Operation read(uint64_t begin, uint64_t end, Version seen) {
  Operation operation;
  operation.begin = begin;
  operation.end = end;
  operation.need = Need::equals;
  operation.need_version = seen;
  operation.text = fmt::format("read {}", seen);
  return operation;
}
Operation write(uint64_t begin, uint64_t end, Version version) {
  Operation operation;
  operation.begin = begin;
  operation.end = end;
  operation.writes = true;
  operation.writes_version = version;
  operation.text = fmt::format("write {}", version);
  return operation;
}
Operation unknown_write(uint64_t begin, Version version) {
  Operation operation = write(begin, 0, version);
  operation.unknown = true;
  return operation;
}
Operation only_if(Operation operation, Need need, Version version = 0) {
  operation.need = need;
  operation.need_version = version;
  return operation;
}
bool explained(const std::vector<Operation>& operations) {
  return check_linearizable(operations).ok();
}

TEST(History, ExplainsConcurrentOperationsInAnyOrder) {
  EXPECT_TRUE(explained({}));
  EXPECT_TRUE(explained({write(1, 4, 1), write(2, 3, 2), read(5, 6, 1)}));
  EXPECT_TRUE(explained({write(1, 4, 1), write(2, 3, 2), read(5, 6, 2)}));
  EXPECT_TRUE(explained({write(1, 6, 1), read(2, 3, 0), read(4, 5, 1)}));
  EXPECT_TRUE(explained({write(1, 9, 1), write(2, 8, 2), read(3, 4, 2), read(5, 6, 1)}));
}

TEST(History, RefusesStaleReadsLostWritesAndWhatComesBack) {
  EXPECT_FALSE(explained({write(1, 2, 1), read(3, 4, 0)}));
  EXPECT_FALSE(explained({write(1, 2, 1), write(3, 4, 2), read(5, 6, 1)}));
  EXPECT_FALSE(explained({write(1, 2, 1), write(3, 4, 0), read(5, 6, 1)}));
  EXPECT_FALSE(explained({write(1, 6, 1), read(2, 3, 1), read(4, 5, 0)}));
  EXPECT_FALSE(
      explained({write(1, 9, 1), write(2, 8, 2), read(3, 4, 2), read(5, 6, 1), read(10, 11, 2)}));
  EXPECT_FALSE(explained({read(1, 2, 7)}));
}

TEST(History, LetsAnUnknownOutcomeComeLateOrNever) {
  EXPECT_TRUE(explained({unknown_write(1, 1), read(2, 3, 0), read(4, 5, 0)}));
  EXPECT_TRUE(explained({unknown_write(1, 1), read(2, 3, 0), read(4, 5, 1)}));
  EXPECT_TRUE(explained({unknown_write(1, 1), write(2, 3, 2), read(4, 5, 1)}));
  EXPECT_FALSE(explained({unknown_write(1, 1), read(2, 3, 1), read(4, 5, 0)}));
  EXPECT_FALSE(explained({unknown_write(1, 1), read(2, 3, 1), write(4, 5, 2), read(6, 7, 1)}));
}

TEST(History, HoldsConditionsToTheState) {
  EXPECT_TRUE(explained({write(1, 2, 1), only_if(write(3, 4, 2), Need::equals, 1), read(5, 6, 2)}));
  EXPECT_FALSE(explained({write(1, 2, 1), only_if(write(3, 4, 2), Need::equals, 0)}));
  EXPECT_FALSE(explained(
      {only_if(write(1, 4, 1), Need::equals, 0), only_if(write(2, 3, 2), Need::equals, 0)}));
  EXPECT_FALSE(explained({only_if(write(1, 2, 0), Need::present)}));
  Operation refused = only_if(read(3, 4, 0), Need::present_but_not, 1);
  EXPECT_FALSE(explained({write(1, 2, 1), refused}));
  EXPECT_TRUE(explained({write(1, 2, 2), refused}));
}

TEST(History, KnowsWhenAKeyCannotHaveExisted) {
  History history;
  history.add("k", write(3, 4, 1));
  history.add("k", write(5, 6, 0));
  EXPECT_FALSE(history.may_have_existed("k", 1, 2));
  EXPECT_TRUE(history.may_have_existed("k", 1, 3));
  EXPECT_TRUE(history.may_have_existed("k", 6, 8));
  EXPECT_FALSE(history.may_have_existed("k", 7, 8));
  EXPECT_FALSE(history.may_have_existed("other", 1, 9));
}

}  // namespace
}  // namespace turbine::sim
