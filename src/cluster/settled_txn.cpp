#include "cluster/settled_txn.hpp"

#include "base/check.hpp"

namespace turbine::cluster {
namespace {

constexpr int kLooks = 5;

/// Makes `compares` hold for what stands in the store, if that is what was to be put; leaves them
/// when it is the old. Errc::conflict when it is neither.
Task<> look(ClusterStore& store, std::vector<StoreCompare>& compares,
            const std::vector<StorePut>& puts) {
  size_t old = 0;
  std::vector<StoreCompare> fresh = compares;
  for (const StorePut& put : puts) {
    const auto compare = std::ranges::find(fresh, put.key, &StoreCompare::key);
    CHECK(compare != fresh.end());
    const std::optional<StoreRecord> record = CO_TRY(co_await store.get(put.key));
    const uint64_t revision = record ? record->revision : 0;
    if (revision == compare->revision) {
      ++old;
      continue;
    }
    const bool ours = put.value ? record && record->value == *put.value : !record;
    if (!ours) co_return fail(Errc::conflict, "somebody else changed store record {}", put.key);
    compare->revision = revision;
  }
  // Some of it old: the transaction was executed between two reads, which the next look sees.
  if (old == 0) compares = std::move(fresh);
  co_return Result<>{};
}

}  // namespace

Task<uint64_t> settled_txn(ClusterStore& store, std::vector<StoreCompare> compares,
                           std::vector<StorePut> puts) {
  Result<uint64_t> done = co_await store.txn(compares, puts);
  if (!done.failed_with(Errc::timeout)) co_return done;
  std::string why = done.error().context;
  for (int i = 0; i < kLooks; ++i) {
    const Result<> looked = co_await look(store, compares, puts);
    // Written over by somebody else: ours may have been there before.
    if (looked.failed_with(Errc::conflict)) co_return fail(Errc::timeout, "{}", why);
    if (!looked.ok()) continue;
    done = co_await store.txn(compares, puts);
    // A conflict: the first may just have been executed. Any other error says nothing about it.
    if (done.ok()) co_return done;
  }
  co_return fail(Errc::timeout, "{}", why);
}

}  // namespace turbine::cluster
