#include "nfs/attributes.hpp"

#include <algorithm>

namespace turbine::nfs {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr uint32_t kModeBits = 07777;

Ftype3 to_ftype3(fs::FileType type) {
  switch (type) {
    case fs::FileType::regular:
      return Ftype3::reg;
    case fs::FileType::directory:
      return Ftype3::dir;
    case fs::FileType::symlink:
      return Ftype3::lnk;
    case fs::FileType::block:
      return Ftype3::blk;
    case fs::FileType::character:
      return Ftype3::chr;
    case fs::FileType::socket:
      return Ftype3::sock;
    case fs::FileType::fifo:
      return Ftype3::fifo;
  }
  return Ftype3::reg;
}

NfsResult<std::optional<fs::NewStat::Time>> to_new_time(const SetTime& from) {
  switch (from.how) {
    case TimeHow::dont_change:
      return std::nullopt;
    case TimeHow::set_to_server_time:
      return fs::NewStat::Time{.now = true};
    case TimeHow::set_to_client_time:
      if (from.time.nseconds >= kSecond) return nfs_fail(Nfsstat3::inval);
      return fs::NewStat::Time{.now = false, .ns = to_ns(from.time)};
  }
  return nfs_fail(Nfsstat3::inval);
}

/// rwx of `who`, as in the lowest three bits of a mode.
uint32_t permission_bits(const fs::FileStat& stat, const fs::Credentials& who) {
  if (who.uid == 0) {
    const bool executable = stat.type == fs::FileType::directory || (stat.mode & 0111) != 0;
    return executable ? 7 : 6;
  }
  if (who.uid == stat.uid) return (stat.mode >> 6) & 7;
  const bool in_group =
      who.gid == stat.gid || std::ranges::find(who.groups, stat.gid) != who.groups.end();
  return (in_group ? stat.mode >> 3 : stat.mode) & 7;
}

}  // namespace

Nfstime3 to_nfstime3(int64_t ns) {
  if (ns < 0) return {};
  const int64_t seconds = ns / kSecond;
  if (seconds > UINT32_MAX) return {UINT32_MAX, kSecond - 1};
  return {static_cast<uint32_t>(seconds), static_cast<uint32_t>(ns % kSecond)};
}

int64_t to_ns(Nfstime3 time) {
  return int64_t{time.seconds} * kSecond + time.nseconds;
}

Fattr3 to_fattr3(const fs::FileStat& stat, InodeId export_root) {
  Fattr3 out;
  out.type = to_ftype3(stat.type);
  out.mode = stat.mode & kModeBits;
  out.nlink = stat.links;
  out.uid = stat.uid;
  out.gid = stat.gid;
  out.size = stat.size;
  out.used = stat.used_bytes;
  out.rdev = {stat.device_major, stat.device_minor};
  out.fsid = export_root.value;
  out.fileid = stat.id.value;
  out.atime = to_nfstime3(stat.accessed_ns);
  out.mtime = to_nfstime3(stat.modified_ns);
  out.ctime = to_nfstime3(stat.changed_ns);
  return out;
}

PostOpAttr to_post_op_attr(const std::optional<fs::FileStat>& stat, InodeId export_root) {
  if (!stat) return std::nullopt;
  return to_fattr3(*stat, export_root);
}

WccData to_wcc_data(const fs::FileChange& change, InodeId export_root) {
  WccData wcc;
  if (change.before) {
    wcc.before = WccAttr{change.before->size, to_nfstime3(change.before->modified_ns),
                         to_nfstime3(change.before->changed_ns)};
  }
  wcc.after = to_post_op_attr(change.after, export_root);
  return wcc;
}

NfsResult<fs::NewStat> to_new_stat(const Sattr3& attributes) {
  fs::NewStat out;
  if (attributes.mode) out.mode = *attributes.mode & kModeBits;
  out.uid = attributes.uid;
  out.gid = attributes.gid;
  out.size = attributes.size;
  out.accessed = TRY(to_new_time(attributes.atime));
  out.modified = TRY(to_new_time(attributes.mtime));
  return out;
}

uint32_t granted_access(const fs::FileStat& stat, const fs::Credentials& who, uint32_t wanted) {
  const uint32_t bits = permission_bits(stat, who);
  const bool directory = stat.type == fs::FileType::directory;
  uint32_t granted = 0;
  if ((bits & 4) != 0) granted |= kAccessRead;
  if ((bits & 1) != 0) granted |= directory ? kAccessLookup : kAccessExecute;
  // A directory's entries change only for those who may also search it.
  if ((bits & 2) != 0 && (!directory || (bits & 1) != 0)) {
    granted |= kAccessModify | kAccessExtend;
    if (directory) granted |= kAccessDelete;
  }
  return granted & wanted;
}

}  // namespace turbine::nfs
