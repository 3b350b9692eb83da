// docs/S3.md tells users what is there; it must say the same as the table in operations.cpp.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>

#include "s3/operation.hpp"

namespace turbine::s3 {
namespace {

/// The first two cells of every row that begins with a name in back-quotes.
std::map<std::string, std::string> documented() {
  std::ifstream file(TURBINE_S3_DOCUMENT);
  EXPECT_TRUE(file.is_open());
  std::map<std::string, std::string> rows;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("| `")) continue;
    const size_t end = line.find('`', 3);
    const size_t cell = line.find("| ", end);
    const size_t cell_end = line.find(" |", cell + 2);
    const std::string name = line.substr(3, end - 3);
    if (cell_end == std::string::npos) {
      ADD_FAILURE() << "malformed row: " << line;
      continue;
    }
    EXPECT_FALSE(rows.contains(name)) << name << " has two rows";
    rows[name] = line.substr(cell + 2, cell_end - cell - 2);
  }
  return rows;
}

TEST(S3Document, SaysOfEveryOperationWhatTheTableDoes) {
  const auto rows = documented();
  std::map<std::string, bool> table;  // whether there is a handler
  for (const Operation& operation : operations()) {
    table.emplace(operation.name, operation.handler != nullptr);
  }
  EXPECT_GT(table.size(), 90u);
  for (const auto& [name, done] : table) {
    const auto row = rows.find(name);
    if (row == rows.end()) {
      ADD_FAILURE() << name << " is missing in docs/S3.md";
      continue;
    }
    const bool says_done = row->second == "done" || row->second == "in part";
    EXPECT_TRUE(says_done || row->second == "later" || row->second == "refused")
        << name << ": " << row->second;
    EXPECT_EQ(says_done, done) << name << ": " << row->second;
  }
  for (const auto& [name, state] : rows) {
    EXPECT_TRUE(table.contains(name)) << name << " is in docs/S3.md and not in operations.cpp";
  }
}

}  // namespace
}  // namespace turbine::s3
