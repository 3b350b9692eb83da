// RowCache: copies of small rows that are read again and again.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <string>
#include <string_view>

#include "kv/kv.hpp"

namespace turbine::kv {

/// A get() from a table of RocksDB takes microseconds: filters, index, block, search. Rows that
/// were found stay here; writes keep them true. Bounded, least recently used out first.
class RowCache {
 public:
  explicit RowCache(size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Null: not known, whether there is such a row or not. Valid until the next call.
  const std::string* find(std::string_view key);
  /// A row as it was read, with no write in between.
  void put(std::string_view key, std::string_view value);
  void apply(const WriteBatch::Operation& written);

 private:
  static constexpr size_t kRowBytesMax = 2048;
  static constexpr size_t kOverheadBytes = 160;  // of the nodes of map and list
  struct Row {
    std::string value;
    std::list<const std::string*>::iterator use;
  };
  using Rows = std::map<std::string, Row, std::less<>>;

  static size_t bytes_of(const Rows::value_type& row) {
    return row.first.size() + row.second.value.size() + kOverheadBytes;
  }
  Rows::iterator erase(Rows::iterator row);

  const size_t bytes_max_;
  size_t bytes_ = 0;
  Rows rows_;
  std::list<const std::string*> uses_;  // keys; front: used last
};

}  // namespace turbine::kv
