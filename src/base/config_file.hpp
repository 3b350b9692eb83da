// ConfigFile: TOML files of processes, read and written. Start-up only.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace turbine {

/// A TOML file as a flat table: "section.key" → text, number or switch. Every key must be asked for
/// once, so that finish() can name the misspelt ones.
class ConfigFile {
 public:
  using Value = std::variant<std::string, int64_t, bool>;

  /// Errc::not_found: no such file. Errc::invalid: not TOML (with line), or a value that is
  /// neither text, number nor switch.
  static Result<ConfigFile> load(const std::string& path);
  static Result<ConfigFile> parse(std::string_view text, std::string path);

  /// Errc::invalid when absent or of another kind.
  Result<std::string> text(std::string_view key);
  Result<uint64_t> number(std::string_view key);
  Result<std::string> text_or(std::string_view key, std::string_view absent);
  Result<uint64_t> number_or(std::string_view key, uint64_t absent);
  Result<bool> flag_or(std::string_view key, bool absent);
  /// Errc::invalid when the file holds a key that nobody asked for.
  Result<> finish() const;

 private:
  const Value* find(std::string_view key);
  std::string path_;
  std::map<std::string, Value, std::less<>> values_;
  std::set<std::string, std::less<>> asked_;
};

/// The text of such a file, sections in the order of first use.
class ConfigText {
 public:
  explicit ConfigText(std::string_view heading);  // comment of the first line
  void set(std::string_view key, std::string_view value);
  void set(std::string_view key, uint64_t value);
  void set_flag(std::string_view key, bool value);
  std::string text() const;

 private:
  void add(std::string_view key, std::string literal);
  std::string heading_;
  std::vector<std::pair<std::string, std::string>> sections_;  // name, lines
};

/// Writes `text` under a temporary name, syncs, renames: readers see the old or the new file.
Result<> write_file(const std::string& path, std::string_view text, unsigned mode = 0644);
Result<std::string> read_file(const std::string& path);

}  // namespace turbine
