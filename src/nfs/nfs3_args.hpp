// Arguments of the procedures of NFS version 3 (RFC 1813 section 3.3), named as there. Names and
// payload share the record that was received.
#pragma once

#include "nfs/nfs3_types.hpp"

namespace turbine::nfs {

struct VoidArgs {
  void xdr(this auto&, auto&) {}
};

struct GetattrArgs {
  NfsFh3 object;
  void xdr(this auto& self, auto& codec) { codec(self.object); }
};

struct SetattrArgs {
  NfsFh3 object;
  Sattr3 new_attributes{};
  std::optional<Nfstime3> guard{};  // ctime
  void xdr(this auto& self, auto& codec) { codec(self.object, self.new_attributes, self.guard); }
};

struct LookupArgs {
  Diropargs3 what;
  void xdr(this auto& self, auto& codec) { codec(self.what); }
};

struct AccessArgs {
  NfsFh3 object;
  uint32_t access = 0;
  void xdr(this auto& self, auto& codec) { codec(self.object, self.access); }
};

struct ReadlinkArgs {
  NfsFh3 symlink;
  void xdr(this auto& self, auto& codec) { codec(self.symlink); }
};

struct ReadArgs {
  NfsFh3 file;
  uint64_t offset = 0;
  uint32_t count = 0;
  void xdr(this auto& self, auto& codec) { codec(self.file, self.offset, self.count); }
};

struct WriteArgs {
  NfsFh3 file;
  uint64_t offset = 0;
  uint32_t count = 0;
  StableHow stable = StableHow::unstable;
  Buffer data{};
  void xdr(this auto& self, auto& codec) {
    codec(self.file, self.offset, self.count, self.stable, self.data);
  }
};

struct CreateArgs {
  Diropargs3 where;
  Createmode3 mode = Createmode3::unchecked;
  Sattr3 attributes{};    // unless exclusive
  uint64_t verifier = 0;  // exclusive
  void xdr(this auto& self, auto& codec) {
    codec(self.where, self.mode);
    if (self.mode == Createmode3::exclusive) {
      codec(self.verifier);
    } else {
      codec(self.attributes);
    }
  }
};

struct MkdirArgs {
  Diropargs3 where;
  Sattr3 attributes{};
  void xdr(this auto& self, auto& codec) { codec(self.where, self.attributes); }
};

struct SymlinkArgs {
  Diropargs3 where;
  Sattr3 attributes{};
  std::string_view target{};
  void xdr(this auto& self, auto& codec) { codec(self.where, self.attributes, self.target); }
};

struct MknodArgs {
  Diropargs3 where;
  Ftype3 type = Ftype3::fifo;  // any number: NFS3ERR_BADTYPE
  Sattr3 attributes{};         // of devices, sockets and fifos
  Specdata3 device{};          // of devices
  void xdr(this auto& self, auto& codec) {
    codec(self.where, self.type);
    const bool is_device = self.type == Ftype3::chr || self.type == Ftype3::blk;
    if (is_device || self.type == Ftype3::sock || self.type == Ftype3::fifo) {
      codec(self.attributes);
    }
    if (is_device) codec(self.device);
  }
};

struct RemoveArgs {
  Diropargs3 object;
  void xdr(this auto& self, auto& codec) { codec(self.object); }
};

struct RmdirArgs {
  Diropargs3 object;
  void xdr(this auto& self, auto& codec) { codec(self.object); }
};

struct RenameArgs {
  Diropargs3 from, to;
  void xdr(this auto& self, auto& codec) { codec(self.from, self.to); }
};

struct LinkArgs {
  NfsFh3 file;
  Diropargs3 link;
  void xdr(this auto& self, auto& codec) { codec(self.file, self.link); }
};

struct ReaddirArgs {
  NfsFh3 dir;
  uint64_t cookie = 0, cookieverf = 0;
  uint32_t count = 0;  // bytes of READDIR3resok
  void xdr(this auto& self, auto& codec) {
    codec(self.dir, self.cookie, self.cookieverf, self.count);
  }
};

struct ReaddirplusArgs {
  NfsFh3 dir;
  uint64_t cookie = 0, cookieverf = 0;
  uint32_t dircount = 0;  // bytes of file ids, names and cookies
  uint32_t maxcount = 0;  // bytes of READDIRPLUS3resok
  void xdr(this auto& self, auto& codec) {
    codec(self.dir, self.cookie, self.cookieverf, self.dircount, self.maxcount);
  }
};

struct FsstatArgs {
  NfsFh3 fsroot;
  void xdr(this auto& self, auto& codec) { codec(self.fsroot); }
};

struct FsinfoArgs {
  NfsFh3 fsroot;
  void xdr(this auto& self, auto& codec) { codec(self.fsroot); }
};

struct PathconfArgs {
  NfsFh3 object;
  void xdr(this auto& self, auto& codec) { codec(self.object); }
};

struct CommitArgs {
  NfsFh3 file;
  uint64_t offset = 0;
  uint32_t count = 0;
  void xdr(this auto& self, auto& codec) { codec(self.file, self.offset, self.count); }
};

}  // namespace turbine::nfs
