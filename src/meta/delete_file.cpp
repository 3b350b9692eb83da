// DELETE_FILE: the name goes, and with it the implicit directories that it leaves empty.
#include "meta/drop_entry.hpp"
#include "meta/entries.hpp"
#include "meta/op_support.hpp"
#include "meta/operations.hpp"
#include "meta/permissions.hpp"
#include "meta/transaction.hpp"

namespace turbine::meta {
namespace {

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

/// The object of that name; symbolic links and special files are none.
Task<std::optional<Entry>> find_object(PartitionPtr partition, InodeId directory,
                                       const proto::DeleteFileRequest& request) {
  auto entry = CO_TRY(co_await find_entry(partition, directory, {request.name(), false}));
  std::optional<proto::Inode> inode;
  if (entry && entry->dirent.has_file()) inode = entry->dirent.file();
  if (entry && !inode) inode = CO_TRY(co_await fetch_inode(partition, entry->id()));
  if (!inode || inode->type() != proto::FILE_REGULAR) {
    if (!request.condition().if_match().empty()) {
      co_return fail(Errc::not_found, "If-Match on no object");
    }
    co_return std::optional<Entry>{};
  }
  CO_TRY(check_condition(request.condition(), &*inode));
  co_return std::move(entry);
}

/// The object that a directory is goes. It is from now on one as PUTs make, and goes too when it is
/// empty.
Answer<proto::DeleteFileReply> delete_directory_object(Call call,
                                                       proto::DeleteFileRequest request) {
  const PartitionPtr partition = call.partition;
  const InodeId id(request.directory());
  Transaction txn(partition, call.id, call.received);
  CO_TRY(co_await take_locks(partition, {lock_name(id, ""), lock_present(id, true)}, true,
                             &txn.half()));
  const proto::Inode directory = CO_TRY(co_await find_directory(partition, id));
  if (!is_object(directory)) co_return fail(Errc::busy, "directory {} changed meanwhile", id);
  auto file = CO_TRY(co_await find_entry(partition, id, {"", false}));
  if (file && file->dirent.has_file() && file->dirent.file().type() != proto::FILE_REGULAR) {
    file.reset();
  } else if (file && !file->dirent.has_file()) {
    const proto::Inode inode = CO_TRY(co_await fetch_inode(partition, file->id()));
    if (inode.type() != proto::FILE_REGULAR) file.reset();
  }
  const bool inline_file = file && file->dirent.has_file();
  if (!file || inline_file) {
    CO_TRY(check_condition(request.condition(), inline_file ? &file->dirent.file() : &directory));
  }
  const bool empty = directory.entry_count() == (file ? 1U : 0U);
  if (file) {
    CO_TRY(co_await drop_file(txn, partition, id, std::move(*file), false, request.condition()));
  }
  if (empty) {
    CO_TRY(co_await climb(txn, partition, directory));
  } else {
    auto& change = *txn.half().mutations.Add()->mutable_change_inode();
    change.set_inode(id.value);
    change.set_make_implicit(true);
  }
  rpc::With<proto::DeleteFileReply> reply;
  reply.body.set_existed(true);
  CO_TRY(co_await txn.commit(reply.body));
  co_return reply;
}

Task<Entry> find_file(PartitionPtr partition, proto::Inode directory, EntryName name,
                      proto::Credentials who) {
  auto entry = CO_TRY(co_await find_entry(partition, InodeId(directory.id()), name));
  if (!entry) co_return fail(Errc::not_found, "there is no {}", name.name);
  CO_TRY(co_await check_removal(partition, std::move(who), std::move(directory), *entry));
  if (entry->is_directory) co_return fail(Errc::is_directory, "{} is a directory", name.name);
  co_return std::move(*entry);
}

}  // namespace

Answer<proto::DeleteFileReply> delete_file(Call call, proto::DeleteFileRequest request) {
  const PartitionPtr partition = call.partition;
  const InodeId directory(request.directory());
  EntryName name{request.name(), false};
  if (request.has_who()) {
    const proto::Inode inode = CO_TRY(co_await find_settled_directory(partition, directory));
    CO_TRY(check_access(request.who(), inode, kMayExecute));
    name = CO_TRY(co_await resolve_name(partition, directory, request.name()));
  }
  CO_TRY(check_name(name.name));
  if (!request.has_who() && name.name.empty()) {
    const proto::Inode inode = CO_TRY(co_await find_settled_directory(partition, directory));
    if (is_object(inode)) {
      co_return co_await delete_directory_object(std::move(call), std::move(request));
    }
  }
  Transaction txn(partition, call.id, call.received);
  const RemovalLocks locked =
      CO_TRY(co_await lock_removal(partition, directory, name.name, {}, true, &txn.half()));
  rpc::With<proto::DeleteFileReply> reply;
  std::optional<Entry> entry;
  if (request.has_who()) {
    entry = CO_TRY(co_await find_file(partition, locked.directory, name, request.who()));
  } else {
    entry = CO_TRY(co_await find_object(partition, directory, request));
    if (!entry) co_return reply;
  }
  CO_TRY(co_await drop_file(txn, partition, directory, std::move(*entry), request.has_who(),
                            request.condition()));
  if (locked.last && !request.has_who()) CO_TRY(co_await climb(txn, partition, locked.directory));
  reply.body.set_existed(true);
  Image::Observed observed;
  CO_TRY(co_await txn.commit(reply.body, request.has_who() ? &observed : nullptr));
  if (request.has_who()) *reply.body.mutable_directory() = std::move(observed[directory]);
  co_return reply;
}

}  // namespace turbine::meta
