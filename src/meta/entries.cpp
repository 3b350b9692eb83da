#include "meta/entries.hpp"

#include "meta/op_support.hpp"
#include "meta/partition_client.hpp"
#include "meta/permissions.hpp"
#include "meta/shown_name.hpp"
#include "proto/rpc.pb.h"

namespace turbine::meta {

constexpr int kRounds = 4;

Task<EntryName> resolve_name(PartitionPtr partition, InodeId directory, std::string shown) {
  ShownName parsed = CO_TRY(parse_shown_name(shown));
  EntryName entry{.name = std::move(parsed.name), .is_directory = {}};
  if (parsed.hidden_file) {
    entry.is_directory = false;
    const auto hiding = CO_TRY(co_await find_dirent(partition, directory, entry.name, true));
    if (!hiding.has_value()) co_return fail(Errc::not_found, "there is no hidden file {}", shown);
    co_return entry;
  }
  if (!parsed.cookie) co_return entry;
  const auto row = CO_TRY(co_await load_record<proto::CookieName>(
      partition->kv(), partition->keys().cookie(directory, *parsed.cookie)));
  if (!row.has_value() || row->removed_ns() != 0) {
    co_return fail(Errc::not_found, "there is no entry {}", shown);
  }
  entry.name = row->entry_key();
  entry.is_directory = entry.name.ends_with('/');
  if (*entry.is_directory) entry.name.pop_back();
  const auto dirent =
      CO_TRY(co_await find_dirent(partition, directory, entry.name, *entry.is_directory));
  if (!dirent.has_value() ||
      show_name(entry.name, *entry.is_directory, dirent->shadowed(), dirent->cookie()) != shown) {
    co_return fail(Errc::not_found, "there is no entry {}", shown);
  }
  co_return entry;
}

Result<std::string> name_to_make(const std::string& shown) {
  auto parsed = parse_shown_name(shown);
  if (!parsed.ok() || parsed->hidden_file || parsed->cookie) {
    return fail(Errc::invalid, "the name {} is kept for entries that are shown escaped", shown);
  }
  TRY(check_name(parsed->name));
  return std::move(parsed->name);
}

Result<> check_new_file(const proto::Inode& directory, const std::string& name) {
  if (!name.empty() || InodeId(directory.parent()) != kRootInode) return {};
  return fail(Errc::invalid, "a bucket has no file with the empty name");
}

bool is_object(const proto::Inode& directory) {
  return !directory.implicit() && directory.parent() != 0 &&
         InodeId(directory.parent()) != kRootInode;
}

InodeId Entry::id() const {
  if (is_directory) return InodeId(dirent.directory());
  return InodeId(dirent.has_file() ? dirent.file().id() : dirent.link());
}

Task<std::optional<Entry>> find_entry(PartitionPtr partition, InodeId directory, EntryName name) {
  std::optional<proto::Dirent> file;
  if (!name.is_directory.value_or(false)) {
    file = CO_TRY(co_await find_dirent(partition, directory, name.name, false));
    if (file.has_value() && (!file->shadowed() || name.is_directory.has_value())) {
      co_return Entry{std::move(name.name), false, std::move(*file)};
    }
    if (name.is_directory.has_value()) co_return std::optional<Entry>{};
  }
  auto there = CO_TRY(co_await find_dirent(partition, directory, name.name, true));
  if (!there.has_value()) co_return std::optional<Entry>{};
  co_return Entry{std::move(name.name), true, std::move(*there)};
}

Task<proto::Inode> fetch_inode(PartitionPtr partition, InodeId id) {
  if (id.partition() == partition->id()) {
    CO_TRY(
        co_await partition->wait_settled({lock_inode(id, true).key, lock_present(id, true).key}));
    co_return co_await find_inode(partition, id);
  }
  proto::GetExtentsRequest request;
  request.set_inode(id.value);
  auto reply = CO_TRY(co_await partition->seams().client.call<proto::GetExtentsReply>(
      id.partition(), proto::GET_EXTENTS, std::move(request), {}, {}, partition->clock().now()));
  co_return std::move(*reply.body.mutable_inode());
}

Task<> check_removal(PartitionPtr partition, proto::Credentials who, proto::Inode directory,
                     Entry entry) {
  CO_TRY(check_access(who, directory, kMayWrite | kMayExecute));
  if (!is_sticky_for(who, directory)) co_return Result<>{};
  proto::Inode inode;
  if (entry.dirent.has_file()) {
    inode = std::move(*entry.dirent.mutable_file());
  } else {
    inode = CO_TRY(co_await fetch_inode(partition, entry.id()));
  }
  if (inode.uid() == who.uid()) co_return Result<>{};
  co_return fail(Errc::not_permitted,
                 "user {} may not take {} out of a sticky directory: it belongs to user {}",
                 who.uid(), entry.name, inode.uid());
}

Task<> take_locks(PartitionPtr partition, std::vector<LockRequest> requests, bool wait,
                  Half* half) {
  KeyLocks::Guard guard;
  if (wait) {
    guard = CO_TRY(co_await partition->locks().acquire_until(
        requests, partition->clock(), partition->clock().now() + partition->options().lock_wait));
  } else {
    auto tried = partition->locks().try_acquire(requests);
    if (!tried.has_value()) co_return fail(Errc::busy, "a key found late is locked by others");
    guard = std::move(*tried);
  }
  half->guards.push_back(std::move(guard));
  half->locks.insert(half->locks.end(), requests.begin(), requests.end());
  co_return Result<>{};
}

Task<RemovalLocks> lock_removal(PartitionPtr partition, InodeId directory, std::string name,
                                std::vector<LockRequest> more, bool wait, Half* half) {
  const LockKey presence = lock_present(directory, true).key;
  if (wait) CO_TRY(co_await partition->wait_settled({presence}));
  if (partition->is_prepared({presence}, {})) {
    co_return fail(Errc::busy, "a key found late is locked by others");
  }
  RemovalLocks found;
  found.directory = CO_TRY(co_await find_directory(partition, directory));
  for (int round = 0; round < kRounds; ++round) {
    const bool exclusive = partition->may_vanish(found.directory);
    std::vector<LockRequest> locks = more;
    locks.push_back(lock_name(directory, name));
    locks.push_back(lock_present(directory, exclusive));
    Half attempt;
    CO_TRY(co_await take_locks(partition, std::move(locks), wait, &attempt));
    // Others that take entries away at the same time count this one from here on.
    Removal removal(partition, directory);
    (void)co_await find_directory(partition, directory);  // what is cold comes into memory
    found.directory = CO_TRY(read_directory(*partition, directory));
    // The last but one left meanwhile?
    if (!exclusive && partition->may_vanish(found.directory, 0)) continue;
    found.last = exclusive && found.directory.implicit() && found.directory.entry_count() == 1;
    half->removals.push_back(std::move(removal));
    half->guards.push_back(std::move(attempt.guards.front()));
    half->locks.insert(half->locks.end(), attempt.locks.begin(), attempt.locks.end());
    co_return found;
  }
  co_return fail(Errc::busy, "directory {} changes too fast", directory);
}

}  // namespace turbine::meta
