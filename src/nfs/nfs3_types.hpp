// Data types that the procedures of NFS version 3 share (RFC 1813 section 2), named as there.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "nfs/xdr.hpp"

namespace turbine::nfs {

inline constexpr uint32_t kNfsProgram = 100003, kNfsVersion = 3;
inline constexpr uint32_t kIoBytesMax = 1U << 20;  // of one READ, WRITE, READDIR reply
inline constexpr size_t kNameBytesMax = 255;
inline constexpr size_t kPathBytesMax = 1024;

enum class Nfsstat3 : uint32_t {
  ok = 0,
  perm = 1,
  noent = 2,
  io = 5,
  nxio = 6,
  acces = 13,
  exist = 17,
  xdev = 18,
  nodev = 19,
  notdir = 20,
  isdir = 21,
  inval = 22,
  fbig = 27,
  nospc = 28,
  rofs = 30,
  mlink = 31,
  nametoolong = 63,
  notempty = 66,
  dquot = 69,
  stale = 70,
  remote = 71,
  badhandle = 10001,
  not_sync = 10002,
  bad_cookie = 10003,
  notsupp = 10004,
  toosmall = 10005,
  serverfault = 10006,
  badtype = 10007,
  jukebox = 10008,
};

enum class Ftype3 : uint32_t { reg = 1, dir, blk, chr, lnk, sock, fifo };

using NfsFh3 = ShortOpaque<64>;

struct Specdata3 {
  uint32_t major = 0, minor = 0;
  void xdr(this auto& self, auto& codec) { codec(self.major, self.minor); }
};

struct Nfstime3 {
  uint32_t seconds = 0, nseconds = 0;
  void xdr(this auto& self, auto& codec) { codec(self.seconds, self.nseconds); }
};

struct Fattr3 {
  Ftype3 type = Ftype3::reg;
  uint32_t mode = 0, nlink = 0, uid = 0, gid = 0;
  uint64_t size = 0, used = 0;
  Specdata3 rdev;
  uint64_t fsid = 0, fileid = 0;
  Nfstime3 atime, mtime, ctime;
  void xdr(this auto& self, auto& codec) {
    codec(self.type, self.mode, self.nlink, self.uid, self.gid, self.size, self.used, self.rdev,
          self.fsid, self.fileid, self.atime, self.mtime, self.ctime);
  }
};

using PostOpAttr = std::optional<Fattr3>;
using PostOpFh3 = std::optional<NfsFh3>;

struct WccAttr {
  uint64_t size = 0;
  Nfstime3 mtime, ctime;
  void xdr(this auto& self, auto& codec) { codec(self.size, self.mtime, self.ctime); }
};
struct WccData {
  std::optional<WccAttr> before;
  PostOpAttr after;
  void xdr(this auto& self, auto& codec) { codec(self.before, self.after); }
};

enum class TimeHow : uint32_t { dont_change = 0, set_to_server_time = 1, set_to_client_time = 2 };
constexpr bool is_valid(TimeHow how) {
  return how <= TimeHow::set_to_client_time;
}
struct SetTime {
  TimeHow how = TimeHow::dont_change;
  Nfstime3 time;
  void xdr(this auto& self, auto& codec) {
    codec(self.how);
    if (self.how == TimeHow::set_to_client_time) codec(self.time);
  }
};
struct Sattr3 {
  std::optional<uint32_t> mode, uid, gid;
  std::optional<uint64_t> size;
  SetTime atime, mtime;
  void xdr(this auto& self, auto& codec) {
    codec(self.mode, self.uid, self.gid, self.size, self.atime, self.mtime);
  }
};

/// `name` is a view of the record.
struct Diropargs3 {
  NfsFh3 dir;
  std::string_view name;
  void xdr(this auto& self, auto& codec) { codec(self.dir, self.name); }
};

enum class StableHow : uint32_t { unstable = 0, data_sync = 1, file_sync = 2 };
constexpr bool is_valid(StableHow how) {
  return how <= StableHow::file_sync;
}

enum class Createmode3 : uint32_t { unchecked = 0, guarded = 1, exclusive = 2 };
constexpr bool is_valid(Createmode3 mode) {
  return mode <= Createmode3::exclusive;
}

// Bits of ACCESS (section 3.3.4).
inline constexpr uint32_t kAccessRead = 0x01, kAccessLookup = 0x02, kAccessModify = 0x04,
                          kAccessExtend = 0x08, kAccessDelete = 0x10, kAccessExecute = 0x20;
// Bits of FSINFO's properties (section 3.3.19).
inline constexpr uint32_t kFsfLink = 0x01, kFsfSymlink = 0x02, kFsfHomogeneous = 0x08,
                          kFsfCanSetTime = 0x10;

}  // namespace turbine::nfs
