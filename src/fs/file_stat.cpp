#include "fs/file_stat.hpp"

namespace turbine::fs {
namespace {

constexpr uint64_t kDirectoryBytes = 4096;

}  // namespace

FileType to_file_type(proto::FileType type) {
  switch (type) {
    case proto::FILE_DIRECTORY:
      return FileType::directory;
    case proto::FILE_SYMLINK:
      return FileType::symlink;
    case proto::FILE_FIFO:
      return FileType::fifo;
    case proto::FILE_BLOCK:
      return FileType::block;
    case proto::FILE_CHARACTER:
      return FileType::character;
    case proto::FILE_SOCKET:
      return FileType::socket;
    default:
      return FileType::regular;
  }
}

proto::FileType to_proto(FileType type) {
  switch (type) {
    case FileType::regular:
      return proto::FILE_REGULAR;
    case FileType::directory:
      return proto::FILE_DIRECTORY;
    case FileType::symlink:
      return proto::FILE_SYMLINK;
    case FileType::block:
      return proto::FILE_BLOCK;
    case FileType::character:
      return proto::FILE_CHARACTER;
    case FileType::socket:
      return proto::FILE_SOCKET;
    case FileType::fifo:
      return proto::FILE_FIFO;
  }
  return proto::FILE_NONE;
}

FileStat to_file_stat(const proto::Inode& inode) {
  FileStat stat;
  stat.id = InodeId(inode.id());
  stat.type = to_file_type(inode.type());
  stat.mode = inode.mode();
  stat.uid = inode.uid();
  stat.gid = inode.gid();
  if (stat.type == FileType::directory) {
    stat.links = 2 + inode.directory_count();
    stat.size = kDirectoryBytes;
    stat.used_bytes = kDirectoryBytes;
  } else {
    stat.links = inode.link_count();
    stat.size = inode.size();
    stat.used_bytes = inode.size() - std::min(inode.size(), inode.hole_bytes());
  }
  stat.device_major = inode.device_major();
  stat.device_minor = inode.device_minor();
  stat.accessed_ns = inode.atime_ns();
  stat.modified_ns = inode.mtime_ns();
  stat.changed_ns = inode.ctime_ns();
  return stat;
}

FileChange to_file_change(const proto::InodeChange& change) {
  FileChange to;
  if (!change.has_after()) return to;
  to.after = to_file_stat(change.after());
  if (change.ctime_before_ns() == 0) return to;
  const bool directory = to.after->type == FileType::directory;
  to.before = FileChange::Before{.size = directory ? kDirectoryBytes : change.size_before(),
                                 .modified_ns = change.mtime_before_ns(),
                                 .changed_ns = change.ctime_before_ns()};
  return to;
}

proto::Credentials to_proto(const Credentials& who) {
  proto::Credentials to;
  to.set_uid(who.uid);
  to.set_gid(who.gid);
  for (const uint32_t group : who.groups) to.add_groups(group);
  return to;
}

void fill_time(proto::NewTime& to, const NewStat::Time& from) {
  to.set_now(from.now);
  to.set_ns(from.ns);
}

}  // namespace turbine::fs
