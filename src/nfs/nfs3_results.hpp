// Results of the procedures of NFS version 3 (RFC 1813 section 3.3), named as there. Each begins
// with its status; a result that failed carries those attributes that are known.
#pragma once

#include <string>
#include <vector>

#include "nfs/nfs3_types.hpp"

namespace turbine::nfs {

struct VoidResult {
  void xdr(this auto&, auto&) {}
};

struct GetattrResult {
  Nfsstat3 status = Nfsstat3::ok;
  Fattr3 attributes;
  void xdr(this auto& self, auto& codec) {
    codec(self.status);
    if (self.status == Nfsstat3::ok) codec(self.attributes);
  }
};

/// Of SETATTR, REMOVE and RMDIR.
struct WccResult {
  Nfsstat3 status = Nfsstat3::ok;
  WccData wcc;
  void xdr(this auto& self, auto& codec) { codec(self.status, self.wcc); }
};

struct LookupResult {
  Nfsstat3 status = Nfsstat3::ok;
  NfsFh3 object;
  PostOpAttr attributes;
  PostOpAttr dir_attributes;
  void xdr(this auto& self, auto& codec) {
    codec(self.status);
    if (self.status == Nfsstat3::ok) codec(self.object, self.attributes);
    codec(self.dir_attributes);
  }
};

struct AccessResult {
  Nfsstat3 status = Nfsstat3::ok;
  PostOpAttr attributes;
  uint32_t access = 0;
  void xdr(this auto& self, auto& codec) {
    codec(self.status, self.attributes);
    if (self.status == Nfsstat3::ok) codec(self.access);
  }
};

struct ReadlinkResult {
  Nfsstat3 status = Nfsstat3::ok;
  PostOpAttr attributes;
  std::string target;
  void xdr(this auto& self, auto& codec) {
    codec(self.status, self.attributes);
    if (self.status == Nfsstat3::ok) codec(self.target);
  }
};

struct ReadResult {
  Nfsstat3 status = Nfsstat3::ok;
  PostOpAttr attributes;
  uint32_t count = 0;
  bool eof = false;
  std::vector<Buffer> data;  // `count` bytes
  void xdr(this auto& self, auto& codec) {
    codec(self.status, self.attributes);
    if (self.status == Nfsstat3::ok) codec(self.count, self.eof, self.data);
  }
};

struct WriteResult {
  Nfsstat3 status = Nfsstat3::ok;
  WccData wcc;
  uint32_t count = 0;
  StableHow committed = StableHow::file_sync;
  uint64_t verifier = 0;
  void xdr(this auto& self, auto& codec) {
    codec(self.status, self.wcc);
    if (self.status == Nfsstat3::ok) codec(self.count, self.committed, self.verifier);
  }
};

/// Of CREATE, MKDIR, SYMLINK and MKNOD.
struct CreateResult {
  Nfsstat3 status = Nfsstat3::ok;
  PostOpFh3 object;
  PostOpAttr attributes;
  WccData dir_wcc;
  void xdr(this auto& self, auto& codec) {
    codec(self.status);
    if (self.status == Nfsstat3::ok) codec(self.object, self.attributes);
    codec(self.dir_wcc);
  }
};

struct RenameResult {
  Nfsstat3 status = Nfsstat3::ok;
  WccData from_wcc, to_wcc;
  void xdr(this auto& self, auto& codec) { codec(self.status, self.from_wcc, self.to_wcc); }
};

struct LinkResult {
  Nfsstat3 status = Nfsstat3::ok;
  PostOpAttr attributes;
  WccData dir_wcc;
  void xdr(this auto& self, auto& codec) { codec(self.status, self.attributes, self.dir_wcc); }
};

struct Entry3 {
  uint64_t fileid = 0;
  std::string name;
  uint64_t cookie = 0;
  void xdr(this auto& self, auto& codec) { codec(self.fileid, self.name, self.cookie); }
};
struct Entryplus3 {
  uint64_t fileid = 0;
  std::string name;
  uint64_t cookie = 0;
  PostOpAttr attributes;
  PostOpFh3 handle;
  void xdr(this auto& self, auto& codec) {
    codec(self.fileid, self.name, self.cookie, self.attributes, self.handle);
  }
};
template <class Entry>
struct DirectoryResult {
  Nfsstat3 status = Nfsstat3::ok;
  PostOpAttr dir_attributes;
  uint64_t cookieverf = 0;
  XdrList<Entry> entries;
  bool eof = false;
  void xdr(this auto& self, auto& codec) {
    codec(self.status, self.dir_attributes);
    if (self.status == Nfsstat3::ok) codec(self.cookieverf, self.entries, self.eof);
  }
};
using ReaddirResult = DirectoryResult<Entry3>;
using ReaddirplusResult = DirectoryResult<Entryplus3>;

struct FsstatResult {
  Nfsstat3 status = Nfsstat3::ok;
  PostOpAttr attributes;
  uint64_t tbytes = 0, fbytes = 0, abytes = 0, tfiles = 0, ffiles = 0, afiles = 0;
  uint32_t invarsec = 0;
  void xdr(this auto& self, auto& codec) {
    codec(self.status, self.attributes);
    if (self.status != Nfsstat3::ok) return;
    codec(self.tbytes, self.fbytes, self.abytes, self.tfiles, self.ffiles, self.afiles,
          self.invarsec);
  }
};

struct FsinfoResult {
  Nfsstat3 status = Nfsstat3::ok;
  PostOpAttr attributes;
  uint32_t rtmax = 0, rtpref = 0, rtmult = 0, wtmax = 0, wtpref = 0, wtmult = 0, dtpref = 0;
  uint64_t maxfilesize = 0;
  Nfstime3 time_delta;
  uint32_t properties = 0;
  void xdr(this auto& self, auto& codec) {
    codec(self.status, self.attributes);
    if (self.status != Nfsstat3::ok) return;
    codec(self.rtmax, self.rtpref, self.rtmult, self.wtmax, self.wtpref, self.wtmult, self.dtpref,
          self.maxfilesize, self.time_delta, self.properties);
  }
};

struct PathconfResult {
  Nfsstat3 status = Nfsstat3::ok;
  PostOpAttr attributes;
  uint32_t linkmax = 0, name_max = 0;
  bool no_trunc = false, chown_restricted = false, case_insensitive = false,
       case_preserving = false;
  void xdr(this auto& self, auto& codec) {
    codec(self.status, self.attributes);
    if (self.status != Nfsstat3::ok) return;
    codec(self.linkmax, self.name_max, self.no_trunc, self.chown_restricted, self.case_insensitive,
          self.case_preserving);
  }
};

struct CommitResult {
  Nfsstat3 status = Nfsstat3::ok;
  WccData wcc;
  uint64_t verifier = 0;
  void xdr(this auto& self, auto& codec) {
    codec(self.status, self.wcc);
    if (self.status == Nfsstat3::ok) codec(self.verifier);
  }
};

}  // namespace turbine::nfs
