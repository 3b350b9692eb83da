// Sub-operations: what a partition can be asked to prepare.
#include <algorithm>

#include "meta/bucket_usage.hpp"
#include "meta/entries.hpp"
#include "meta/file_sub_operations.hpp"
#include "meta/op_support.hpp"
#include "meta/transaction.hpp"

namespace turbine::meta {
namespace {

proto::Inode new_directory(Partition& partition, const proto::InsertTree& tree, InodeId parent,
                           const std::string& name) {
  const proto::Inode& like = tree.attributes();
  proto::Inode inode;
  inode.set_id(partition.next_number().value);
  inode.set_type(proto::FILE_DIRECTORY);
  inode.set_mode(like.mode() != 0 || like.type() != proto::FILE_NONE ? like.mode() : 0755);
  inode.set_uid(like.uid());
  inode.set_gid(like.gid());
  inode.set_owner_user(like.owner_user());
  *inode.mutable_settings() = like.settings();
  inode.set_link_count(2);
  inode.set_implicit(tree.implicit());
  inode.set_parent(parent.value);
  inode.set_name(name);
  inode.set_bucket(parent == kRootInode ? inode.id() : like.bucket());
  inode.set_change(1);
  inode.set_next_cookie(3);
  const int64_t time = partition.time_after(0);
  inode.set_atime_ns(time);
  inode.set_mtime_ns(time);
  inode.set_ctime_ns(time);
  inode.set_content_time_ns(time);
  return inode;
}

Task<> insert_tree(PartitionPtr partition, proto::InsertTree tree, Half* half) {
  std::vector<proto::Inode> made;
  std::vector<LockRequest> locks;
  InodeId parent(tree.parent());
  for (const std::string& name : tree.names()) {
    made.push_back(new_directory(*partition, tree, parent, name));
    parent = InodeId(made.back().id());
    locks.push_back(lock_present(parent, true));
    *half->mutations.Add()->mutable_put_inode()->mutable_inode() = made.back();
  }
  if (made.empty()) co_return fail(Errc::invalid, "a tree without directories");
  // Nobody knows these yet; readers that learn of them wait until the intent is settled.
  CO_TRY(co_await take_locks(partition, std::move(locks), false, half));
  for (size_t i = 1; i < made.size(); ++i) {
    auto& link = *half->mutations.Add()->mutable_link_directory();
    link.set_directory(made[i - 1].id());
    link.set_name(made[i].name());
    link.set_child(made[i].id());
  }
  half->result.set_first_directory(made.front().id());
  half->result.set_parent(parent.value);
  *half->result.mutable_inode() = made.back();
  if (!tree.with_file()) co_return Result<>{};
  NewFile file;
  file.bucket = made.back().bucket();
  file.directory = parent;
  file.name = tree.file_name();
  file.attributes = tree.file();
  file.size = tree.content().size();
  if (tree.parts_size() > 0) {
    file.parts.assign(tree.parts().begin(), tree.parts().end());
    file.content = partition->next_number().value;
  } else {
    file.content = CO_TRY(take_content(partition, tree.content(), tree.inline_data(),
                                       SessionId(tree.session()), half));
  }
  *half->result.mutable_inode() = CO_TRY(put_new_file(*partition, file, half));
  CO_TRY(lock_late(*partition, lock_inode(InodeId(half->result.inode().id()), true), half));
  co_return Result<>{};
}

Task<> remove_empty_directory(PartitionPtr partition, proto::RemoveEmptyDirectory operation,
                              bool wait, Half* half) {
  const InodeId id(operation.directory());
  CO_TRY(co_await take_locks(partition, {lock_present(id, true)}, wait, half));
  const proto::Inode inode = CO_TRY(co_await find_directory(partition, id));
  if (inode.entry_count() > 0) {
    co_return fail(Errc::not_empty, "directory {} holds {} entries", id, inode.entry_count());
  }
  const std::string first = partition->keys().uploads(id, "");
  auto it = partition->kv().scan(first, prefix_end(first));
  for (size_t count = 0; it->valid(); it->next(), ++count) {
    if (!operation.abort_uploads() || count >= 1000) {
      co_return fail(Errc::not_empty, "directory {} has multipart uploads in progress", id);
    }
    const auto upload = CO_TRY(parse_record<proto::Upload>(it->key(), it->value()));
    auto& remove = *half->mutations.Add()->mutable_remove_upload();
    remove.set_bucket(upload.bucket());
    remove.set_key(upload.key());
    remove.set_id(upload.id());
  }
  CO_TRY(it->status());
  half->mutations.Add()->mutable_remove_inode()->set_inode(id.value);
  co_return Result<>{};
}

Task<> take_foreign_content(PartitionPtr partition, proto::TakeContent operation, Half* half) {
  const proto::NewContent& content = operation.content();
  proto::Inode inode;
  inode.set_id(partition->next_number().value);
  inode.set_type(proto::FILE_REGULAR);
  inode.set_size(content.size());
  inode.set_content_version(1);
  // Readers and the reaper that learn of it before this partition is told the outcome wait for it.
  CO_TRY(lock_late(*partition, lock_inode(InodeId(inode.id()), true), half));
  inode.set_content(CO_TRY(take_content(partition, content, operation.inline_data(),
                                        SessionId(operation.session()), half)));
  *half->mutations.Add()->mutable_put_inode()->mutable_inode() = inode;
  half->result.set_content_inode(inode.id());
  co_return Result<>{};
}

Task<> take_upload(PartitionPtr partition, proto::TakeUpload operation, bool wait, Half* half) {
  const InodeId bucket(operation.bucket());
  CO_TRY(co_await take_locks(partition, {lock_upload(bucket, operation.upload_id(), true)}, wait,
                             half));
  const std::string key = partition->keys().upload(bucket, operation.key(), operation.upload_id());
  const auto upload = CO_TRY(co_await load_record<proto::Upload>(partition->kv(), key));
  if (!upload.has_value()) co_return fail(Errc::not_found, "there is no such upload");
  auto& remove = *half->mutations.Add()->mutable_remove_upload();
  remove.set_bucket(operation.bucket());
  remove.set_key(operation.key());
  remove.set_id(operation.upload_id());
  uint64_t size = 0;
  uint32_t last = 0;
  for (const proto::CompletePart& wanted : operation.parts()) {
    const auto part = CO_TRY(co_await load_record<proto::Part>(
        partition->kv(), partition->keys().part(operation.upload_id(), wanted.number())));
    if (!part.has_value() || part->etag() != wanted.etag() || wanted.number() <= last) {
      co_return fail(Errc::invalid, "part {} is missing, out of order, or has another etag",
                     wanted.number());
    }
    last = wanted.number();
    proto::PartRef* ref = half->result.add_parts();
    ref->set_offset(size);
    ref->set_length(part->size());
    ref->set_inode(part->inode());
    size += part->size();
    remove.add_keep(part->inode());
  }
  half->result.set_size(size);
  *half->result.mutable_attributes() = upload->attributes();
  co_return Result<>{};
}

/// One level of prepare_removal: the entry goes; `*vanishes` tells that its directory does, too.
Task<proto::Inode> remove_entry(PartitionPtr partition, proto::RemoveEntry entry, bool wait,
                                Half* half, bool* vanishes) {
  const InodeId directory(entry.directory());
  RemovalLocks locked =
      CO_TRY(co_await lock_removal(partition, directory, entry.name(), {}, wait, half));
  const auto dirent = CO_TRY(co_await find_dirent(partition, directory, entry.name(), true));
  if (!dirent.has_value() || dirent->directory() != entry.child()) {
    co_return fail(Errc::stale, "directory {} is not at its place any more",
                   InodeId(entry.child()));
  }
  *vanishes = locked.last && !entry.keep_directory();
  auto& unlink = *half->mutations.Add()->mutable_unlink_directory();
  unlink.set_directory(entry.directory());
  unlink.set_name(entry.name());
  unlink.set_keep_directory(entry.keep_directory());
  co_return std::move(locked.directory);
}

}  // namespace

Task<> prepare_removal(PartitionPtr partition, proto::RemoveEntry entry, bool wait, Half* half) {
  for (;;) {
    bool vanishes = false;
    const proto::Inode inode =
        CO_TRY(co_await remove_entry(partition, entry, wait, half, &vanishes));
    if (!vanishes) co_return Result<>{};
    half->mutations.Add()->mutable_remove_inode()->set_inode(inode.id());
    entry.set_directory(inode.parent());
    entry.set_name(inode.name());
    entry.set_child(inode.id());
    if (InodeId(inode.parent()).partition() != partition->id()) {
      *half->result.mutable_next() = entry;
      co_return Result<>{};
    }
    wait = false;  // keys found late
  }
}

Task<> prepare_half(PartitionPtr partition, proto::SubOperation operation, bool wait, Half* half) {
  half->result.Clear();
  switch (operation.op_case()) {
    case proto::SubOperation::kInsertTree:
      return insert_tree(partition, std::move(*operation.mutable_insert_tree()), half);
    case proto::SubOperation::kRemoveEntry:
      return prepare_removal(partition, std::move(*operation.mutable_remove_entry()), wait, half);
    case proto::SubOperation::kRemoveEmptyDirectory:
      return remove_empty_directory(
          partition, std::move(*operation.mutable_remove_empty_directory()), wait, half);
    case proto::SubOperation::kTakeContent:
      return take_foreign_content(partition, std::move(*operation.mutable_take_content()), half);
    case proto::SubOperation::kTakeUpload:
      return take_upload(partition, std::move(*operation.mutable_take_upload()), wait, half);
    case proto::SubOperation::kTakeEntry:
      return take_entry(partition, std::move(*operation.mutable_take_entry()), wait, half);
    case proto::SubOperation::kAddLink:
      return add_link(partition, std::move(*operation.mutable_add_link()), half);
    case proto::SubOperation::kDropLink:
      return drop_link(partition, std::move(*operation.mutable_drop_link()), half);
    case proto::SubOperation::kSetParent:
      return set_parent(partition, std::move(*operation.mutable_set_parent()), half);
    case proto::SubOperation::kLockRenames:
      return lock_renames(partition, wait, half);
    case proto::SubOperation::kReplaceFile:
      return replace_file(partition, std::move(*operation.mutable_replace_file()), half);
    case proto::SubOperation::kChargeBucket:
      return charge_bucket(partition, operation.charge_bucket(), half);
    case proto::SubOperation::OP_NOT_SET:
      break;
  }
  return []() -> Task<> {
    co_return fail(Errc::unsupported, "a sub-operation this version does not know");
  }();
}

}  // namespace turbine::meta
