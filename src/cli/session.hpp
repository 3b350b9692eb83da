// Session: what one invocation of `turbine` was asked to do, and how it prints.
#pragma once

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace turbine::cli {

struct Session {
  std::string output = "table";  // or "json"
  std::string dir;               // of the array; empty: TURBINE_ADMIN and TURBINE_TOKEN
  std::function<int()> run;      // set by the chosen command

  bool json() const { return output == "json"; }
};

/// Adds a subcommand with `-o` and `--help`'s example; `run` is called after parsing.
CLI::App* add_command(CLI::App& parent, Session& session, const std::string& name,
                      const std::string& description, const std::string& example,
                      std::function<int()> run);
/// `--dir DIR`; required for commands that act on the directory itself.
void add_dir_option(CLI::App* command, Session& session, bool required);

/// "turbine: what happened", the hint on a line of its own; returns the exit code.
int report(const Error& error, std::string_view hint = {});
int report(int code, std::string_view message, std::string_view hint = {});

/// Columns as wide as their widest cell, two spaces between.
void print_table(const std::vector<std::string>& titles,
                 const std::vector<std::vector<std::string>>& rows);
void print_json(const boost::json::value& value);
/// "1.5 GiB"
std::string size_text(uint64_t bytes);
/// "8GiB", "512MiB", "4096" → bytes. Errc::invalid.
Result<uint64_t> parse_size(std::string_view text);

}  // namespace turbine::cli
