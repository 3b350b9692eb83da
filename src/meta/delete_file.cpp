// DELETE_FILE: the name goes, and with it the implicit directories that it leaves empty.
#include "meta/op_support.hpp"
#include "meta/operations.hpp"
#include "meta/transaction.hpp"

namespace turbine::meta {
namespace {

constexpr int kRounds = 4;

struct Doomed {
  proto::Inode parent;
  std::optional<proto::Dirent> dirent;
  bool vanishes = false;  // the parent goes with its last entry
};

/// Locks the name, and the directory's presence in the mode that its removal needs.
Task<Doomed> lock_for_delete(PartitionPtr partition, InodeId directory, std::string name,
                             Half* half) {
  CO_TRY(co_await partition->wait_settled({lock_present(directory, true).key}));
  Doomed found;
  found.parent = CO_TRY(co_await find_directory(partition, directory));
  for (int round = 0; round < kRounds; ++round) {
    const bool exclusive = partition->may_vanish(found.parent);
    auto guard = CO_TRY(co_await partition->locks().acquire_until(
        {lock_name(directory, name), lock_present(directory, exclusive)}, partition->clock(),
        partition->clock().now() + partition->options().lock_wait));
    // Others that take entries away at the same time count this one from here on.
    Removal removal(partition, directory);
    found.dirent = CO_TRY(co_await find_dirent(partition, directory, name, false));
    found.parent = CO_TRY(read_directory(*partition, directory));
    if (!exclusive && partition->may_vanish(found.parent, 0)) continue;
    found.vanishes = exclusive && found.parent.implicit() && found.parent.entry_count() == 1;
    half->guards.push_back(std::move(guard));
    half->removals.push_back(std::move(removal));
    co_return found;
  }
  co_return fail(Errc::busy, "directory {} changes too fast", directory);
}

/// Takes the entries of vanished directories out of their parents, partition by partition.
Task<> climb(Transaction& txn, PartitionPtr partition, const proto::Inode& gone) {
  txn.half().mutations.Add()->mutable_remove_inode()->set_inode(gone.id());
  proto::RemoveEntry entry;
  entry.set_directory(gone.parent());
  entry.set_name(gone.name());
  entry.set_child(gone.id());
  for (;;) {
    proto::SubOperation operation;
    *operation.mutable_remove_entry() = entry;
    const auto result =
        CO_TRY(co_await txn.prepare(InodeId(entry.directory()).partition(), std::move(operation)));
    if (!result.has_next()) co_return Result<>{};
    entry = result.next();
  }
}

}  // namespace

Answer<proto::DeleteFileReply> delete_file(Call call, proto::DeleteFileRequest request) {
  const PartitionPtr partition = call.partition;
  const InodeId directory(request.directory());
  CO_TRY(check_name(request.name()));
  Transaction txn(partition, call.id, call.received);
  const Doomed found =
      CO_TRY(co_await lock_for_delete(partition, directory, request.name(), &txn.half()));
  rpc::With<proto::DeleteFileReply> reply;
  if (!found.dirent.has_value()) {
    if (!request.condition().if_match().empty()) {
      co_return fail(Errc::not_found, "If-Match on no object");
    }
    co_return reply;
  }
  const proto::Inode& file = found.dirent->file();
  CO_TRY(check_condition(request.condition(), &file));
  auto& remove = *txn.half().mutations.Add()->mutable_remove_file();
  remove.set_directory(request.directory());
  remove.set_name(request.name());
  remove.set_inode(file.id());
  remove.set_old_size(file.size());
  release_content(*partition, file.content(), &txn.half());
  if (found.vanishes) CO_TRY(co_await climb(txn, partition, found.parent));
  reply.body.set_existed(true);
  CO_TRY(co_await txn.commit(reply.body));
  co_return reply;
}

}  // namespace turbine::meta
