#include "cli/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "cli/exit_code.hpp"

namespace turbine::cli {

CLI::App* add_command(CLI::App& parent, Session& session, const std::string& name,
                      const std::string& description, const std::string& example,
                      std::function<int()> run) {
  CLI::App* command = parent.add_subcommand(name, description);
  command->add_option("-o,--output", session.output, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  command->footer("Example:\n  " + example);
  command->final_callback([&session, run = std::move(run)] { session.run = run; });
  return command;
}

void add_dir_option(CLI::App* command, Session& session, bool required) {
  command
      ->add_option("--dir", session.dir,
                   required ? "directory of the array"
                            : "directory of the array (instead of TURBINE_ADMIN, TURBINE_TOKEN)")
      ->required(required);
}

int report(int code, std::string_view message, std::string_view hint) {
  fmt::print(stderr, "turbine: {}\n", message);
  if (!hint.empty()) fmt::print(stderr, "  {}\n", hint);
  return code;
}

int report(const Error& error, std::string_view hint) {
  return report(exit_code(error.code), error.context, hint);
}

void print_table(const std::vector<std::string>& titles,
                 const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  widths.reserve(titles.size());
  for (const std::string& title : titles) widths.push_back(title.size());
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string out;
    for (size_t i = 0; i < cells.size(); ++i) {
      out += i + 1 == cells.size() ? cells[i] : fmt::format("{:<{}}  ", cells[i], widths[i]);
    }
    fmt::print("{}\n", out);
  };
  line(titles);
  for (const auto& row : rows) line(row);
}

void print_json(const boost::json::value& value) {
  fmt::print("{}\n", boost::json::serialize(value));
}

std::string size_text(uint64_t bytes) {
  constexpr std::string_view kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  if (unit == 0) return fmt::format("{} B", bytes);
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

Result<uint64_t> parse_size(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string unit(end, text.data() + text.size());
  std::transform(unit.begin(), unit.end(), unit.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::pair<std::string_view, int> kUnits[] = {
      {"", 0},     {"b", 0},  {"k", 10},   {"kib", 10}, {"m", 20},
      {"mib", 20}, {"g", 30}, {"gib", 30}, {"t", 40},   {"tib", 40}};
  const auto found = std::find_if(std::begin(kUnits), std::end(kUnits),
                                  [&](const auto& entry) { return entry.first == unit; });
  if (error != std::errc{} || found == std::end(kUnits) ||
      number > (uint64_t{1} << 62 >> found->second)) {
    return fail(Errc::invalid, "{} is not a size; write it like 8GiB or 512MiB", text);
  }
  return number << found->second;
}

}  // namespace turbine::cli
