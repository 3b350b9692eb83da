#include "meta/file_locks.hpp"

#include <algorithm>
#include <map>

namespace turbine::meta {
namespace {

std::string_view first_label(std::string_view name) {
  return name.substr(0, name.find('.'));
}

bool same_kind(const HeldLock& a, const HeldLock& b) {
  return a.owner == b.owner && a.exclusive == b.exclusive && a.claim == b.claim &&
         a.state == b.state;
}

}  // namespace

LockOwner lock_owner_of(const proto::LockOwner& record) {
  return {record.address(), record.name(), record.handle(), record.process()};
}

proto::LockOwner record_of(const LockOwner& owner) {
  proto::LockOwner record;
  record.set_address(owner.address);
  record.set_name(owner.name);
  record.set_handle(owner.handle);
  record.set_process(owner.process);
  return record;
}

bool is_client(const LockOwner& owner, const LockOwner& client) {
  if (owner.address != client.address) return false;
  return client.name.empty() || client.name == client.address || owner.name == client.name ||
         first_label(owner.name) == first_label(client.name);
}

Result<FileLocks> FileLocks::parse(const proto::FileLocks& record) {
  std::vector<LockOwner> owners;
  owners.reserve(static_cast<size_t>(record.owners_size()));
  for (const proto::LockOwner& owner : record.owners()) owners.push_back(lock_owner_of(owner));
  FileLocks table;
  for (const proto::HeldLock& lock : record.locks()) {
    if (lock.owner() >= owners.size()) return fail(Errc::corrupt, "a lock of no owner");
    table.locks_.push_back({{owners[lock.owner()], {lock.begin(), lock.end()}, lock.exclusive()},
                            lock.claim(),
                            lock.state()});
  }
  for (const proto::HeldShare& share : record.shares()) {
    if (share.owner() >= owners.size()) return fail(Errc::corrupt, "a share of no owner");
    table.shares_.push_back({owners[share.owner()], share.access(), share.deny()});
  }
  return table;
}

proto::FileLocks FileLocks::record() const {
  proto::FileLocks record;
  std::map<LockOwner, uint32_t> indexes;
  const auto index = [&](const LockOwner& owner) {
    const auto [at, added] = indexes.try_emplace(owner, record.owners_size());
    if (added) *record.add_owners() = record_of(owner);
    return at->second;
  };
  for (const HeldLock& lock : locks_) {
    proto::HeldLock& to = *record.add_locks();
    to.set_owner(index(lock.owner));
    to.set_begin(lock.span.begin);
    to.set_end(lock.span.end);
    to.set_exclusive(lock.exclusive);
    to.set_claim(lock.claim);
    to.set_state(lock.state);
  }
  for (const HeldShare& share : shares_) {
    proto::HeldShare& to = *record.add_shares();
    to.set_owner(index(share.owner));
    to.set_access(share.access);
    to.set_deny(share.deny);
  }
  return record;
}

const HeldLock* FileLocks::conflict(const WantedLock& wanted) const {
  const auto found = std::ranges::find_if(
      locks_, [&](const HeldLock& held) { return held.conflicts_with(wanted); });
  return found == locks_.end() ? nullptr : &*found;
}

bool FileLocks::covered(const WantedLock& wanted, std::optional<uint64_t> claim) const {
  uint64_t reached = wanted.span.begin;
  for (const HeldLock& held : locks_) {  // by beginning
    if (held.owner != wanted.owner || !held.span.overlaps(wanted.span)) continue;
    if (held.span.begin > reached) return false;
    if (wanted.exclusive && !held.exclusive) return false;
    if (claim && held.claim != *claim) return false;
    reached = held.span.end;
    if (reached >= wanted.span.end) return true;
  }
  return false;
}

const HeldShare* FileLocks::share_conflict(const HeldShare& wanted) const {
  const auto found = std::ranges::find_if(shares_, [&](const HeldShare& held) {
    if (held.owner == wanted.owner) return false;
    return (held.deny & wanted.access) != 0 || (wanted.deny & held.access) != 0;
  });
  return found == shares_.end() ? nullptr : &*found;
}

bool FileLocks::apply(const proto::ChangeLocksMutation& change) {
  using Change = proto::ChangeLocksMutation;
  LockOwner owner = lock_owner_of(change.owner());
  switch (change.change_case()) {
    case Change::kTake: {
      const proto::TakeLock& lock = change.take();
      return take({{std::move(owner), {lock.begin(), lock.end()}, lock.exclusive()},
                   lock.claim(),
                   lock.state()});
    }
    case Change::kDrop: {
      const proto::DropLock& lock = change.drop();
      std::optional<uint64_t> claim;
      if (lock.has_claim()) claim = lock.claim();
      return drop(owner, {lock.begin(), lock.end()}, claim);
    }
    case Change::kTakeShare:
      return take_share(
          {std::move(owner), change.take_share().access(), change.take_share().deny()});
    case Change::kDropShare:
      return std::erase_if(shares_, [&](const HeldShare& s) { return s.owner == owner; }) > 0;
    case Change::kRelease:
      return release(owner, change.release().state());
    case Change::CHANGE_NOT_SET:
      break;
  }
  return false;
}

bool FileLocks::take(HeldLock lock) {
  const auto same = [&](const HeldLock& held) {
    return same_kind(held, lock) && held.span.contains(lock.span);
  };
  if (std::ranges::any_of(locks_, same)) return false;
  drop(lock.owner, lock.span, std::nullopt);
  add_joined(std::move(lock));
  sort();
  return true;
}

/// With the equal locks that touch it.
void FileLocks::add_joined(HeldLock lock) {
  std::erase_if(locks_, [&](const HeldLock& held) {
    const bool touches = held.span.end == lock.span.begin || lock.span.end == held.span.begin;
    if (!touches || !same_kind(held, lock)) return false;
    lock.span.begin = std::min(lock.span.begin, held.span.begin);
    lock.span.end = std::max(lock.span.end, held.span.end);
    return true;
  });
  locks_.push_back(std::move(lock));
}

bool FileLocks::drop(const LockOwner& owner, LockSpan span, std::optional<uint64_t> claim) {
  std::vector<HeldLock> parts;
  const size_t dropped = std::erase_if(locks_, [&](const HeldLock& held) {
    if (held.owner != owner || !held.span.overlaps(span)) return false;
    if (claim && held.claim != *claim) return false;
    if (held.span.begin < span.begin) {
      parts.push_back(held);
      parts.back().span.end = span.begin;
    }
    if (span.end < held.span.end) {
      parts.push_back(held);
      parts.back().span.begin = span.end;
    }
    return true;
  });
  if (dropped == 0) return false;
  for (HeldLock& part : parts) locks_.push_back(std::move(part));
  sort();
  return true;
}

bool FileLocks::take_share(HeldShare share) {
  const auto found = std::ranges::find(shares_, share.owner, &HeldShare::owner);
  if (found == shares_.end()) {
    shares_.push_back(std::move(share));
    return true;
  }
  if (found->access == share.access && found->deny == share.deny) return false;
  *found = std::move(share);
  return true;
}

bool FileLocks::release(const LockOwner& client, uint32_t state) {
  const size_t locks = std::erase_if(locks_, [&](const HeldLock& held) {
    return is_client(held.owner, client) && (state == 0 || held.state != state);
  });
  const size_t shares =
      std::erase_if(shares_, [&](const HeldShare& held) { return is_client(held.owner, client); });
  return locks + shares > 0;
}

void FileLocks::sort() {
  std::ranges::sort(locks_, [](const HeldLock& a, const HeldLock& b) {
    return std::tie(a.span.begin, a.owner) < std::tie(b.span.begin, b.owner);
  });
}

}  // namespace turbine::meta
