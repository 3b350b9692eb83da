// CREATE_FILE: an empty regular file, a symbolic link or a special file.
#include "meta/bucket_usage.hpp"
#include "meta/entries.hpp"
#include "meta/file_limits.hpp"
#include "meta/op_support.hpp"
#include "meta/operations.hpp"
#include "meta/permissions.hpp"
#include "meta/transaction.hpp"

namespace turbine::meta {
namespace {

constexpr size_t kTargetBytesMax = 4096;

/// The answer about an entry that is there already.
Task<proto::CreateFileReply> take_existing(PartitionPtr partition, proto::CreateFileRequest request,
                                           Entry entry) {
  const auto taken = [&] { return fail(Errc::exists, "the name {} is taken", request.name()); };
  const bool guarded = request.mode_of_creation() == proto::CREATE_GUARDED;
  if (entry.is_directory || request.type() != proto::FILE_REGULAR || guarded) co_return taken();
  proto::CreateFileReply reply;
  reply.set_existed(true);
  proto::Inode& inode = *reply.mutable_inode();
  if (entry.dirent.has_file()) {
    inode.Swap(entry.dirent.mutable_file());
  } else {
    inode = CO_TRY(co_await fetch_inode(partition, entry.id()));
  }
  if (inode.type() != proto::FILE_REGULAR) co_return taken();
  const bool same = inode.has_create_verifier() && inode.create_verifier() == request.verifier();
  if (request.mode_of_creation() == proto::CREATE_EXCLUSIVE && !same) co_return taken();
  co_return reply;
}

Result<proto::Inode> new_inode(Partition& partition, const proto::CreateFileRequest& request,
                               const proto::Inode& directory) {
  proto::Inode inode;
  inode.set_id(partition.next_number().value);
  inode.set_type(request.type());
  const uint32_t mode = request.type() == proto::FILE_SYMLINK ? 0777 : 0644;
  inode.set_mode((request.has_mode() ? request.mode() : mode) & kModeMask);
  AskedOwner asked;
  if (request.has_uid()) asked.uid = request.uid();
  if (request.has_gid()) asked.gid = request.gid();
  TRY(set_new_owner(request.who(), directory, asked, &inode));
  inode.set_owner_user(directory.owner_user());
  inode.set_bucket(directory.bucket());
  inode.set_link_count(1);
  inode.set_change(1);
  inode.set_content_version(1);
  const int64_t time = partition.time_after(0);
  const auto time_of = [&](bool given, const proto::NewTime& asked_time) {
    return given && !asked_time.now() ? asked_time.ns() : time;
  };
  inode.set_atime_ns(time_of(request.has_atime(), request.atime()));
  inode.set_mtime_ns(time_of(request.has_mtime(), request.mtime()));
  inode.set_ctime_ns(time);
  inode.set_content_time_ns(time);
  if (request.type() == proto::FILE_REGULAR) inode.set_content(partition.next_number().value);
  if (request.mode_of_creation() == proto::CREATE_EXCLUSIVE) {
    inode.set_create_verifier(request.verifier());
  }
  if (request.type() == proto::FILE_SYMLINK) {
    inode.set_symlink_target(request.symlink_target());
    inode.set_size(request.symlink_target().size());
  }
  inode.set_device_major(request.device_major());
  inode.set_device_minor(request.device_minor());
  return inode;
}

}  // namespace

Answer<proto::CreateFileReply> create_file(Call call, proto::CreateFileRequest request) {
  const PartitionPtr partition = call.partition;
  const InodeId id(request.directory());
  const std::string name = CO_TRY(name_to_make(request.name()));
  if (request.symlink_target().size() > kTargetBytesMax) {
    co_return fail(Errc::name_too_long, "a symbolic link to a name of {} bytes; {} are allowed",
                   request.symlink_target().size(), kTargetBytesMax);
  }
  Half half;
  CO_TRY(
      co_await take_locks(partition, {lock_present(id, false), lock_name(id, name)}, true, &half));
  const proto::Inode directory = CO_TRY(co_await find_directory(partition, id));
  CO_TRY(check_access(request.who(), directory, kMayExecute));
  auto there = CO_TRY(co_await find_entry(partition, id, {name, {}}));
  rpc::With<proto::CreateFileReply> reply;
  if (there.has_value()) {
    reply.body = CO_TRY(co_await take_existing(partition, request, std::move(*there)));
    co_return reply;
  }
  CO_TRY(check_new_file(directory, name));
  CO_TRY(check_access(request.who(), directory, kMayWrite));
  proto::PutFileMutation& put = *half.mutations.Add()->mutable_put_file();
  put.set_directory(id.value);
  put.set_name(name);
  put.set_added(true);
  *put.mutable_inode() = CO_TRY(new_inode(*partition, request, directory));
  *reply.body.mutable_inode() = put.inode();
  CO_TRY(
      add_charge(*partition, directory.bucket(), static_cast<int64_t>(put.inode().size()), &half));
  Image::Observed observed;
  CO_TRY(co_await commit_half(partition, call.id, call.received, reply.body, &half, &observed));
  *reply.body.mutable_directory() = std::move(observed[id]);
  co_return reply;
}

}  // namespace turbine::meta
