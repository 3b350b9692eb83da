// Keys as paths: an S3 key is directories and a file, and every key is exactly one such path.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace turbine::fs {

inline constexpr size_t kKeyBytesMax = 1024;

/// A key cut at every '/'. Components are opaque bytes without '/': empty ones, "." and ".." are
/// names like others. "a/b" is file `b` in directory `a`; "a/" the file with the empty name in `a`;
/// "/a" file `a` in the directory with the empty name.
struct NamePath {
  std::vector<std::string> directories;
  std::string file;

  bool operator==(const NamePath&) const = default;
};

/// Errc::invalid for the empty key, Errc::name_too_long beyond kKeyBytesMax.
Result<NamePath> split_key(std::string_view key);
/// The inverse of split_key().
std::string join_key(const NamePath& path);

/// A listing's prefix: whole directories and the beginning of names in the last.
NamePath split_prefix(std::string_view prefix);

/// The least string greater than every string that starts with `prefix`; empty when there is none.
std::string after_all_with_prefix(std::string prefix);

}  // namespace turbine::fs
