// A transaction whose outcome is looked up when the store could not tell it.
#pragma once

#include "cluster/cluster_store.hpp"

namespace turbine::cluster {

/// store.txn(), but after Errc::timeout it reads what it wanted to put. If that stands there it is
/// written once more, with the revisions just read: that it holds proves that nobody else wrote it
/// (through a FencedStore only the manager that leads can) and that no late copy of the first
/// comes. If the old stands there, the transaction is sent again: at most one of them can hold, as
/// each compares the same revisions. So every key that is put must be compared. Errc::timeout when
/// it is still not known after some looks. The store outlives the call.
Task<uint64_t> settled_txn(ClusterStore& store, std::vector<StoreCompare> compares,
                           std::vector<StorePut> puts);

}  // namespace turbine::cluster
