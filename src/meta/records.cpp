#include "meta/records.hpp"

namespace turbine::meta {

std::string key_text(std::string_view key) {
  std::string text;
  for (const char c : key) text += fmt::format("{:02x}", static_cast<uint8_t>(c));
  return text;
}

kv::WriteBatch Changes::take_batch() {
  kv::WriteBatch batch;
  for (auto& [first, end] : ranges_) batch.remove_range(std::move(first), std::move(end));
  for (auto& [key, value] : changes_) {
    if (value.has_value()) {
      batch.put(key, std::move(*value));
    } else {
      batch.remove(key);
    }
  }
  changes_.clear();
  ranges_.clear();
  return batch;
}

}  // namespace turbine::meta
