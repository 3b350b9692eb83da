#include "kv/row_cache.hpp"

namespace turbine::kv {

RowCache::Rows::iterator RowCache::erase(Rows::iterator row) {
  bytes_ -= bytes_of(*row);
  uses_.erase(row->second.use);
  return rows_.erase(row);
}

const std::string* RowCache::find(std::string_view key) {
  const auto row = rows_.find(key);
  if (row == rows_.end()) return nullptr;
  uses_.splice(uses_.begin(), uses_, row->second.use);
  return &row->second.value;
}

void RowCache::put(std::string_view key, std::string_view value) {
  auto row = rows_.find(key);
  if (key.size() + value.size() > kRowBytesMax) {
    if (row != rows_.end()) erase(row);
    return;
  }
  if (row == rows_.end()) {
    row = rows_.emplace(key, Row{}).first;
    row->second.use = uses_.insert(uses_.begin(), &row->first);
  } else {
    bytes_ -= bytes_of(*row);
    uses_.splice(uses_.begin(), uses_, row->second.use);
  }
  row->second.value = value;
  bytes_ += bytes_of(*row);
  while (bytes_ > bytes_max_) erase(rows_.find(*uses_.back()));
}

void RowCache::apply(const WriteBatch::Operation& written) {
  using Kind = WriteBatch::Operation::Kind;
  if (written.kind == Kind::remove_range) {
    auto row = rows_.lower_bound(written.key);
    while (row != rows_.end() && row->first < written.value) row = erase(row);
    return;
  }
  const auto row = rows_.find(written.key);
  if (row == rows_.end()) return;  // only what is read is kept
  if (written.kind == Kind::remove) {
    erase(row);
  } else {
    put(written.key, written.value);
  }
}

}  // namespace turbine::kv
