// How files show names that objects may have and files may not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace turbine::meta {

inline constexpr size_t kShownBytesMax = 255;

/// An entry of a directory as files show it; never two entries alike. Most names are shown as they
/// are. Those that no file can have, and those that look like what such are shown as, get `.%`:
///   .%e  the empty name     .%1  "."     .%2  ".."
///   .%fNAME  the file that a directory of the same name hides
///   .%nNAME  a name that begins as one of these
///   .%cHEX   a name for which there is no room otherwise, by its cookie
std::string show_name(std::string_view name, bool is_directory, bool shadowed, uint64_t cookie);

/// What a shown name says.
struct ShownName {
  std::string name;
  bool hidden_file = false;        // .%f
  std::optional<uint64_t> cookie;  // .%c; `name` is empty
};
/// Errc::not_found: nothing is ever shown so.
Result<ShownName> parse_shown_name(std::string_view shown);

}  // namespace turbine::meta
