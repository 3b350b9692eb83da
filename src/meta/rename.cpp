// RENAME: a file or directory gets another place. The coordinator is the partition of the directory
// that it goes to.
#include "meta/drop_entry.hpp"
#include "meta/entries.hpp"
#include "meta/op_support.hpp"
#include "meta/operations.hpp"
#include "meta/partition_client.hpp"
#include "meta/permissions.hpp"
#include "meta/transaction.hpp"
#include "proto/rpc.pb.h"

namespace turbine::meta {
namespace {

struct Move {
  InodeId from, to;
  std::string from_name;  // as it is shown
  std::string to_name;
  proto::Credentials who;
};

struct Source {
  InodeId id;
  bool is_directory = false;
};

/// What is to be moved; it may be something else by the time it is locked.
Task<Source> find_source(PartitionPtr partition, Move move) {
  proto::LookupRequest request;
  request.set_directory(move.from.value);
  request.set_name(move.from_name);
  *request.mutable_who() = move.who;
  rpc::With<proto::LookupReply> reply;
  if (move.from.partition() == partition->id()) {
    Call call;
    call.partition = partition;
    reply = CO_TRY(co_await lookup(std::move(call), std::move(request)));
  } else {
    reply = CO_TRY(co_await partition->seams().client.call<proto::LookupReply>(
        move.from.partition(), proto::LOOKUP, std::move(request), {}, {},
        partition->clock().now()));
  }
  const proto::Inode& inode = reply.body.inode();
  co_return Source{InodeId(inode.id()), inode.type() == proto::FILE_DIRECTORY};
}

/// What is at the new place already, if it may be replaced.
Result<> check_target(const Source& source, const Move& move, const Entry& target) {
  if (target.is_directory && !source.is_directory) {
    return fail(Errc::is_directory, "{} is a directory, which a file can't replace", move.to_name);
  }
  if (!target.is_directory && source.is_directory) {
    return fail(Errc::not_directory, "{} is a file, which a directory can't replace", move.to_name);
  }
  if (target.is_directory && target.id() == move.from) {
    return fail(Errc::not_empty, "directory {} holds what would replace it", target.id());
  }
  return {};
}

void fill_changes(const Move& move, Image::Observed* observed, proto::RenameReply* reply) {
  if (observed->contains(move.from)) *reply->mutable_from() = observed->at(move.from);
  if (observed->contains(move.to)) *reply->mutable_to() = observed->at(move.to);
}

/// A file moves within this partition, and what it replaces is only here. None: it is not so.
Task<std::optional<proto::RenameReply>> rename_here(PartitionPtr partition, RequestId id,
                                                    TimePoint received, Move move) {
  const EntryName name = CO_TRY(co_await resolve_name(partition, move.from, move.from_name));
  std::vector<LockRequest> more = {lock_name(move.to, move.to_name)};
  if (move.from != move.to) more.push_back(lock_present(move.to, false));
  Half half;
  const RemovalLocks locked =
      CO_TRY(co_await lock_removal(partition, move.from, name.name, std::move(more), true, &half));
  auto file = CO_TRY(co_await find_entry(partition, move.from, name));
  if (!file.has_value()) co_return fail(Errc::not_found, "there is no {}", move.from_name);
  const auto target = CO_TRY(co_await find_entry(partition, move.to, {move.to_name, {}}));
  const bool elsewhere =
      file->is_directory || (target && (target->is_directory || !target->dirent.has_file()));
  if (elsewhere) co_return std::optional<proto::RenameReply>{};
  const proto::Inode to = CO_TRY(co_await find_directory(partition, move.to));
  CO_TRY(co_await check_removal(partition, move.who, locked.directory, *file));
  CO_TRY(check_access(move.who, to, kMayWrite | kMayExecute));
  CO_TRY(check_new_file(to, move.to_name));
  if (locked.directory.bucket() != to.bucket()) {
    co_return fail(Errc::cross_device, "{} can't move to another bucket: copy it", move.from_name);
  }
  proto::RenameReply reply;
  if (target) {
    if (target->id() == file->id()) co_return reply;
    CO_TRY(co_await check_removal(partition, move.who, to, *target));
    CO_TRY(drop_here(*partition, move.to, *target, false, &half));
  }
  auto& rename = *half.mutations.Add()->mutable_rename_file();
  rename.set_from_directory(move.from.value);
  rename.set_from_name(name.name);
  rename.set_directory(move.to.value);
  rename.set_name(move.to_name);
  rename.set_keep_directory(true);
  Image::Observed observed;
  CO_TRY(co_await commit_half(partition, id, received, reply, &half, &observed));
  fill_changes(move, &observed, &reply);
  co_return reply;
}

/// Holds still all directories of the array, and refuses a move into what moves.
Task<> check_no_loop(Transaction& txn, PartitionPtr partition, InodeId moved, InodeId to) {
  proto::SubOperation lock;
  lock.mutable_lock_renames();
  CO_TRY(co_await txn.prepare(kRootInode.partition(), std::move(lock)));
  for (InodeId at = to; at != kRootInode;) {
    if (at == moved) {
      co_return fail(Errc::invalid, "directory {} can't move into itself", moved);
    }
    at = InodeId(CO_TRY(co_await fetch_inode(partition, at)).parent());
    if (at.value == 0) co_return fail(Errc::stale, "directory {} is not below the root", to);
  }
  co_return Result<>{};
}

Task<> replace_target(Transaction& txn, PartitionPtr partition, Move move, Entry target) {
  if (!target.is_directory) {
    co_return co_await drop_file(txn, partition, move.to, std::move(target), false);
  }
  auto& unlink = *txn.half().mutations.Add()->mutable_unlink_directory();
  unlink.set_directory(move.to.value);
  unlink.set_name(move.to_name);
  proto::SubOperation operation;
  operation.mutable_remove_empty_directory()->set_directory(target.id().value);
  CO_TRY(co_await txn.prepare(target.id().partition(), std::move(operation)));
  co_return Result<>{};
}

/// Returns how long somebody may still rely on a directory's old place.
Task<Duration> take_source(Transaction& txn, Source source, Move move, uint64_t bucket) {
  proto::SubOperation operation;
  proto::TakeEntry& take = *operation.mutable_take_entry();
  take.set_directory(move.from.value);
  take.set_name(move.from_name);
  take.set_child(source.id.value);
  take.set_is_directory(source.is_directory);
  take.set_stays(move.from == move.to);
  take.set_bucket(bucket);
  *take.mutable_who() = move.who;
  const auto taken = CO_TRY(co_await txn.prepare(move.from.partition(), std::move(operation)));
  co_return std::chrono::milliseconds(taken.lease_ms());
}

Task<> put_directory(Transaction& txn, Source source, Move move) {
  auto& link = *txn.half().mutations.Add()->mutable_link_directory();
  link.set_directory(move.to.value);
  link.set_name(move.to_name);
  link.set_child(source.id.value);
  proto::SubOperation operation;
  proto::SetParent& parent = *operation.mutable_set_parent();
  parent.set_inode(source.id.value);
  parent.set_parent(move.to.value);
  parent.set_name(move.to_name);
  if (move.from != move.to) *parent.mutable_who() = move.who;
  CO_TRY(co_await txn.prepare(source.id.partition(), std::move(operation)));
  co_return Result<>{};
}

Task<proto::RenameReply> rename_anywhere(PartitionPtr partition, Call call, Move move,
                                         Source source) {
  Transaction txn(partition, call.id, call.received);
  if (source.is_directory && move.from != move.to) {
    CO_TRY(co_await check_no_loop(txn, partition, source.id, move.to));
  }
  CO_TRY(co_await take_locks(partition,
                             {lock_present(move.to, false), lock_name(move.to, move.to_name)}, true,
                             &txn.half()));
  const proto::Inode to = CO_TRY(co_await find_directory(partition, move.to));
  CO_TRY(check_access(move.who, to, kMayWrite | kMayExecute));
  if (!source.is_directory) CO_TRY(check_new_file(to, move.to_name));
  const auto target = CO_TRY(co_await find_entry(partition, move.to, {move.to_name, {}}));
  proto::RenameReply reply;
  if (target) {
    if (target->id() == source.id) co_return reply;
    CO_TRY(check_target(source, move, *target));
    CO_TRY(co_await check_removal(partition, move.who, to, *target));
  }
  if (target) CO_TRY(co_await replace_target(txn, partition, move, *target));
  if (source.is_directory) {
    CO_TRY(co_await put_directory(txn, source, move));
  } else {
    auto& link = *txn.half().mutations.Add()->mutable_link_file();
    link.set_directory(move.to.value);
    link.set_name(move.to_name);
    link.set_inode(source.id.value);
  }
  // The old name goes last: a directory in which a name only changes is never empty meanwhile.
  const Duration lease = CO_TRY(co_await take_source(txn, source, move, to.bucket()));
  // Before the commit, which a duplicate of the request may learn of at once: from now on nobody
  // gets a lease on the old place.
  if (lease > Duration::zero()) CO_TRY(co_await partition->clock().sleep_for(lease));
  Image::Observed observed;
  CO_TRY(co_await txn.commit_everywhere(reply, &observed));
  fill_changes(move, &observed, &reply);
  co_return reply;
}

}  // namespace

Answer<proto::RenameReply> rename(Call call, proto::RenameRequest request) {
  const PartitionPtr partition = call.partition;
  Move move{.from = InodeId(request.from_directory()),
            .to = InodeId(request.directory()),
            .from_name = request.from_name(),
            .to_name = {},
            .who = request.who()};
  move.to_name = CO_TRY(name_to_make(request.name()));
  const Source source = CO_TRY(co_await find_source(partition, move));
  rpc::With<proto::RenameReply> reply;
  if (!source.is_directory && move.from.partition() == partition->id()) {
    auto done = CO_TRY(co_await rename_here(partition, call.id, call.received, move));
    if (done.has_value()) {
      reply.body = std::move(*done);
      co_return reply;
    }
  }
  reply.body = CO_TRY(co_await rename_anywhere(partition, std::move(call), move, source));
  co_return reply;
}

}  // namespace turbine::meta
