// Recorded histories: what is refused, and what must not be.
#include "sim/history_file.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace turbine::sim {
namespace {

/// A line for key "k" of client "c"; `more` is put behind them, with ' for ".
std::string line(std::string_view op, int begin, int end, std::string_view result,
                 std::string_view more = "") {
  std::string text = fmt::format(
      "{{'key': 'k', 'client': 'c', 'op': '{}', 'begin': {}, 'end': {}, 'result': '{}'{}{}}}\n", op,
      begin, end, result, more.empty() ? "" : ", ", more);
  std::ranges::replace(text, '\'', '"');
  return text;
}

Result<HistoryFile> parse(std::initializer_list<std::string> lines) {
  std::stringstream stream;
  for (const std::string& each : lines) stream << each;
  return read_history(stream);
}

/// What the checker says, or nothing.
std::string complaint(std::initializer_list<std::string> lines) {
  const auto file = parse(lines);
  if (!file.ok()) return file.error().context;
  const auto checked = check_history(file->history);
  return checked.ok() ? "" : checked.error().context;
}

const std::string kPutOne = line("put", 1, 2, "ok", "'version': 1");
const std::string kPutTwo = line("put", 3, 4, "ok", "'version': 2");

TEST(HistoryFile, AcceptsWhatOneOrderExplains) {
  EXPECT_EQ(complaint({kPutOne, kPutTwo, line("get", 5, 6, "ok", "'version': 2"),
                       line("delete", 7, 8, "ok"), line("get", 9, 10, "absent")}),
            "");
}

TEST(HistoryFile, RefusesAStaleRead) {
  const std::string found = complaint({kPutOne, kPutTwo, line("get", 5, 6, "ok", "'version': 1")});
  EXPECT_TRUE(found.starts_with("key 'k': nothing explains 'c: get v1 -> ok'")) << found;
  EXPECT_NE(found.find("[3, 4] c: put v2 -> ok"), std::string::npos) << found;
}

TEST(HistoryFile, RefusesALostWrite) {
  EXPECT_NE(complaint({kPutOne, line("get", 3, 4, "absent")}), "");
  EXPECT_NE(
      complaint({kPutOne, line("delete", 3, 4, "ok"), line("get", 5, 6, "ok", "'version': 1")}),
      "");
}

TEST(HistoryFile, RefusesWhatNobodyWrote) {
  EXPECT_NE(complaint({kPutOne, line("get", 3, 4, "ok", "'version': 7")}), "");
}

TEST(HistoryFile, LetsAnUnknownPutComeLateOrNeverButNotBeUndone) {
  const std::string late = line("put", 1, 2, "unknown", "'version': 9");
  const auto seen = [](int begin, int version) {
    return line("get", begin, begin + 1, "ok", fmt::format("'version': {}", version));
  };
  EXPECT_EQ(complaint({late, kPutTwo, seen(5, 2), seen(7, 9)}), "");
  EXPECT_EQ(complaint({late, kPutTwo, seen(5, 2), seen(7, 2)}), "");
  EXPECT_NE(complaint({late, kPutTwo, seen(5, 9), seen(7, 2)}), "");
}

TEST(HistoryFile, TakesNothingFromAGetOfUnknownOutcome) {
  EXPECT_EQ(complaint({kPutOne, line("get", 3, 4, "unknown"), kPutTwo}), "");
}

TEST(HistoryFile, HoldsConditionalPutsToTheState) {
  const std::string if_one = "'version': 5, 'if_version': 1";
  const std::string if_absent = "'version': 5, 'if_version': 0";
  EXPECT_EQ(complaint({kPutOne, line("put", 3, 4, "ok", if_one)}), "");
  EXPECT_NE(complaint({kPutOne, line("put", 3, 4, "ok", if_absent)}), "");
  EXPECT_NE(complaint({kPutOne, line("put", 3, 4, "precondition_failed", if_one)}), "");
  EXPECT_EQ(complaint({kPutOne, line("put", 3, 4, "precondition_failed", if_absent)}), "");
  EXPECT_NE(complaint({line("put", 3, 4, "precondition_failed", if_absent)}), "");
  EXPECT_EQ(complaint({line("put", 3, 4, "absent", if_one)}), "");
  EXPECT_NE(complaint({kPutOne, line("put", 3, 4, "absent", if_one)}), "");
}

TEST(HistoryFile, CountsWhatMet) {
  const auto file = parse({line("put", 1, 9, "ok", "'version': 1"), line("delete", 2, 3, "ok"),
                           line("get", 5, 6, "absent"), line("get", 11, 12, "unknown"),
                           line("delete", 20, 21, "unknown")});
  ASSERT_TRUE(file.ok()) << file.error().context;
  EXPECT_EQ(file->counts.operations, 5);
  EXPECT_EQ(file->counts.unknown, 2);
  EXPECT_EQ(file->counts.keys, 1);
  EXPECT_EQ(file->counts.together, 3);
}

TEST(HistoryFile, NamesTheLineThatMakesNoSense) {
  EXPECT_TRUE(complaint({kPutOne, "{\n"}).starts_with("line 2: it is not JSON"));
  EXPECT_EQ(complaint({"[]\n"}), "line 1: it is not a JSON object");
  EXPECT_EQ(complaint({line("put", 1, 2, "ok")}),
            "line 1: 'version' must be a whole number, 1 at least");
  EXPECT_EQ(complaint({line("get", 5, 4, "absent")}),
            "line 1: 'end' must be a whole number, 5 at least");
  EXPECT_EQ(complaint({line("head", 1, 2, "ok")}),
            "line 1: 'op' must be get, put or delete, not 'head'");
  EXPECT_EQ(complaint({line("delete", 1, 2, "maybe")}), "line 1: a delete has no result 'maybe'");
  EXPECT_EQ(complaint({line("put", 1, 2, "precondition_failed", "'version': 1")}),
            "line 1: a put without a condition has no result 'precondition_failed'");
}

}  // namespace
}  // namespace turbine::sim
