#include "meta/op_support.hpp"

#include <algorithm>

#include "meta/bucket_usage.hpp"
#include "meta/etag.hpp"

namespace turbine::meta {

namespace {

Result<proto::Inode> as_directory(std::optional<proto::InodeRecord> record, InodeId id) {
  if (!record.has_value()) return fail(Errc::stale, "directory {} is gone", id);
  if (record->inode().type() != proto::FILE_DIRECTORY) {
    return fail(Errc::not_directory, "inode {} is not a directory", id);
  }
  return std::move(*record->mutable_inode());
}

}  // namespace

Task<proto::Inode> find_directory(PartitionPtr partition, InodeId id) {
  auto record = CO_TRY(
      co_await load_record<proto::InodeRecord>(partition->kv(), partition->keys().inode(id)));
  co_return as_directory(std::move(record), id);
}

Task<proto::Inode> find_settled_directory(PartitionPtr partition, InodeId id) {
  CO_TRY(co_await partition->wait_settled({lock_present(id, true).key}));
  co_return co_await find_directory(partition, id);
}

Result<proto::Inode> read_directory(const Partition& partition, InodeId id) {
  auto record = TRY(read_record<proto::InodeRecord>(partition.kv(), partition.keys().inode(id)));
  return as_directory(std::move(record), id);
}

Task<std::optional<proto::Dirent>> find_dirent(PartitionPtr partition, InodeId directory,
                                               std::string name, bool is_directory) {
  co_return co_await load_record<proto::Dirent>(
      partition->kv(), partition->keys().dirent(directory, name, is_directory));
}

Task<proto::Inode> find_inode(PartitionPtr partition, InodeId id) {
  auto record = CO_TRY(
      co_await load_record<proto::InodeRecord>(partition->kv(), partition->keys().inode(id)));
  if (!record.has_value()) co_return fail(Errc::stale, "inode {} is gone", id);
  if (record->has_inode()) co_return std::move(*record->mutable_inode());
  auto dirent =
      CO_TRY(co_await find_dirent(partition, InodeId(record->directory()), record->name(), false));
  if (!dirent.has_value() || dirent->file().id() != id.value) {
    co_return fail(Errc::stale, "inode {} is gone", id);
  }
  co_return std::move(*dirent->mutable_file());
}

Task<LockedInode> lock_file(PartitionPtr partition, InodeId id, bool exclusive) {
  const TimePoint until = partition->clock().now() + partition->options().lock_wait;
  // Whoever made a directory may know it before this partition has learned that it is decided.
  CO_TRY(co_await partition->wait_settled({lock_present(id, true).key}));
  while (partition->clock().now() < until) {
    const auto record = CO_TRY(
        co_await load_record<proto::InodeRecord>(partition->kv(), partition->keys().inode(id)));
    std::vector<LockRequest> locks = {lock_inode(id, exclusive)};
    // What is not there may be a directory whose maker has not heard the outcome.
    if (!record.has_value() || record->has_inode()) {
      locks.push_back(lock_present(id, false));
    } else {
      locks.push_back(lock_name(InodeId(record->directory()), record->name()));
      locks.back().exclusive = false;
    }
    auto guard =
        CO_TRY(co_await partition->locks().acquire_until(locks, partition->clock(), until));
    const auto now = CO_TRY(
        co_await load_record<proto::InodeRecord>(partition->kv(), partition->keys().inode(id)));
    if (!now.has_value()) co_return fail(Errc::stale, "inode {} is gone", id);
    const bool same = record.has_value() && now->has_inode() == record->has_inode() &&
                      now->directory() == record->directory() && now->name() == record->name();
    if (!same) continue;  // it moved meanwhile
    co_return LockedInode{CO_TRY(co_await find_inode(partition, id)), std::move(guard),
                          std::move(locks)};
  }
  co_return fail(Errc::busy, "inode {} moves too fast", id);
}

Result<> lock_late(Partition& partition, LockRequest request, Half* half) {
  auto guard = partition.locks().try_acquire({request});
  if (!guard.has_value()) return fail(Errc::busy, "a key found late is locked by others");
  half->guards.push_back(std::move(*guard));
  half->locks.push_back(std::move(request));
  return {};
}

Result<> check_name(const std::string& name) {
  if (name.size() > kNameBytesMax) {
    return fail(Errc::name_too_long, "a name of {} bytes; {} are allowed", name.size(),
                kNameBytesMax);
  }
  if (name.find('/') != std::string::npos) {
    return fail(Errc::invalid, "a name must not hold a slash");
  }
  return {};
}

Result<> check_condition(const proto::Condition& condition, const proto::Inode* existing) {
  const auto failed = [](std::string_view which) {
    return fail(Errc::precondition_failed, "{} does not hold", which);
  };
  if (existing == nullptr) {
    if (!condition.if_match().empty()) return fail(Errc::not_found, "If-Match on no object");
    return {};
  }
  const std::string etag = effective_etag(*existing);
  if (!condition.if_match().empty()) {
    if (condition.if_match() != "*" && condition.if_match() != etag) return failed("If-Match");
  } else if (condition.if_unmodified_since_ns() != 0 &&
             existing->content_time_ns() > condition.if_unmodified_since_ns()) {
    return failed("If-Unmodified-Since");
  }
  if (!condition.if_none_match().empty()) {
    if (condition.if_none_match() == "*" || condition.if_none_match() == etag) {
      return failed("If-None-Match");
    }
  } else if (condition.if_modified_since_ns() != 0 &&
             existing->content_time_ns() <= condition.if_modified_since_ns()) {
    return failed("If-Modified-Since");
  }
  return {};
}

void release_content(const Partition& partition, uint64_t content, Half* half) {
  if (content == 0) return;  // of a symbolic link or special file
  auto& release = *half->mutations.Add()->mutable_release_content();
  release.set_content(content);
  release.set_pinned(partition.pins().holds(content));
}

Result<proto::Inode> put_new_file(Partition& partition, const NewFile& file, Half* half) {
  proto::Inode inode;
  if (file.old.has_value()) {
    const proto::Inode& old = *file.old;
    inode.set_id(old.id());
    inode.set_mode(old.mode());
    inode.set_uid(old.uid());
    inode.set_gid(old.gid());
    inode.set_link_count(old.link_count());
    inode.set_owner_user(old.owner_user());
    inode.set_bucket(old.bucket());
    inode.set_change(old.change() + 1);
    inode.set_content_version(old.content_version() + 1);
  } else {
    inode.set_id(partition.next_number().value);
    inode.set_mode(file.attributes.mode() != 0 ? file.attributes.mode() : 0644);
    inode.set_uid(file.attributes.uid());
    inode.set_gid(file.attributes.gid());
    inode.set_link_count(1);
    inode.set_owner_user(file.attributes.owner_user());
    inode.set_bucket(file.bucket);
    inode.set_change(1);
    inode.set_content_version(1);
  }
  int64_t last = 0;
  if (file.old.has_value()) last = std::max(file.old->ctime_ns(), file.old->content_time_ns());
  const int64_t time = partition.time_after(last);
  inode.set_type(proto::FILE_REGULAR);
  inode.set_size(file.size);
  inode.set_atime_ns(time);
  inode.set_mtime_ns(time);
  inode.set_ctime_ns(time);
  inode.set_content_time_ns(time);
  inode.set_etag(file.attributes.etag());
  inode.set_content_type(file.attributes.content_type());
  *inode.mutable_metadata() = file.attributes.metadata();
  inode.set_content(file.content);
  inode.set_part_count(static_cast<uint32_t>(file.parts.size()));

  const uint64_t old_size = file.old.has_value() ? file.old->size() : 0;
  TRY(add_charge(partition, inode.bucket(),
                 static_cast<int64_t>(file.size) - static_cast<int64_t>(old_size), half));
  if (file.own_row) {
    proto::ReplaceFileMutation& replace = *half->mutations.Add()->mutable_replace_file();
    *replace.mutable_inode() = inode;
    replace.set_old_size(old_size);
  } else {
    proto::PutFileMutation& put = *half->mutations.Add()->mutable_put_file();
    put.set_directory(file.directory.value);
    put.set_name(file.name);
    *put.mutable_inode() = inode;
    put.set_added(!file.old.has_value());
    put.set_make_implicit(file.make_implicit);
    put.set_old_size(old_size);
  }
  if (file.old.has_value()) release_content(partition, file.old->content(), half);
  if (!file.parts.empty()) {
    proto::PutPartsMutation& parts = *half->mutations.Add()->mutable_put_parts();
    parts.set_content(file.content);
    for (const proto::PartRef& part : file.parts) *parts.add_parts() = part;
  }
  return inode;
}

proto::LogEntry make_entry(RequestId request, const google::protobuf::MessageLite& reply,
                           Half* half) {
  proto::LogEntry entry;
  entry.set_session(request.session.value);
  entry.set_sequence(request.sequence);
  if (request.sequence != 0) entry.set_reply(reply.SerializeAsString());
  entry.mutable_mutations()->Swap(&half->mutations);
  return entry;
}

}  // namespace turbine::meta
