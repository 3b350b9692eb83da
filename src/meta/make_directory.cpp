// MAKE_DIRECTORY, REMOVE_DIRECTORY, SET_DIRECTORY_SETTINGS. A bucket is a directory in the root.
#include "meta/entries.hpp"
#include "meta/op_support.hpp"
#include "meta/operations.hpp"
#include "meta/permissions.hpp"
#include "meta/transaction.hpp"

namespace turbine::meta {

Answer<proto::MakeDirectoryReply> make_directory(Call call, proto::MakeDirectoryRequest request) {
  const PartitionPtr partition = call.partition;
  const InodeId directory(request.directory());
  if (request.has_who()) *request.mutable_name() = CO_TRY(name_to_make(request.name()));
  CO_TRY(check_name(request.name()));
  Transaction txn(partition, call.id, call.received);
  txn.half().guards.push_back(CO_TRY(co_await partition->locks().acquire_until(
      {lock_present(directory, false), lock_name(directory, request.name())}, partition->clock(),
      partition->clock().now() + partition->options().lock_wait)));
  const proto::Inode parent = CO_TRY(co_await find_directory(partition, directory));
  if (request.has_who()) CO_TRY(check_access(request.who(), parent, kMayExecute));
  for (const bool is_directory : {true, false}) {
    const auto there =
        CO_TRY(co_await find_dirent(partition, directory, request.name(), is_directory));
    if (there.has_value()) co_return fail(Errc::exists, "the name {} is taken", request.name());
  }
  proto::SubOperation insert;
  proto::InsertTree& tree = *insert.mutable_insert_tree();
  tree.set_parent(request.directory());
  *tree.add_names() = request.name();
  proto::Inode& attributes = *tree.mutable_attributes();
  attributes.set_type(proto::FILE_DIRECTORY);
  attributes.set_bucket(parent.bucket());
  attributes.set_mode(request.mode());
  attributes.set_uid(request.uid());
  attributes.set_gid(request.gid());
  attributes.set_owner_user(request.owner_user());
  if (request.has_who()) {
    CO_TRY(check_access(request.who(), parent, kMayWrite));
    AskedOwner asked;
    if (request.has_uid()) asked.uid = request.uid();
    if (request.has_gid()) asked.gid = request.gid();
    CO_TRY(set_new_owner(request.who(), parent, asked, &attributes));
    attributes.set_owner_user(parent.owner_user());
  }
  *attributes.mutable_settings() = request.settings();
  const PartitionId target = partition->seams().map.get()->partition_for(directory, request.name());
  auto made = CO_TRY(co_await txn.prepare(target, std::move(insert)));
  auto& link = *txn.half().mutations.Add()->mutable_link_directory();
  link.set_directory(request.directory());
  link.set_name(request.name());
  link.set_child(made.first_directory());
  rpc::With<proto::MakeDirectoryReply> reply;
  *reply.body.mutable_inode() = std::move(*made.mutable_inode());
  Image::Observed observed;
  CO_TRY(co_await txn.commit(reply.body, request.has_who() ? &observed : nullptr));
  if (request.has_who()) *reply.body.mutable_directory() = std::move(observed[directory]);
  co_return reply;
}

Answer<proto::RemoveDirectoryReply> remove_directory(Call call,
                                                     proto::RemoveDirectoryRequest request) {
  const PartitionPtr partition = call.partition;
  const InodeId directory(request.directory());
  if (request.has_who()) {
    const proto::Inode parent = CO_TRY(co_await find_settled_directory(partition, directory));
    CO_TRY(check_access(request.who(), parent, kMayExecute));
    const EntryName name = CO_TRY(co_await resolve_name(partition, directory, request.name()));
    if (!name.is_directory.value_or(true)) {
      co_return fail(Errc::not_directory, "{} is not a directory", request.name());
    }
    *request.mutable_name() = name.name;
  }
  CO_TRY(check_name(request.name()));
  CO_TRY(co_await partition->wait_settled(
      {lock_present(directory, true).key, lock_name(directory, request.name()).key}));
  const auto dirent = CO_TRY(co_await find_dirent(partition, directory, request.name(), true));
  if (!dirent.has_value()) {
    CO_TRY(co_await find_directory(partition, directory));
    const auto file = CO_TRY(co_await find_dirent(partition, directory, request.name(), false));
    if (request.has_who() && file.has_value()) {
      co_return fail(Errc::not_directory, "{} is not a directory", request.name());
    }
    co_return fail(Errc::not_found, "there is no directory {}", request.name());
  }
  if (request.has_who()) {
    const proto::Inode parent = CO_TRY(co_await find_directory(partition, directory));
    CO_TRY(
        co_await check_removal(partition, request.who(), parent, {request.name(), true, *dirent}));
  }
  Transaction txn(partition, call.id, call.received);
  proto::RemoveEntry entry;
  entry.set_directory(request.directory());
  entry.set_name(request.name());
  entry.set_child(dirent->directory());
  entry.set_keep_directory(request.has_who());
  // The request's own keys: waited for. Nothing is held yet.
  CO_TRY(co_await prepare_removal(partition, entry, true, &txn.half()));
  proto::SubResult result = std::move(txn.half().result);
  proto::SubOperation remove;
  remove.mutable_remove_empty_directory()->set_directory(dirent->directory());
  remove.mutable_remove_empty_directory()->set_abort_uploads(true);
  CO_TRY(co_await txn.prepare(InodeId(dirent->directory()).partition(), std::move(remove)));
  while (result.has_next()) {
    proto::SubOperation upwards;
    *upwards.mutable_remove_entry() = result.next();
    result = CO_TRY(
        co_await txn.prepare(InodeId(result.next().directory()).partition(), std::move(upwards)));
  }
  rpc::With<proto::RemoveDirectoryReply> reply;
  Image::Observed observed;
  CO_TRY(co_await txn.commit(reply.body, request.has_who() ? &observed : nullptr));
  if (request.has_who()) *reply.body.mutable_directory() = std::move(observed[directory]);
  co_return reply;
}

Answer<proto::SetDirectorySettingsReply> set_directory_settings(
    Call call, proto::SetDirectorySettingsRequest request) {
  const PartitionPtr partition = call.partition;
  const InodeId id(request.inode());
  Half half;
  half.guards.push_back(CO_TRY(co_await partition->locks().acquire_until(
      {lock_present(id, false), lock_inode(id, true)}, partition->clock(),
      partition->clock().now() + partition->options().lock_wait)));
  rpc::With<proto::SetDirectorySettingsReply> reply;
  *reply.body.mutable_inode() = CO_TRY(co_await find_directory(partition, id));
  *reply.body.mutable_inode()->mutable_settings() = request.settings();
  auto& set = *half.mutations.Add()->mutable_set_settings();
  set.set_inode(request.inode());
  *set.mutable_settings() = request.settings();
  CO_TRY(co_await partition->commit(make_entry(call.id, reply.body, &half)));
  co_return reply;
}

}  // namespace turbine::meta
