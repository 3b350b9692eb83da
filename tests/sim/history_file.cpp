#include "sim/history_file.hpp"

#include <algorithm>
#include <boost/json.hpp>

namespace turbine::sim {
namespace {

namespace json = boost::json;

Result<std::string> text_of(const json::object& line, std::string_view name) {
  const json::value* const field = line.if_contains(name);
  if (field == nullptr || !field->is_string()) {
    return fail(Errc::invalid, "'{}' must be a string", name);
  }
  return std::string(field->get_string());
}

Result<uint64_t> number_of(const json::object& line, std::string_view name, uint64_t least) {
  const json::value* const field = line.if_contains(name);
  boost::system::error_code error;
  const auto number = field == nullptr ? 0 : field->to_number<uint64_t>(error);
  if (field == nullptr || error || number < least) {
    return fail(Errc::invalid, "'{}' must be a whole number, {} at least", name, least);
  }
  return number;
}

bool is_one_of(const std::string& word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

void require(Operation& operation, Need need, Version version = 0) {
  operation.need = need;
  operation.need_version = version;
}

Result<> describe_get(const json::object& line, const std::string& result, Operation& operation) {
  if (!is_one_of(result, {"ok", "absent", "unknown"})) {
    return fail(Errc::invalid, "a get has no result '{}'", result);
  }
  if (result == "unknown") return {};  // says nothing, demands nothing
  const Version seen = result == "ok" ? TRY(number_of(line, "version", 1)) : 0;
  require(operation, Need::equals, seen);
  if (seen != 0) operation.text += fmt::format(" v{}", seen);
  return {};
}

Result<> describe_put(const json::object& line, const std::string& result, Operation& operation) {
  const Version version = TRY(number_of(line, "version", 1));
  const bool conditional = line.contains("if_version");
  const Version expected = conditional ? TRY(number_of(line, "if_version", 0)) : 0;
  operation.text += fmt::format(" v{}", version);
  if (conditional) {
    operation.text += expected == 0 ? " if absent" : fmt::format(" if v{}", expected);
  }
  if (result == "ok" || result == "unknown") {
    operation.writes = true;
    operation.writes_version = version;
    if (conditional) require(operation, Need::equals, expected);
  } else if (result == "precondition_failed" && conditional) {
    require(operation, expected == 0 ? Need::present : Need::present_but_not, expected);
  } else if (result == "absent" && expected != 0) {
    require(operation, Need::equals, 0);
  } else {
    return fail(Errc::invalid, "a put{} has no result '{}'",
                conditional ? " with this condition" : " without a condition", result);
  }
  return {};
}

Result<> describe_delete(const std::string& result, Operation& operation) {
  if (!is_one_of(result, {"ok", "unknown"})) {
    return fail(Errc::invalid, "a delete has no result '{}'", result);
  }
  operation.writes = true;
  return {};
}

Result<> add_line(const std::string& text, HistoryFile& file) {
  boost::system::error_code error;
  const json::value parsed = json::parse(text, error);
  if (error) return fail(Errc::invalid, "it is not JSON: {}", error.message());
  if (!parsed.is_object()) return fail(Errc::invalid, "it is not a JSON object");
  const json::object& line = parsed.get_object();
  const std::string key = TRY(text_of(line, "key"));
  const std::string kind = TRY(text_of(line, "op"));
  const std::string result = TRY(text_of(line, "result"));
  Operation operation;
  operation.begin = TRY(number_of(line, "begin", 0));
  operation.end = TRY(number_of(line, "end", operation.begin));
  operation.unknown = result == "unknown";
  operation.text = fmt::format("{}: {}", TRY(text_of(line, "client")), kind);
  if (kind == "get") {
    TRY(describe_get(line, result, operation));
  } else if (kind == "put") {
    TRY(describe_put(line, result, operation));
  } else if (kind == "delete") {
    TRY(describe_delete(result, operation));
  } else {
    return fail(Errc::invalid, "'op' must be get, put or delete, not '{}'", kind);
  }
  operation.text += fmt::format(" -> {}", result);
  ++file.counts.operations;
  file.counts.unknown += operation.unknown ? 1 : 0;
  if (!operation.unknown || operation.writes) file.history.add(key, std::move(operation));
  return {};
}

/// Operations that overlap one that began before them, and those that they overlap.
uint64_t count_together(const std::vector<Operation>& operations) {
  std::vector<const Operation*> by_begin;
  by_begin.reserve(operations.size());
  for (const Operation& operation : operations) by_begin.push_back(&operation);
  std::ranges::sort(by_begin, {}, &Operation::begin);
  uint64_t count = 0;
  const Operation* latest = nullptr;  // of those before, the one that ends last
  bool latest_met = false;
  for (const Operation* const operation : by_begin) {
    const bool meets = latest != nullptr && operation->begin <= latest->end;
    if (meets) count += latest_met ? 1 : 2;
    if (latest == nullptr || operation->end >= latest->end) {
      latest = operation;
      latest_met = meets;
    } else if (meets) {
      latest_met = true;
    }
  }
  return count;
}

}  // namespace

Result<HistoryFile> read_history(std::istream& lines) {
  HistoryFile file;
  std::string text;
  for (uint64_t number = 1; std::getline(lines, text); ++number) {
    const auto added = add_line(text, file);
    if (!added.ok()) return fail(added.error().within(fmt::format("line {}", number)));
  }
  if (lines.bad()) return fail(Errc::io, "the history can't be read to its end");
  file.counts.keys = file.history.operations().size();
  for (const auto& [key, operations] : file.history.operations()) {
    file.counts.together += count_together(operations);
  }
  return file;
}

Result<> check_history(const History& history) {
  for (const auto& [key, operations] : history.operations()) {
    const auto checked = check_linearizable(operations);
    if (!checked.ok()) return fail(checked.error().within(fmt::format("key '{}'", key)));
  }
  return {};
}

}  // namespace turbine::sim
