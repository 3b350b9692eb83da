// Files: the namespace as directories and files with POSIX attributes. NFS stands on this and
// nothing below.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/buffer.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/task.hpp"
#include "fs/fs.hpp"

namespace turbine::fs {

enum class FileType : uint8_t { regular, directory, symlink, block, character, socket, fifo };

/// Who asks, after squashing. User 0 passes all permission checks.
struct Credentials {
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> groups;  // besides gid
};

/// stat(2). Times in ns since 1970.
struct FileStat {
  InodeId id;
  FileType type = FileType::regular;
  uint32_t mode = 0;  // 07777 and below
  uint32_t links = 1;
  uint32_t uid = 0, gid = 0;
  uint64_t size = 0;
  uint64_t used_bytes = 0;  // without redundancy
  uint32_t device_major = 0, device_minor = 0;
  int64_t accessed_ns = 0, modified_ns = 0;
  int64_t changed_ns = 0;  // never goes backwards
};

/// A file around a mutation, both taken in the moment it was applied; empty: not known.
struct FileChange {
  struct Before {
    uint64_t size = 0;
    int64_t modified_ns = 0, changed_ns = 0;
  };
  std::optional<Before> before;
  std::optional<FileStat> after;
};

/// What setattr changes; empty: stays.
struct NewStat {
  struct Time {
    bool now = false;  // else `ns`
    int64_t ns = 0;
  };
  std::optional<uint32_t> mode, uid, gid;
  std::optional<uint64_t> size;  // of regular files
  std::optional<Time> accessed, modified;
};

enum class CreateMode : uint8_t {
  unchecked,  // an existing regular file is taken; of the attributes only `size` 0 counts then
  guarded,    // Errc::exists
  exclusive,  // an existing file that was made with the same verifier is taken, else Errc::exists
};

struct NewFileRequest {
  InodeId directory;
  std::string name;
  NewStat attributes;
  CreateMode mode = CreateMode::unchecked;  // create()
  uint64_t verifier = 0;                    // of CreateMode::exclusive
  std::string target;                       // make_symlink()
  FileType type = FileType::fifo;           // make_special()
  uint32_t device_major = 0, device_minor = 0;
};
struct MadeFile {
  FileStat file;
  FileChange directory;
};

struct FoundFile {
  FileStat file;
  std::optional<FileStat> directory;
};
struct FileBytes {
  std::vector<Buffer> bytes;  // in order; holes are zeroes
  bool end = false;           // nothing follows them
  FileStat file;
};

struct DirectoryPage {
  struct Entry {
    uint64_t cookie = 0;  // > 2; given once and never again in this directory
    std::string name;
    InodeId id;
    std::optional<FileStat> file;  // when asked for; directories may lack it
  };
  std::vector<Entry> entries;  // "." and ".." are the front-end's, with cookies 1 and 2
  bool end = false;
  FileStat directory;
  InodeId parent;  // of the directory; its own id at the root
};
struct DirectoryPageRequest {
  InodeId directory;
  uint64_t after = 0;  // cookie; 0: from the start. Errc::invalid: never given, or long forgotten
  size_t count = 1000;
  bool with_stat = false;
};

/// In bytes and files. What `free` promises is for this bucket, with its quota.
struct SpaceStat {
  uint64_t total_bytes = 0, free_bytes = 0;
  uint64_t total_files = 0, free_files = 0;
};

/// One per gateway process and reactor. Names are those of one component, as NFS shows them (NUL
/// and '/' are refused, Errc::invalid; more than 255 bytes: name_too_long). A mutation with the
/// request id of an earlier one is not executed again and gives the same answer.
///
/// Errors: not_found, exists, not_empty, not_directory, is_directory, invalid, name_too_long,
/// denied (EACCES), not_permitted (EPERM), no_space, quota_exceeded, too_large (EFBIG),
/// precondition_failed (guard), stale, unsupported; unavailable, busy and timeout: to be asked
/// again under the same request id.
class Files {
 public:
  virtual ~Files() = default;

  /// The directory of all buckets.
  virtual InodeId root() const = 0;
  virtual Task<FileStat> stat(InodeId file) = 0;
  /// `guard`: changed_ns must be that.
  virtual Task<FileChange> set_stat(CallContext call, Credentials who, InodeId file, NewStat stat,
                                    std::optional<int64_t> guard) = 0;
  /// Also "." and "..".
  virtual Task<FoundFile> lookup(Credentials who, InodeId directory, std::string name) = 0;
  virtual Task<std::string> read_link(InodeId link) = 0;

  /// Up to `count` ≤ 1 MiB.
  virtual Task<FileBytes> read(Credentials who, InodeId file, uint64_t offset, uint32_t count) = 0;
  /// All or nothing, and durable when it returns. Of at most 1 MiB.
  virtual Task<FileChange> write(CallContext call, Credentials who, InodeId file, uint64_t offset,
                                 std::vector<Buffer> bytes) = 0;

  virtual Task<MadeFile> create(CallContext call, Credentials who, NewFileRequest request) = 0;
  virtual Task<MadeFile> make_directory(CallContext call, Credentials who,
                                        NewFileRequest request) = 0;
  virtual Task<MadeFile> make_symlink(CallContext call, Credentials who,
                                      NewFileRequest request) = 0;
  virtual Task<MadeFile> make_special(CallContext call, Credentials who,
                                      NewFileRequest request) = 0;
  /// The directory's change.
  virtual Task<FileChange> remove(CallContext call, Credentials who, InodeId directory,
                                  std::string name) = 0;
  virtual Task<FileChange> remove_directory(CallContext call, Credentials who, InodeId directory,
                                            std::string name) = 0;
  struct Renamed {
    FileChange from, to;
  };
  virtual Task<Renamed> rename(CallContext call, Credentials who, InodeId from,
                               std::string from_name, InodeId to, std::string to_name) = 0;
  struct Linked {
    FileStat file;
    FileChange directory;
  };
  virtual Task<Linked> link(CallContext call, Credentials who, InodeId file, InodeId directory,
                            std::string name) = 0;

  virtual Task<DirectoryPage> list(Credentials who, DirectoryPageRequest request) = 0;
  virtual Task<SpaceStat> space(InodeId file) = 0;
};

}  // namespace turbine::fs
