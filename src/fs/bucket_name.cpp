#include "fs/bucket_name.hpp"

#include <algorithm>

namespace turbine::fs {

namespace {

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

}  // namespace

bool is_valid_new_bucket_name(std::string_view name) {
  if (name.size() < 3 || name.size() > 63) return false;
  if (!is_lower_or_digit(name.front()) || !is_lower_or_digit(name.back())) return false;
  if (name.find("..") != std::string_view::npos || name.starts_with("xn--")) return false;
  bool only_digits_and_dots = true;
  for (const char c : name) {
    if (!is_lower_or_digit(c) && c != '.' && c != '-') return false;
    only_digits_and_dots = only_digits_and_dots && ((c >= '0' && c <= '9') || c == '.');
  }
  return !(only_digits_and_dots && std::ranges::count(name, '.') == 3);
}

}  // namespace turbine::fs
