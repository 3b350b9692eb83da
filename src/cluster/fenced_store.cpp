#include "cluster/fenced_store.hpp"

#include <utility>

namespace turbine::cluster {

Task<uint64_t> FencedStore::txn(std::vector<StoreCompare> compares, std::vector<StorePut> puts) {
  compares.push_back(leader_);
  Result<uint64_t> done = co_await store_.txn(std::move(compares), std::move(puts));
  if (!done.failed_with(Errc::conflict)) co_return done;
  const std::optional<StoreRecord> record = CO_TRY(co_await store_.get(leader_.key));
  if (record && record->revision == leader_.revision) co_return done;  // about another record
  if (auto deposed = std::exchange(deposed_, nullptr)) deposed();
  co_return fail(Errc::unavailable, "this manager leads no longer");
}

}  // namespace turbine::cluster
