#include "meta/shown_name.hpp"

#include <charconv>

namespace turbine::meta {
namespace {

constexpr std::string_view kMark = ".%";
constexpr std::string_view kKinds = "e12fnc";

bool looks_shown(std::string_view name) {
  return name.size() > kMark.size() && name.starts_with(kMark) &&
         kKinds.find(name[kMark.size()]) != std::string_view::npos;
}

std::string marked(char kind, std::string_view rest) {
  std::string shown(kMark);
  shown.push_back(kind);
  shown += rest;
  return shown;
}

}  // namespace

std::string show_name(std::string_view name, bool is_directory, bool shadowed, uint64_t cookie) {
  std::string shown(name);
  if (shadowed && !is_directory) {
    shown = marked('f', name);
  } else if (name.empty()) {
    shown = marked('e', {});
  } else if (name == ".") {
    shown = marked('1', {});
  } else if (name == "..") {
    shown = marked('2', {});
  } else if (looks_shown(name)) {
    shown = marked('n', name);
  }
  if (shown.size() > kShownBytesMax) shown = marked('c', fmt::format("{:x}", cookie));
  return shown;
}

Result<ShownName> parse_shown_name(std::string_view shown) {
  if (!looks_shown(shown)) return ShownName{.name = std::string(shown), .cookie = {}};
  const auto nothing = [&] {
    return fail(Errc::not_found, "nothing is shown as {}, which begins as an escaped name", shown);
  };
  const std::string_view rest = shown.substr(kMark.size() + 1);
  switch (shown[kMark.size()]) {
    case 'f':
      return ShownName{.name = std::string(rest), .hidden_file = true, .cookie = {}};
    case 'n':
      if (!looks_shown(rest)) return nothing();
      return ShownName{.name = std::string(rest), .cookie = {}};
    case 'c': {
      uint64_t cookie = 0;
      const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), cookie, 16);
      if (error != std::errc{} || end != rest.data() + rest.size()) return nothing();
      return ShownName{.name = {}, .cookie = cookie};
    }
    case '1':
      if (!rest.empty()) return nothing();
      return ShownName{.name = ".", .cookie = {}};
    case '2':
      if (!rest.empty()) return nothing();
      return ShownName{.name = "..", .cookie = {}};
    default:
      if (!rest.empty()) return nothing();
      return ShownName{};
  }
}

}  // namespace turbine::meta
