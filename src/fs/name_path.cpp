#include "fs/name_path.hpp"

namespace turbine::fs {

NamePath split_prefix(std::string_view prefix) {
  NamePath path;
  for (size_t at = prefix.find('/'); at != std::string_view::npos; at = prefix.find('/')) {
    path.directories.emplace_back(prefix.substr(0, at));
    prefix.remove_prefix(at + 1);
  }
  path.file = prefix;
  return path;
}

Result<NamePath> split_key(std::string_view key) {
  if (key.empty()) return fail(Errc::invalid, "an object's key is empty");
  if (key.size() > kKeyBytesMax) {
    return fail(Errc::name_too_long, "a key of {} bytes; {} are allowed", key.size(), kKeyBytesMax);
  }
  return split_prefix(key);
}

std::string join_key(const NamePath& path) {
  std::string key;
  for (const std::string& directory : path.directories) {
    key += directory;
    key += '/';
  }
  key += path.file;
  return key;
}

std::string after_all_with_prefix(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

}  // namespace turbine::fs
