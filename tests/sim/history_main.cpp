// turbine-history: whether one order of all operations explains each answer of a recorded history.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

#include "sim/history_file.hpp"

namespace turbine::sim {
namespace {

constexpr int kExplained = 0, kNotExplained = 1, kUnreadable = 2;

int check_file(const std::string& path) {
  std::ifstream lines(path);
  if (!lines) {
    fmt::print(stderr, "turbine-history: {} can't be opened: {}\n", path, std::strerror(errno));
    return kUnreadable;
  }
  const auto file = read_history(lines);
  if (!file.ok()) {
    fmt::print(stderr, "turbine-history: {}: {}; mend the line or its writer\n", path,
               file.error().text());
    return kUnreadable;
  }
  const HistoryCounts& counts = file->counts;
  if (const auto checked = check_history(file->history); !checked.ok()) {
    fmt::print("{}: {}\n", path, checked.error().context);
    return kNotExplained;
  }
  fmt::print(
      "{} operations on {} keys, {} of them at the same time as others of their key, {} of unknown "
      "outcome: linearizable\n",
      counts.operations, counts.keys, counts.together, counts.unknown);
  return kExplained;
}

int main_of(int argc, char** argv) {
  CLI::App app(
      "Checks that a recorded history of S3 operations is linearizable, key by key.\n"
      "Exit code 0: it is; 1: it is not, and the first key without an explanation is printed with\n"
      "its last operations as [begin, end]; 2: the file can't be read or a line makes no sense.\n\n"
      "A line is a JSON object, as tests/sim/history_file.hpp describes it. Example:\n"
      "  turbine-history history.jsonl");
  std::string path;
  app.add_option("FILE", path, "JSON lines")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExplained : kUnreadable;
  }
  return check_file(path);
}

}  // namespace
}  // namespace turbine::sim

int main(int argc, char** argv) {
  return turbine::sim::main_of(argc, argv);
}
