#include "meta/permissions.hpp"

#include <algorithm>

#include "meta/file_limits.hpp"

namespace turbine::meta {
namespace {

bool is_root(const proto::Credentials& who) {
  return who.uid() == 0;
}

uint32_t granted(const proto::Credentials& who, const proto::Inode& inode) {
  if (who.uid() == inode.uid()) return inode.mode() >> 6U & 7U;
  if (is_member(who, inode.gid())) return inode.mode() >> 3U & 7U;
  return inode.mode() & 7U;
}

}  // namespace

uint32_t without_set_id(uint32_t mode) {
  constexpr uint32_t kGroupExecute = 010;
  return mode & ~(kSetUserIdBit | ((mode & kGroupExecute) != 0 ? kSetGroupIdBit : 0));
}

bool is_member(const proto::Credentials& who, uint32_t gid) {
  return who.gid() == gid || std::ranges::find(who.groups(), gid) != who.groups().end();
}

Result<> check_access(const proto::Credentials& who, const proto::Inode& inode, uint32_t wanted) {
  if (is_root(who)) {
    // Execution needs one x for anybody; a directory is always searched.
    const bool no_program = inode.type() != proto::FILE_DIRECTORY && (inode.mode() & 0111U) == 0;
    if ((wanted & kMayExecute) == 0 || !no_program) return {};
  }
  if ((granted(who, inode) & wanted) == wanted && !is_root(who)) return {};
  return fail(Errc::denied, "user {} may not {}{}{} inode {:x} of user {} with mode {:o}",
              who.uid(), (wanted & kMayRead) != 0 ? "read " : "",
              (wanted & kMayWrite) != 0 ? "write " : "",
              (wanted & kMayExecute) != 0 ? "search or execute " : "", inode.id(), inode.uid(),
              inode.mode());
}

Result<> check_data_access(const proto::Credentials& who, const proto::Inode& inode,
                           uint32_t wanted) {
  if (who.uid() == inode.uid()) return {};
  return check_access(who, inode, wanted);
}

bool is_sticky_for(const proto::Credentials& who, const proto::Inode& directory) {
  return (directory.mode() & kStickyBit) != 0 && !is_root(who) && who.uid() != directory.uid();
}

Result<> set_new_owner(const proto::Credentials& who, const proto::Inode& directory,
                       const AskedOwner& asked, proto::Inode* inode) {
  const bool hands_down = (directory.mode() & kSetGroupIdBit) != 0;
  inode->set_uid(asked.uid.value_or(who.uid()));
  inode->set_gid(asked.gid.value_or(hands_down ? directory.gid() : who.gid()));
  if (!is_root(who)) {
    const bool own_group = is_member(who, inode->gid());
    if (inode->uid() != who.uid() || (asked.gid && !own_group)) {
      return fail(Errc::not_permitted, "user {} may not make files of user {} and group {}",
                  who.uid(), inode->uid(), inode->gid());
    }
    if (inode->type() != proto::FILE_DIRECTORY && !own_group) {
      inode->set_mode(inode->mode() & ~kSetGroupIdBit);
    }
  }
  if (inode->type() == proto::FILE_DIRECTORY && hands_down) {
    inode->set_mode(inode->mode() | kSetGroupIdBit);
  }
  return {};
}

Result<> check_changes(const proto::Inode& inode, proto::SetAttributesRequest* changes) {
  if (!changes->has_who()) return {};
  const proto::Credentials& who = changes->who();
  const bool root = is_root(who);
  const bool owner = root || who.uid() == inode.uid();
  const auto refuse = [&](std::string_view what) {
    return fail(Errc::not_permitted,
                "user {} may not change the {} of inode {:x}, which belongs to "
                "user {}",
                who.uid(), what, inode.id(), inode.uid());
  };
  if (changes->has_mode()) {
    if (!owner) return refuse("mode");
    changes->set_mode(changes->mode() & kModeMask);
    const uint32_t gid = changes->has_gid() ? changes->gid() : inode.gid();
    if (!root && inode.type() != proto::FILE_DIRECTORY && !is_member(who, gid)) {
      changes->set_mode(changes->mode() & ~kSetGroupIdBit);
    }
  }
  if (changes->has_uid() && changes->uid() != inode.uid() && !root) return refuse("owner");
  if (changes->has_gid() && changes->gid() != inode.gid() &&
      (!owner || (!root && !is_member(who, changes->gid())))) {
    return refuse("group");
  }
  if ((changes->has_uid() || changes->has_gid()) && !owner) return refuse("owner");
  if ((changes->has_uid() || changes->has_gid()) && inode.type() == proto::FILE_REGULAR &&
      !changes->has_mode()) {
    changes->set_mode(without_set_id(inode.mode()));
  }
  if (changes->has_size()) {
    TRY(check_data_access(who, inode, kMayWrite));
    if (!root && !changes->has_mode()) changes->set_mode(without_set_id(inode.mode()));
  }
  for (const proto::NewTime* time : {changes->has_atime() ? &changes->atime() : nullptr,
                                     changes->has_mtime() ? &changes->mtime() : nullptr}) {
    if (time == nullptr || owner) continue;
    if (!time->now()) return refuse("times");
    TRY(check_access(who, inode, kMayWrite));
  }
  return {};
}

}  // namespace turbine::meta
