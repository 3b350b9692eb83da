// LOOKUP, GET_EXTENTS, RELEASE_PIN: names to inodes and to the places of their bytes.
#include <algorithm>

#include "meta/entries.hpp"
#include "meta/op_support.hpp"
#include "meta/operations.hpp"
#include "meta/permissions.hpp"

namespace turbine::meta {
namespace {

uint64_t pin_content(Partition& partition, const proto::Inode& inode, SessionId session) {
  return partition.pins().add({.session = session,
                               .inode = InodeId(inode.id()),
                               .content = inode.content(),
                               .content_version = inode.content_version(),
                               .size = inode.size(),
                               .lsn = partition.image().applied_lsn().value,
                               .taken = partition.clock().now()});
}

Result<Buffer> fill_content(Partition& partition, uint64_t content, uint64_t size,
                            uint64_t content_version, uint64_t offset, uint64_t length,
                            proto::Content* out) {
  const uint64_t left = offset < size ? size - offset : 0;
  ContentPiece piece = TRY(read_content(partition, content, size, offset, std::min(length, left)));
  *out = std::move(piece.content);
  out->set_content_version(content_version);
  return std::move(piece.payload);
}

/// Leaves out the parts that have no byte in the range.
void keep_parts_in(uint64_t offset, uint64_t length, proto::Inode* inode) {
  auto& parts = *inode->mutable_parts();
  const auto outside = [&](const proto::PartRef& part) {
    return part.offset() + part.length() <= offset ||
           (part.offset() >= offset && part.offset() - offset >= length);
  };
  parts.erase(std::remove_if(parts.begin(), parts.end(), outside), parts.end());
}

/// As find_inode(), without a suspension; blocks on a cold record.
Result<proto::Inode> read_inode(const Partition& partition, InodeId id) {
  auto record = TRY(read_record<proto::InodeRecord>(partition.kv(), partition.keys().inode(id)));
  if (!record.has_value()) return fail(Errc::stale, "inode {} is gone", id);
  if (record->has_inode()) return std::move(*record->mutable_inode());
  auto dirent = TRY(read_record<proto::Dirent>(
      partition.kv(),
      partition.keys().dirent(InodeId(record->directory()), record->name(), false)));
  if (!dirent.has_value() || dirent->file().id() != id.value) {
    return fail(Errc::stale, "inode {} is gone", id);
  }
  return std::move(*dirent->mutable_file());
}

/// The name as files show it.
Answer<proto::LookupReply> lookup_file(Call call, proto::LookupRequest request) {
  const PartitionPtr partition = call.partition;
  const InodeId directory(request.directory());
  rpc::With<proto::LookupReply> reply;
  *reply.body.mutable_directory() = CO_TRY(co_await find_settled_directory(partition, directory));
  CO_TRY(check_access(request.who(), reply.body.directory(), kMayExecute));
  const EntryName name = CO_TRY(co_await resolve_name(partition, directory, request.name()));
  CO_TRY(co_await partition->wait_settled(
      {lock_name(directory, name.name).key, lock_present(directory, true).key}));
  auto entry = CO_TRY(co_await find_entry(partition, directory, name));
  if (!entry) co_return fail(Errc::not_found, "there is no {}", request.name());
  proto::Inode& inode = *reply.body.mutable_inode();
  const InodeId id = entry->id();
  if (entry->dirent.has_file() && !partition->is_prepared({lock_inode(id, true).key}, {})) {
    inode.Swap(entry->dirent.mutable_file());
    co_return reply;
  }
  if (id.partition() == partition->id()) {
    CO_TRY(
        co_await partition->wait_settled({lock_inode(id, true).key, lock_present(id, true).key}));
    inode = CO_TRY(co_await find_inode(partition, id));
    co_return reply;
  }
  inode.set_id(id.value);
  inode.set_type(entry->is_directory ? proto::FILE_DIRECTORY : proto::FILE_NONE);
  reply.body.set_elsewhere(true);
  co_return reply;
}

}  // namespace

Answer<proto::LookupReply> lookup(Call call, proto::LookupRequest request) {
  if (request.has_who()) co_return co_await lookup_file(std::move(call), std::move(request));
  const PartitionPtr partition = call.partition;
  const InodeId directory(request.directory());
  CO_TRY(co_await partition->wait_settled(
      {lock_name(directory, request.name()).key, lock_present(directory, true).key}));
  const Lsn seen = partition->image().applied_lsn();
  auto dirent =
      CO_TRY(co_await find_dirent(partition, directory, request.name(), request.want_directory()));
  if (!dirent.has_value()) {
    CO_TRY(co_await find_directory(partition, directory));  // stale, if it is that
    co_return fail(Errc::not_found, "no such name");
  }
  // No suspension from here on: inode, content and pin, or name and lease, are of one moment.
  if (partition->image().applied_lsn() != seen) {
    dirent = CO_TRY(read_record<proto::Dirent>(
        partition->kv(),
        partition->keys().dirent(directory, request.name(), request.want_directory())));
  }
  if (!dirent.has_value()) co_return fail(Errc::not_found, "no such name");
  rpc::With<proto::LookupReply> reply;
  if (request.want_directory()) {
    reply.body.mutable_inode()->set_id(dirent->directory());
    reply.body.mutable_inode()->set_type(proto::FILE_DIRECTORY);
    LockRequest stays = lock_name(directory, request.name());
    stays.exclusive = false;
    // Who moves it waits for the leases that were given, and no other may begin.
    if (partition->locks().try_acquire({stays}).has_value()) {
      partition->binding_leases().give(directory, request.name(), partition->clock().now());
      reply.body.set_lease_ms(static_cast<uint64_t>(
          std::chrono::duration_cast<std::chrono::milliseconds>(kBindingLease).count()));
    }
    co_return reply;
  }
  if (!dirent->has_file()) {
    reply.body.mutable_inode()->set_id(dirent->link());
    reply.body.set_elsewhere(true);
    co_return reply;
  }
  if (dirent->file().type() != proto::FILE_REGULAR) {
    co_return fail(Errc::not_found, "that name is no object's");
  }
  proto::Inode& inode = *dirent->mutable_file();
  CO_TRY(add_part_table(*partition, &inode));
  if (request.want_content()) {
    reply.payload =
        CO_TRY(fill_content(*partition, inode.content(), inode.size(), inode.content_version(),
                            request.offset(), request.length(), reply.body.mutable_content()));
  }
  if (request.pin()) {
    reply.body.set_pin(pin_content(*partition, inode, SessionId(request.session())));
  }
  *reply.body.mutable_inode() = std::move(inode);
  co_return reply;
}

Answer<proto::GetExtentsReply> get_extents(Call call, proto::GetExtentsRequest request) {
  const PartitionPtr partition = call.partition;
  const InodeId id(request.inode());
  CO_TRY(co_await partition->wait_settled({lock_inode(id, true).key, lock_present(id, true).key}));
  rpc::With<proto::GetExtentsReply> reply;
  const Lsn before = partition->applied_lsn();
  Result<proto::Inode> inode = co_await find_inode(partition, id);  // a cold one comes into memory
  // No suspension from here on: an inode read earlier may name a content released since, whose
  // missing records would be taken for a hole.
  if (partition->applied_lsn() != before) inode = read_inode(*partition, id);
  const bool same = inode.ok() && (request.content_version() == 0 ||
                                   request.content_version() == inode->content_version());
  if (!same) {
    const Pins::Pin* pin = partition->pins().find(id, request.content_version());
    // A pin keeps a content that was replaced, not one that was changed in place.
    if (pin == nullptr || (inode.ok() && pin->content == inode->content())) {
      if (!inode.ok()) co_return fail(inode.error());
      co_return fail(Errc::conflict, "inode {} changed: version {} is asked, {} is current", id,
                     request.content_version(), inode->content_version());
    }
    // The pin keeps stripes and records; but those of a content of few runs are gone when the pin
    // came while the entry that let go of it was on its way. That must not be taken for a hole.
    const std::string runs = partition->keys().contents(pin->content);
    const auto first = partition->kv().scan(runs, prefix_end(runs));
    CO_TRY(first->status());
    if (!first->valid()) {
      co_return fail(Errc::conflict, "inode {} changed: version {} has been released", id,
                     request.content_version());
    }
    reply.payload =
        CO_TRY(fill_content(*partition, pin->content, pin->size, pin->content_version,
                            request.offset(), request.length(), reply.body.mutable_content()));
    co_return reply;
  }
  if (inode->type() == proto::FILE_REGULAR) {
    CO_TRY(add_part_table(*partition, &*inode));
    if (request.length() > 0) keep_parts_in(request.offset(), request.length(), &*inode);
    reply.payload =
        CO_TRY(fill_content(*partition, inode->content(), inode->size(), inode->content_version(),
                            request.offset(), request.length(), reply.body.mutable_content()));
    if (request.pin()) {
      reply.body.set_pin(pin_content(*partition, *inode, SessionId(request.session())));
    }
  }
  *reply.body.mutable_inode() = std::move(*inode);
  co_return reply;
}

Answer<proto::ReleasePinReply> release_pin(Call call, proto::ReleasePinRequest request) {
  for (const uint64_t pin : request.pins()) {
    call.partition->pins().release(SessionId(request.session()), pin);
  }
  co_return rpc::With<proto::ReleasePinReply>{};
}

}  // namespace turbine::meta
