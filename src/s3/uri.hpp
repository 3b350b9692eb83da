// The request target: decoded once, never cleaned. What is signed is what is routed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace turbine::s3 {

/// Decoded name and value pairs in order of appearance. `+` means a blank.
class Query {
 public:
  using Item = std::pair<std::string, std::string>;
  static Result<Query> parse(std::string_view raw);

  const std::vector<Item>& items() const { return items_; }
  bool has(std::string_view name) const { return find(name) != nullptr; }
  /// The first value; empty when there is none.
  std::string_view get(std::string_view name) const;
  const std::string* find(std::string_view name) const;
  size_t count(std::string_view name) const;

 private:
  std::vector<Item> items_;
};

/// "/bucket/key?query". The bucket is what stands before the first slash of the *decoded* path,
/// the key is all behind it, byte by byte: "..", "//", "%2e" and backslashes have no meaning.
struct Uri {
  std::string path;  // decoded, with the leading slash
  std::string bucket, key;
  Query query;

  /// Errc::invalid: not origin-form, a broken escape, or a path that is not UTF-8.
  static Result<Uri> parse(std::string_view target);
};

/// Decodes %XX; with `plus_is_blank` also `+`. Empty when an escape is broken.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank);
/// Appends `text` with all but A-Z a-z 0-9 - . _ ~ (and `/` where kept) as %XX, upper case.
void percent_encode(std::string& out, std::string_view text, bool keep_slash);
std::string percent_encoded(std::string_view text, bool keep_slash);

/// What may name an existing bucket, also one that was made as a directory over NFS.
bool is_possible_bucket_name(std::string_view name);

inline constexpr size_t kKeyBytesMax = 1024;

}  // namespace turbine::s3
