// What several operations share: finding things, conditions, new files and their content.
#pragma once

#include <optional>
#include <string>

#include "meta/partition.hpp"
#include "proto/meta_log.pb.h"

namespace turbine::meta {

inline constexpr size_t kNameBytesMax = 1024;
inline constexpr uint64_t kInlineBytesMax = uint64_t{1} << 20;  // of one entry
inline constexpr uint64_t kReplyBytesMax = uint64_t{1} << 20;

/// Errc::stale: there is no such directory (any more): resolve the path again.
Task<proto::Inode> find_directory(PartitionPtr partition, InodeId id);
/// Waits until it is certain whether a directory just made or removed is there. Errc::busy.
Task<proto::Inode> find_settled_directory(PartitionPtr partition, InodeId id);
/// The same without a suspension; blocks on a cold record.
Result<proto::Inode> read_directory(const Partition& partition, InodeId id);
Task<std::optional<proto::Dirent>> find_dirent(PartitionPtr partition, InodeId directory,
                                               std::string name, bool is_directory);
/// The inode by number: a file's out of its dirent. Errc::stale when it is gone.
Task<proto::Inode> find_inode(PartitionPtr partition, InodeId id);

/// An inode under locks that keep its name, or the directory itself, where it is.
struct LockedInode {
  proto::Inode inode;
  KeyLocks::Guard guard;
  std::vector<LockRequest> locks;  // that it holds
};
/// Errc::stale, Errc::busy. `exclusive`: nobody else changes it at the same time.
Task<LockedInode> lock_file(PartitionPtr partition, InodeId id, bool exclusive);

/// Takes a key that was found while others are held; until `half` ends. Errc::busy.
Result<> lock_late(Partition& partition, LockRequest request, Half* half);

/// One component as S3 spells it: ≤ 1024 bytes, no slash.
Result<> check_name(const std::string& name);

/// S3 If-* of a mutation. `existing`: null when the object does not exist.
/// Errc::precondition_failed; Errc::not_found for If-Match on nothing.
Result<> check_condition(const proto::Condition& condition, const proto::Inode* existing);

/// The partition in which the stripes or the hidden inode of `content` are at home; none when all
/// is inline.
std::optional<PartitionId> content_home(const proto::NewContent& content);
/// Checks `content`, whose home is this partition or which is inline, and adds to `half` what makes
/// its bytes belong to one content; locks the hidden inode. Returns that content's number.
/// Errc::invalid; Errc::stale_epoch: ids or placement are old, write the stripes again;
/// Errc::stale: the hidden inode is gone; Errc::busy.
Result<uint64_t> take_content(PartitionPtr partition, const proto::NewContent& content,
                              std::string_view inline_data, SessionId session, Half* half);

/// Adds `data` as inline runs from `offset` on.
void add_inline(proto::AddContentMutation* add, uint64_t offset, std::string_view data);

struct NewFile {
  uint64_t bucket = 0;  // of a new one
  InodeId directory;
  std::string name;
  std::optional<proto::Inode> old;  // what it replaces
  proto::FileAttributes attributes;
  uint64_t size = 0;
  uint64_t content = 0;
  std::vector<proto::PartRef> parts;
  bool make_implicit = false;
  bool own_row = false;  // `old` is a row of its own; directory and name don't matter
};
/// Adds to `half` the mutation that lets go of the content, at once or when nobody reads it.
void release_content(const Partition& partition, uint64_t content, Half* half);

/// Adds to `half` the mutations that put the file there, and what is charged for them; returns its
/// inode. Errc::busy.
Result<proto::Inode> put_new_file(Partition& partition, const NewFile& file, Half* half);

/// The runs within [offset, offset + length) of a content of `size` bytes, as LOOKUP answers them;
/// ≤ 1 MiB.
struct ContentPiece {
  proto::Content content;
  Buffer payload;
};
Result<ContentPiece> read_content(Partition& partition, uint64_t content, uint64_t size,
                                  uint64_t offset, uint64_t length);
/// Fills `inode.parts` from the part table.
Result<> add_part_table(Partition& partition, proto::Inode* inode);

/// The entry of `half` with the request's id and answer.
proto::LogEntry make_entry(RequestId request, const google::protobuf::MessageLite& reply,
                           Half* half);

}  // namespace turbine::meta
