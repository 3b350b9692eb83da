// Who may do what to a file: POSIX permission bits (POSIX.1-2017 §4.5, chmod(2), chown(2)).
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.hpp"
#include "proto/meta.pb.h"

namespace turbine::meta {

inline constexpr uint32_t kMayRead = 4, kMayWrite = 2, kMayExecute = 1;
inline constexpr uint32_t kSetUserIdBit = 04000, kSetGroupIdBit = 02000, kStickyBit = 01000;

/// The mode after somebody else than root has changed the content: set-group-id without the right
/// to execute is another thing, a mark for mandatory locks, and stays.
uint32_t without_set_id(uint32_t mode);

bool is_member(const proto::Credentials& who, uint32_t gid);

/// `wanted`: kMay… together. Errc::denied.
Result<> check_access(const proto::Credentials& who, const proto::Inode& inode, uint32_t wanted);
/// As check_access(), but an owner always reads and writes: a server of files without open() can't
/// know that the file was opened before its mode changed.
Result<> check_data_access(const proto::Credentials& who, const proto::Inode& inode,
                           uint32_t wanted);

/// The directory's sticky bit keeps `who` from taking away entries of others.
bool is_sticky_for(const proto::Credentials& who, const proto::Inode& directory);

/// The owner, group and mode of what `who` makes in `directory`, which may hand down its group.
/// `asked`: Errc::not_permitted when `who` may not give that owner or group.
struct AskedOwner {
  std::optional<uint32_t> uid, gid;
};
Result<> set_new_owner(const proto::Credentials& who, const proto::Inode& directory,
                       const AskedOwner& asked, proto::Inode* inode);

/// The changes that `who` may make of those asked for, or Errc::not_permitted, Errc::denied; adds
/// what goes with them (set-id bits).
Result<> check_changes(const proto::Inode& inode, proto::SetAttributesRequest* changes);

}  // namespace turbine::meta
