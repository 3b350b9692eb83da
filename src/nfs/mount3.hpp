// MOUNT version 3 (RFC 1813 appendix I): messages and procedures, named as there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nfs/procedure.hpp"

namespace turbine::nfs {

inline constexpr uint32_t kMountProgram = 100005, kMountVersion = 3;

enum class Mountstat3 : uint32_t {
  ok = 0,
  perm = 1,
  noent = 2,
  io = 5,
  acces = 13,
  notdir = 20,
  inval = 22,
  nametoolong = 63,
  notsupp = 10004,
  serverfault = 10006,
};
/// What MNT has no status for is serverfault; clients try again.
Mountstat3 to_mountstat3(Nfsstat3 status);

struct MountNothing {
  void xdr(this auto&, auto&) {}
};

struct MountPathArgs {
  std::string_view path;
  void xdr(this auto& self, auto& codec) { codec(self.path); }
};

struct MntResult {
  Mountstat3 status = Mountstat3::ok;
  NfsFh3 handle;
  std::vector<uint32_t> auth_flavors;
  void xdr(this auto& self, auto& codec) {
    codec(self.status);
    if (self.status == Mountstat3::ok) codec(self.handle, self.auth_flavors);
  }
};

struct MountEntry {
  std::string hostname, directory;
  void xdr(this auto& self, auto& codec) { codec(self.hostname, self.directory); }
};
struct DumpResult {
  XdrList<MountEntry> mounts;
  void xdr(this auto& self, auto& codec) { codec(self.mounts); }
};

struct ExportGroup {
  std::string name;
  void xdr(this auto& self, auto& codec) { codec(self.name); }
};
struct ExportNode {
  std::string directory;
  XdrList<ExportGroup> groups;
  void xdr(this auto& self, auto& codec) { codec(self.directory, self.groups); }
};
struct ExportResult {
  XdrList<ExportNode> exports;
  void xdr(this auto& self, auto& codec) { codec(self.exports); }
};

NfsTask<MountNothing> mount3_null(Request request, MountNothing args);
NfsTask<MntResult> mount3_mnt(Request request, MountPathArgs args);
NfsTask<DumpResult> mount3_dump(Request request, MountNothing args);
NfsTask<MountNothing> mount3_umnt(Request request, MountPathArgs args);
NfsTask<MountNothing> mount3_umntall(Request request, MountNothing args);
NfsTask<ExportResult> mount3_export(Request request, MountNothing args);

}  // namespace turbine::nfs
