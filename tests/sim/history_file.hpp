// Histories in files: one JSON object per line, written by those who drove arrays of real
// processes.
#pragma once

#include <cstdint>
#include <istream>
#include <string>

#include "sim/history.hpp"

namespace turbine::sim {

struct HistoryCounts {
  uint64_t operations = 0;  // lines
  uint64_t unknown = 0;     // of unknown outcome
  uint64_t keys = 0;
  uint64_t together = 0;  // operations that met another one on their key
};

struct HistoryFile {
  History history;
  HistoryCounts counts;
};

/// Reads a history, a line for each operation, in any order:
///
///     {"key": "a/b", "client": "c1", "op": "put", "begin": 5, "end": 9, "result": "ok",
///      "version": 7, "if_version": 0}
///
/// - `op`: `get`, `put` or `delete`. `begin`, `end`: by one clock, in any unit.
/// - `result`: `ok`; `absent` (404); `precondition_failed` (412); `unknown`, where the client gave
///   up, lost its connection or was told of an error of the server.
/// - `version`, above 0: the content that was put, or that a get with result `ok` gave.
/// - `if_version`, of a put that has a condition: the version that If-Match named; 0 is
///   `If-None-Match: *`.
///
/// Errc::invalid: a line is not like that; the context has its number and what is wrong with it.
Result<HistoryFile> read_history(std::istream& lines);

/// Errc::conflict: no order explains the answers for some key; the context has the first such key
/// and the operations concerned.
Result<> check_history(const History& history);

}  // namespace turbine::sim
