#include "fs/file_names.hpp"

#include <utility>

#include "fs/bucket_name.hpp"
#include "fs/buckets.hpp"
#include "fs/file_stat.hpp"
#include "meta/directory_page.hpp"
#include "meta/permissions.hpp"
#include "meta/shown_name.hpp"
#include "proto/meta_log.pb.h"

namespace turbine::fs {
namespace {

constexpr size_t kNameBytesMax = 255;

Result<> check_name(const std::string& name) {
  if (name.size() > kNameBytesMax) {
    return fail(Errc::name_too_long, "a name of {} bytes; {} are allowed", name.size(),
                kNameBytesMax);
  }
  if (name.empty() || name.find('/') != std::string::npos || name.find('\0') != std::string::npos) {
    return fail(Errc::invalid, "a name must not be empty, nor hold a slash or NUL");
  }
  return {};
}

bool is_dots(const std::string& name) {
  return name == "." || name == "..";
}

/// Of what is to be removed or renamed.
Result<> check_entry(const std::string& name) {
  TRY(check_name(name));
  if (is_dots(name)) return fail(Errc::invalid, "the entry {} stays where it is", name);
  return {};
}

/// Buckets are made, renamed and removed like directories; nothing else is in the root.
Result<> check_place(InodeId directory, const std::string& name, bool is_directory) {
  TRY(check_name(name));
  if (is_dots(name)) return fail(Errc::exists, "the name {} is taken", name);
  if (directory != kRootInode) return {};
  if (is_directory && is_valid_new_bucket_name(name)) return {};
  return fail(Errc::denied, "only buckets are in the root, and {} is no bucket's name: {}", name,
              kBucketNameRule);
}

/// The second of two requests that one call of a client makes.
CallContext second(CallContext call) {
  call.request.sequence ^= uint64_t{1} << 63U;
  return call;
}

template <class Reply, class Body>
Task<rpc::With<Reply>> mutate(const CorePtr& core, const CallContext& call, PartitionId partition,
                              int type, Body body) {
  return core->partitions.call<Reply>(partition, type, std::move(body), {}, call.request,
                                      call.received);
}

/// What a call asks of the file that it has just made; a copy of the call finds it done.
Task<FileStat> change_new(CorePtr core, CallContext call, Credentials who, InodeId file,
                          NewStat stat) {
  const FileChange change =
      CO_TRY(co_await set_file_stat(core, second(call), std::move(who), file, stat, {}));
  if (change.after) co_return *change.after;
  co_return to_file_stat(CO_TRY(co_await fetch_inode(core, file)));
}

}  // namespace

Task<proto::Inode> fetch_inode(CorePtr core, InodeId file) {
  proto::GetExtentsRequest request;
  request.set_inode(file.value);
  auto reply = CO_TRY(co_await core->ask<proto::GetExtentsReply>(
      file.partition(), proto::GET_EXTENTS, std::move(request)));
  co_return std::move(*reply.body.mutable_inode());
}

Task<FoundFile> lookup_file(CorePtr core, Credentials who, InodeId directory, std::string name) {
  FoundFile found;
  if (name == "." || name == "..") {
    const proto::Inode inode = CO_TRY(co_await fetch_inode(core, directory));
    if (inode.type() != proto::FILE_DIRECTORY) {
      co_return fail(Errc::not_directory, "inode {} is not a directory", directory);
    }
    CO_TRY(meta::check_access(to_proto(who), inode, meta::kMayExecute));
    found.directory = to_file_stat(inode);
    const InodeId parent(inode.parent());
    if (name == "." || directory == kRootInode || parent.value == 0) {
      found.file = *found.directory;
    } else {
      found.file = to_file_stat(CO_TRY(co_await fetch_inode(core, parent)));
    }
    co_return found;
  }
  CO_TRY(check_name(name));
  proto::LookupRequest request;
  request.set_directory(directory.value);
  request.set_name(std::move(name));
  *request.mutable_who() = to_proto(who);
  const auto reply = CO_TRY(co_await core->ask<proto::LookupReply>(
      directory.partition(), proto::LOOKUP, std::move(request)));
  found.directory = to_file_stat(reply.body.directory());
  if (!reply.body.elsewhere()) {
    found.file = to_file_stat(reply.body.inode());
    co_return found;
  }
  auto inode = co_await fetch_inode(core, InodeId(reply.body.inode().id()));
  if (inode.failed_with(Errc::stale)) co_return fail(Errc::not_found, "it was just removed");
  if (!inode.ok()) co_return fail(std::move(inode).error());
  found.file = to_file_stat(*inode);
  co_return found;
}

Task<MadeFile> create_file(CorePtr core, CallContext call, Credentials who, NewFileRequest request,
                           FileType type) {
  CO_TRY(check_place(request.directory, request.name, false));
  proto::CreateFileRequest create;
  create.set_directory(request.directory.value);
  create.set_name(request.name);
  *create.mutable_who() = to_proto(who);
  create.set_type(to_proto(type));
  create.set_mode_of_creation(static_cast<proto::CreateMode>(request.mode));
  create.set_verifier(request.verifier);
  const NewStat& stat = request.attributes;
  if (stat.mode) create.set_mode(*stat.mode);
  if (stat.uid) create.set_uid(*stat.uid);
  if (stat.gid) create.set_gid(*stat.gid);
  if (stat.accessed) fill_time(*create.mutable_atime(), *stat.accessed);
  if (stat.modified) fill_time(*create.mutable_mtime(), *stat.modified);
  create.set_symlink_target(request.target);
  create.set_device_major(request.device_major);
  create.set_device_minor(request.device_minor);
  auto reply = CO_TRY(co_await mutate<proto::CreateFileReply>(
      core, call, request.directory.partition(), proto::CREATE_FILE, std::move(create)));
  MadeFile made{to_file_stat(reply.body.inode()), to_file_change(reply.body.directory())};
  const bool resize = stat.size && (*stat.size == 0 || !reply.body.existed());
  const bool of_parts = reply.body.inode().part_count() > 0;
  if (type == FileType::regular && resize && (*stat.size != made.file.size || of_parts)) {
    NewStat size;
    size.size = stat.size;
    // The length of a new file is part of its making: it takes no right, nor the set-id bits away.
    if (!reply.body.existed()) who = {};
    made.file = CO_TRY(co_await change_new(core, call, who, made.file.id, size));
  }
  co_return made;
}

Task<MadeFile> make_directory(CorePtr core, CallContext call, Credentials who,
                              NewFileRequest request) {
  CO_TRY(check_place(request.directory, request.name, true));
  proto::MakeDirectoryRequest make;
  make.set_directory(request.directory.value);
  make.set_name(request.name);
  make.set_mode(request.attributes.mode.value_or(0755));
  if (request.attributes.uid) make.set_uid(*request.attributes.uid);
  if (request.attributes.gid) make.set_gid(*request.attributes.gid);
  *make.mutable_who() = to_proto(who);
  make.set_owner_user(call.user);
  if (request.directory == kRootInode) {
    (*make.mutable_settings())[kBucketCreatedSetting] =
        fmt::format("{}", core->clock.wall_now().ns);
  }
  const auto reply = CO_TRY(co_await mutate<proto::MakeDirectoryReply>(
      core, call, request.directory.partition(), proto::MAKE_DIRECTORY, std::move(make)));
  MadeFile made{to_file_stat(reply.body.inode()), to_file_change(reply.body.directory())};
  NewStat rest = request.attributes;
  rest.mode.reset();
  rest.size.reset();
  if (rest.uid == made.file.uid) rest.uid.reset();
  if (rest.gid == made.file.gid) rest.gid.reset();
  if (rest.uid || rest.gid || rest.accessed || rest.modified) {
    made.file = CO_TRY(co_await change_new(core, call, who, made.file.id, rest));
  }
  co_return made;
}

Task<FileChange> remove_file(CorePtr core, CallContext call, Credentials who, InodeId directory,
                             std::string name) {
  CO_TRY(check_entry(name));
  proto::DeleteFileRequest request;
  request.set_directory(directory.value);
  request.set_name(std::move(name));
  request.set_session(core->session.value);
  *request.mutable_who() = to_proto(who);
  const auto reply = CO_TRY(co_await mutate<proto::DeleteFileReply>(
      core, call, directory.partition(), proto::DELETE_FILE, std::move(request)));
  co_return to_file_change(reply.body.directory());
}

Task<FileChange> remove_directory(CorePtr core, CallContext call, Credentials who,
                                  InodeId directory, std::string name) {
  CO_TRY(check_entry(name));
  proto::RemoveDirectoryRequest request;
  request.set_directory(directory.value);
  request.set_name(name);
  *request.mutable_who() = to_proto(who);
  const auto reply = CO_TRY(co_await mutate<proto::RemoveDirectoryReply>(
      core, call, directory.partition(), proto::REMOVE_DIRECTORY, std::move(request)));
  core->bindings.drop(directory, name);
  co_return to_file_change(reply.body.directory());
}

Task<Files::Renamed> rename_file(CorePtr core, CallContext call, Credentials who, InodeId from,
                                 std::string from_name, InodeId to, std::string to_name) {
  CO_TRY(check_entry(from_name));
  CO_TRY(check_entry(to_name));
  const bool of_buckets = from == kRootInode && to == kRootInode;
  CO_TRY(check_place(to, to_name, of_buckets));
  if (from == kRootInode && !of_buckets) {
    co_return fail(Errc::denied, "a bucket can't become a directory of another one");
  }
  proto::RenameRequest request;
  request.set_from_directory(from.value);
  request.set_from_name(from_name);
  request.set_directory(to.value);
  request.set_name(to_name);
  *request.mutable_who() = to_proto(who);
  const auto reply = CO_TRY(co_await mutate<proto::RenameReply>(core, call, to.partition(),
                                                                proto::RENAME, std::move(request)));
  core->bindings.drop(from, from_name);
  core->bindings.drop(to, to_name);
  co_return Files::Renamed{to_file_change(reply.body.from()), to_file_change(reply.body.to())};
}

Task<Files::Linked> link_file(CorePtr core, CallContext call, Credentials who, InodeId file,
                              InodeId directory, std::string name) {
  CO_TRY(check_place(directory, name, false));
  proto::LinkFileRequest request;
  request.set_directory(directory.value);
  request.set_name(std::move(name));
  *request.mutable_who() = to_proto(who);
  request.set_inode(file.value);
  const auto reply = CO_TRY(co_await mutate<proto::LinkFileReply>(
      core, call, directory.partition(), proto::LINK_FILE, std::move(request)));
  Files::Linked linked{to_file_stat(reply.body.inode()), to_file_change(reply.body.directory())};
  // The answer was made before the file's own partition gave it its new change time.
  auto now = co_await fetch_inode(core, file);
  if (now.ok()) linked.file = to_file_stat(*now);
  co_return linked;
}

namespace {

/// What is in other partitions is asked for there, all at once; what can't be had stays empty.
Task<> fill_stats(CorePtr core, DirectoryPage* page) {
  constexpr size_t kAskedMax = 256;
  std::vector<DirectoryPage::Entry*> bare;
  std::vector<Task<proto::Inode>> asked;
  for (DirectoryPage::Entry& entry : page->entries) {
    if (entry.file || bare.size() == kAskedMax) continue;
    bare.push_back(&entry);
    asked.push_back(fetch_inode(core, entry.id));
  }
  if (asked.empty()) co_return Result<>{};
  const auto inodes = co_await when_all(std::move(asked));
  for (size_t i = 0; i < bare.size(); ++i) {
    if (inodes[i].ok()) bare[i]->file = to_file_stat(*inodes[i]);
  }
  co_return Result<>{};
}

/// From the rows of the partition.
Result<> take_entries(const Buffer& rows, bool with_stat, DirectoryPage* page) {
  proto::Dirent dirent;  // one for all, whose memory is used again
  proto::InodeRecord record;
  for (ByteReader rest(rows.view()); !rest.empty();) {
    const meta::PageEntry row = TRY(meta::take_page_entry(rest));
    if (!dirent.ParseFromArray(row.dirent.data(), static_cast<int>(row.dirent.size())) ||
        !record.ParseFromArray(row.inode.data(), static_cast<int>(row.inode.size()))) {
      return fail(Errc::corrupt, "an entry of a directory does not parse");
    }
    DirectoryPage::Entry& entry = page->entries.emplace_back();
    const bool is_directory = row.entry_key.ends_with('/');
    std::string_view name = row.entry_key;
    if (is_directory) name.remove_suffix(1);
    entry.name = meta::show_name(name, is_directory, dirent.shadowed(), dirent.cookie());
    entry.cookie = dirent.cookie();
    entry.id = InodeId(dirent.has_file() ? dirent.file().id()
                       : is_directory    ? dirent.directory()
                                         : dirent.link());
    if (!with_stat) continue;
    // Without a type: a transaction is changing them.
    if (dirent.file().type() != proto::FILE_NONE) entry.file = to_file_stat(dirent.file());
    if (record.has_inode()) entry.file = to_file_stat(record.inode());
  }
  return {};
}

}  // namespace

Task<DirectoryPage> list_files(CorePtr core, Credentials who, DirectoryPageRequest request) {
  proto::ReadDirectoryRequest read;
  read.set_directory(request.directory.value);
  read.set_after(request.after);
  read.set_count(static_cast<uint32_t>(request.count));
  read.set_with_inodes(request.with_stat);
  *read.mutable_who() = to_proto(who);
  auto reply = CO_TRY(co_await core->ask<proto::ReadDirectoryReply>(
      request.directory.partition(), proto::READ_DIRECTORY, std::move(read)));
  DirectoryPage page;
  page.end = reply.body.end();
  page.directory = to_file_stat(reply.body.directory());
  page.parent = reply.body.directory().parent() != 0 ? InodeId(reply.body.directory().parent())
                                                     : request.directory;
  CO_TRY(take_entries(reply.payload, request.with_stat, &page));
  if (request.with_stat) CO_TRY(co_await fill_stats(core, &page));
  co_return page;
}

Task<FileChange> set_file_stat(CorePtr core, CallContext call, Credentials who, InodeId file,
                               NewStat stat, std::optional<int64_t> guard) {
  if (file == kRootInode) {
    co_return fail(Errc::denied, "the attributes of the directory of buckets can't be changed");
  }
  proto::SetAttributesRequest request;
  request.set_inode(file.value);
  *request.mutable_who() = to_proto(who);
  if (stat.mode) request.set_mode(*stat.mode);
  if (stat.uid) request.set_uid(*stat.uid);
  if (stat.gid) request.set_gid(*stat.gid);
  if (stat.size) request.set_size(*stat.size);
  if (stat.accessed) fill_time(*request.mutable_atime(), *stat.accessed);
  if (stat.modified) fill_time(*request.mutable_mtime(), *stat.modified);
  if (guard) request.set_guard_ctime_ns(*guard);
  const auto reply = CO_TRY(co_await mutate<proto::SetAttributesReply>(
      core, call, file.partition(), proto::SET_ATTRIBUTES, std::move(request)));
  co_return to_file_change(reply.body.file());
}

}  // namespace turbine::fs
