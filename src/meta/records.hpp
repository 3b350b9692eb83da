// Typed reads of records, and Changes: what one log entry does to them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/task.hpp"
#include "kv/kv.hpp"
#include "proto/meta_log.pb.h"

namespace turbine::meta {

/// A key as hex, for error texts.
std::string key_text(std::string_view key);

template <class Record>
Result<Record> parse_record(std::string_view key, std::string_view value) {
  Record record;
  if (!record.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
    return fail(Errc::corrupt, "record {} does not parse", key_text(key));
  }
  return record;
}

/// A record of committed state; a cold one blocks on the device.
template <class Record>
Result<std::optional<Record>> read_record(kv::Kv& kv, std::string_view key) {
  const std::optional<std::string> value = TRY(kv.get(key));
  if (!value.has_value()) return std::optional<Record>{};
  return std::optional<Record>(TRY(parse_record<Record>(key, *value)));
}

/// The same without blocking the reactor.
template <class Record>
Task<std::optional<Record>> load_record(kv::Kv& kv, std::string key) {
  const std::optional<std::string> value = CO_TRY(co_await kv.get_async(key));
  if (!value.has_value()) co_return std::optional<Record>{};
  co_return std::optional<Record>(CO_TRY(parse_record<Record>(key, *value)));
}

/// Whether the content's bytes stand in the record itself and not in a stripe.
inline bool is_small(const proto::ContentRecord& record) {
  return record.extent().length() == 0;
}

/// The changes of one log entry over committed state; reads see them.
class Changes {
 public:
  explicit Changes(kv::Kv& kv) : kv_(kv) {}

  template <class Record>
  Result<std::optional<Record>> read(const std::string& key) const {
    const auto found = changes_.find(key);
    if (found == changes_.end()) return read_record<Record>(kv_, key);
    if (!found->second.has_value()) return std::optional<Record>{};
    return std::optional<Record>(TRY(parse_record<Record>(key, *found->second)));
  }
  template <class Record>
  void put(std::string key, const Record& record) {
    changes_[std::move(key)] = record.SerializeAsString();
  }
  void put_empty(std::string key) { changes_[std::move(key)] = std::string(); }
  void remove(std::string key) { changes_[std::move(key)] = std::nullopt; }
  void remove_range(std::string first, std::string end) {
    ranges_.emplace_back(std::move(first), std::move(end));
  }
  kv::Kv& kv() const { return kv_; }

  kv::WriteBatch take_batch();

 private:
  kv::Kv& kv_;
  std::map<std::string, std::optional<std::string>> changes_;
  std::vector<std::pair<std::string, std::string>> ranges_;
};

}  // namespace turbine::meta
