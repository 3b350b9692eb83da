// Image: locks of files, and which files a client has locked.
#include <set>

#include "meta/file_locks.hpp"
#include "meta/image.hpp"

namespace turbine::meta {
namespace {

std::set<std::string> addresses(const FileLocks& table) {
  std::set<std::string> found;
  for (const HeldLock& lock : table.locks()) found.insert(lock.owner.address);
  for (const HeldShare& share : table.shares()) found.insert(share.owner.address);
  return found;
}

}  // namespace

Result<FileLocks> Image::read_locks(Step& step, InodeId file) const {
  const auto record = TRY(step.changes.read<proto::FileLocks>(keys_.lock(file)));
  if (!record.has_value()) return FileLocks{};
  return FileLocks::parse(*record);
}

Result<> Image::change_locks(Step& step, const proto::ChangeLocksMutation& m) {
  const InodeId file(m.inode());
  FileLocks table = TRY(read_locks(step, file));
  const std::set<std::string> before = addresses(table);
  if (!table.apply(m)) return {};
  const std::set<std::string> after = addresses(table);
  // Two addresses of one hash share a row, so those that stay are put last.
  for (const std::string& address : before) {
    if (!after.contains(address)) step.changes.remove(keys_.lock_from(address, file));
  }
  for (const std::string& address : after) {
    step.changes.put_empty(keys_.lock_from(address, file));
  }
  if (table.empty()) {
    step.changes.remove(keys_.lock(file));
    locked_.erase(file);
  } else {
    step.changes.put(keys_.lock(file), table.record());
    locked_.insert(file);
  }
  return {};
}

Result<> Image::drop_locks(Step& step, InodeId file) {
  if (!locked_.contains(file)) return {};
  const FileLocks table = TRY(read_locks(step, file));
  for (const std::string& address : addresses(table)) {
    step.changes.remove(keys_.lock_from(address, file));
  }
  step.changes.remove(keys_.lock(file));
  locked_.erase(file);
  return {};
}

}  // namespace turbine::meta
