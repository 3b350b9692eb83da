#include "meta/file_sub_operations.hpp"

#include "meta/bucket_usage.hpp"
#include "meta/entries.hpp"
#include "meta/op_support.hpp"
#include "meta/permissions.hpp"

namespace turbine::meta {
namespace {

constexpr uint32_t kLinksMax = 32'000;

/// Locks the inode for a change into `half`.
Task<proto::Inode> lock_into(PartitionPtr partition, InodeId id, Half* half) {
  LockedInode locked = CO_TRY(co_await lock_file(partition, id, true));
  half->guards.push_back(std::move(locked.guard));
  half->locks.insert(half->locks.end(), locked.locks.begin(), locked.locks.end());
  co_return std::move(locked.inode);
}

}  // namespace

Task<> take_entry(PartitionPtr partition, proto::TakeEntry operation, bool wait, Half* half) {
  const InodeId id(operation.directory());
  const EntryName name = CO_TRY(co_await resolve_name(partition, id, operation.name()));
  proto::Inode directory;
  if (operation.stays()) {
    CO_TRY(co_await take_locks(partition, {lock_present(id, false), lock_name(id, name.name)}, wait,
                               half));
    directory = CO_TRY(co_await find_directory(partition, id));
  } else {
    directory = CO_TRY(co_await lock_removal(partition, id, name.name, {}, wait, half)).directory;
  }
  const auto entry = CO_TRY(co_await find_entry(partition, id, name));
  if (!entry || entry->id().value != operation.child() ||
      entry->is_directory != operation.is_directory()) {
    co_return fail(Errc::busy, "{} was moved meanwhile", operation.name());
  }
  if (directory.bucket() != operation.bucket()) {
    co_return fail(Errc::cross_device, "{} can't move to another bucket: copy it",
                   operation.name());
  }
  CO_TRY(co_await check_removal(partition, operation.who(), directory, *entry));
  if (entry->is_directory) {
    auto& unlink = *half->mutations.Add()->mutable_unlink_directory();
    unlink.set_directory(operation.directory());
    unlink.set_name(name.name);
    unlink.set_keep_directory(true);
    // The name is locked: no lease on it begins from here on.
    const Duration left = partition->binding_leases().left(id, name.name, partition->clock().now(),
                                                           partition->led_since());
    half->result.set_lease_ms(
        static_cast<uint64_t>(std::chrono::ceil<std::chrono::milliseconds>(left).count()));
    co_return Result<>{};
  }
  if (entry->dirent.has_file()) {
    // Who knows the file by its number waits for the outcome.
    CO_TRY(lock_late(*partition, lock_inode(entry->id(), true), half));
    half->mutations.Add()->mutable_promote_file()->set_inode(operation.child());
    half->mutations.Add()->mutable_change_links()->set_inode(operation.child());
  }
  auto& unlink = *half->mutations.Add()->mutable_unlink_file();
  unlink.set_directory(operation.directory());
  unlink.set_name(name.name);
  unlink.set_keep_directory(true);
  co_return Result<>{};
}

Task<> add_link(PartitionPtr partition, proto::AddLink operation, Half* half) {
  proto::Inode inode = CO_TRY(co_await lock_into(partition, InodeId(operation.inode()), half));
  if (inode.type() == proto::FILE_DIRECTORY) {
    co_return fail(Errc::not_permitted, "a directory can't have a second name");
  }
  if (inode.bucket() != operation.bucket()) {
    co_return fail(Errc::cross_device, "inode {:x} is in another bucket: copy it", inode.id());
  }
  if (inode.link_count() >= kLinksMax) {
    co_return fail(Errc::too_many_links, "inode {:x} has {} names already", inode.id(),
                   inode.link_count());
  }
  half->mutations.Add()->mutable_promote_file()->set_inode(operation.inode());
  auto& change = *half->mutations.Add()->mutable_change_links();
  change.set_inode(operation.inode());
  change.set_by(1);
  inode.set_link_count(inode.link_count() + 1);
  *half->result.mutable_inode() = std::move(inode);
  co_return Result<>{};
}

Task<> drop_link(PartitionPtr partition, proto::DropLink operation, Half* half) {
  const proto::Inode inode =
      CO_TRY(co_await lock_into(partition, InodeId(operation.inode()), half));
  if (operation.has_condition()) CO_TRY(check_condition(operation.condition(), &inode));
  if (inode.link_count() > 1) {
    auto& change = *half->mutations.Add()->mutable_change_links();
    change.set_inode(operation.inode());
    change.set_by(-1);
    co_return Result<>{};
  }
  CO_TRY(add_charge(*partition, inode.bucket(), -static_cast<int64_t>(inode.size()), half));
  half->mutations.Add()->mutable_remove_inode()->set_inode(operation.inode());
  release_content(*partition, inode.content(), half);
  co_return Result<>{};
}

Task<> set_parent(PartitionPtr partition, proto::SetParent operation, Half* half) {
  const proto::Inode inode =
      CO_TRY(co_await lock_into(partition, InodeId(operation.inode()), half));
  // Its entry ".." changes.
  if (operation.has_who()) CO_TRY(check_access(operation.who(), inode, kMayWrite));
  auto& set = *half->mutations.Add()->mutable_set_parent();
  set.set_inode(operation.inode());
  set.set_parent(operation.parent());
  set.set_name(operation.name());
  co_return Result<>{};
}

Task<> lock_renames(PartitionPtr partition, bool wait, Half* half) {
  // No entry has this name.
  return take_locks(std::move(partition), {lock_name(kRootInode, "/")}, wait, half);
}

Task<> replace_file(PartitionPtr partition, proto::ReplaceFile operation, Half* half) {
  NewFile file;
  file.old = CO_TRY(co_await lock_into(partition, InodeId(operation.inode()), half));
  file.own_row = true;
  if (operation.has_condition()) CO_TRY(check_condition(operation.condition(), &*file.old));
  file.attributes = operation.file();
  file.size = operation.content().size();
  if (operation.parts_size() > 0) {
    file.parts.assign(operation.parts().begin(), operation.parts().end());
    file.content = partition->next_number().value;
  } else {
    file.content = CO_TRY(take_content(partition, operation.content(), operation.inline_data(),
                                       SessionId(operation.session()), half));
  }
  *half->result.mutable_inode() = CO_TRY(put_new_file(*partition, file, half));
  co_return Result<>{};
}

}  // namespace turbine::meta
