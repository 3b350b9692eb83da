#include "s3/uri.hpp"

#include <algorithm>
#include <array>

#include "base/utf8.hpp"
#include "s3/text.hpp"

namespace turbine::s3 {
namespace {

constexpr auto kUnreserved = [] {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[c] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[c] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (char c : {'-', '.', '_', '~'}) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank) {
  std::string result;
  result.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      result.push_back(static_cast<char>(high << 4 | low));
      i += 2;
    } else if (text[i] == '+' && plus_is_blank) {
      result.push_back(' ');
    } else {
      result.push_back(text[i]);
    }
  }
  return result;
}

void percent_encode(std::string& out, std::string_view text, bool keep_slash) {
  static constexpr std::string_view kUpperHex = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (kUnreserved[byte] || (keep_slash && c == '/')) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kUpperHex[byte >> 4]);
      out.push_back(kUpperHex[byte & 15]);
    }
  }
}

std::string percent_encoded(std::string_view text, bool keep_slash) {
  std::string result;
  result.reserve(text.size() + 16);
  percent_encode(result, text, keep_slash);
  return result;
}

Result<Query> Query::parse(std::string_view raw) {
  Query query;
  while (!raw.empty()) {
    const size_t end = std::min(raw.find('&'), raw.size());
    const std::string_view item = raw.substr(0, end);
    raw.remove_prefix(std::min(end + 1, raw.size()));
    if (item.empty()) continue;
    const size_t equals = std::min(item.find('='), item.size());
    auto name = percent_decode(item.substr(0, equals), true);
    auto value = percent_decode(item.substr(std::min(equals + 1, item.size())), true);
    if (!name || !value) return fail(Errc::invalid, "broken escape in the query");
    query.items_.emplace_back(std::move(*name), std::move(*value));
  }
  return query;
}

const std::string* Query::find(std::string_view name) const {
  for (const auto& item : items_) {
    if (item.first == name) return &item.second;
  }
  return nullptr;
}

std::string_view Query::get(std::string_view name) const {
  const std::string* value = find(name);
  return value != nullptr ? std::string_view(*value) : std::string_view();
}

size_t Query::count(std::string_view name) const {
  return static_cast<size_t>(
      std::ranges::count_if(items_, [name](const Item& item) { return item.first == name; }));
}

Result<Uri> Uri::parse(std::string_view target) {
  if (!target.starts_with('/')) return fail(Errc::invalid, "the target must start with a slash");
  const size_t question = std::min(target.find('?'), target.size());
  Uri uri;
  auto path = percent_decode(target.substr(0, question), false);
  if (!path) return fail(Errc::invalid, "broken escape in the path");
  if (!is_valid_utf8(*path)) return fail(Errc::invalid, "the path is not UTF-8");
  uri.path = std::move(*path);
  const std::string_view rest = std::string_view(uri.path).substr(1);
  const size_t slash = std::min(rest.find('/'), rest.size());
  uri.bucket = rest.substr(0, slash);
  uri.key = rest.substr(std::min(slash + 1, rest.size()));
  uri.query = TRY(Query::parse(target.substr(std::min(question + 1, target.size()))));
  return uri;
}

bool is_possible_bucket_name(std::string_view name) {
  if (name.empty() || name.size() > 255 || name == "." || name == "..") return false;
  return std::ranges::all_of(
      name, [](char c) { return kUnreserved[static_cast<unsigned char>(c)] && c != '~'; });
}

}  // namespace turbine::s3
