#include "cluster/cluster_store.hpp"

namespace turbine::cluster {

Result<> StoreTable::check(const std::vector<StoreCompare>& compares) const {
  for (const StoreCompare& compare : compares) {
    const auto found = records_.find(compare.key);
    const uint64_t revision = found == records_.end() ? 0 : found->second.revision;
    if (revision != compare.revision) {
      return fail(Errc::conflict, "store record {} is at revision {}, not {}", compare.key,
                  revision, compare.revision);
    }
  }
  return {};
}

void StoreTable::apply(uint64_t revision, const std::vector<StorePut>& puts) {
  for (const StorePut& put : puts) {
    if (put.value) {
      records_[put.key] = {put.key, *put.value, revision};
    } else {
      records_.erase(put.key);
    }
  }
}

std::optional<StoreRecord> StoreTable::get(const std::string& key) const {
  const auto found = records_.find(key);
  if (found == records_.end()) return std::nullopt;
  return found->second;
}

std::vector<StoreRecord> StoreTable::list(const std::string& prefix) const {
  std::vector<StoreRecord> out;
  for (auto it = records_.lower_bound(prefix); it != records_.end(); ++it) {
    if (!it->first.starts_with(prefix)) break;
    out.push_back(it->second);
  }
  return out;
}

void StoreTable::restore(StoreRecord record) {
  std::string key = record.key;
  records_[std::move(key)] = std::move(record);
}

void StoreTable::notify(uint64_t revision, const std::vector<StorePut>& puts) {
  for (const auto& [prefix, observer] : watches_) {
    for (const StorePut& put : puts) {
      if (!put.key.starts_with(prefix)) continue;
      observer(revision);
      break;
    }
  }
}

Task<std::optional<StoreRecord>> MemStore::get(std::string key) {
  co_return table_.get(key);
}

Task<std::vector<StoreRecord>> MemStore::list(std::string prefix) {
  co_return table_.list(prefix);
}

Task<uint64_t> MemStore::txn(std::vector<StoreCompare> compares, std::vector<StorePut> puts) {
  if (failing_) co_return fail(Errc::unavailable, "the cluster store does not answer");
  CO_TRY(table_.check(compares));
  table_.apply(++revision_, puts);
  table_.notify(revision_, puts);
  co_return revision_;
}

}  // namespace turbine::cluster
