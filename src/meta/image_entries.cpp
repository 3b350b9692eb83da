// Image: names in directories, and their cookies.
#include <algorithm>

#include "meta/image.hpp"
#include "meta/placed_inode.hpp"

namespace turbine::meta {
namespace {

constexpr uint64_t kFirstCookie = 3;  // NFS keeps the lower ones for "." and ".."
constexpr size_t kCookiesPerEntry = 1000;

std::string entry_key(const std::string& name, bool is_directory) {
  return is_directory ? name + '/' : name;
}

}  // namespace

proto::InodeChange change_of(const proto::Inode& before) {
  proto::InodeChange change;
  change.set_size_before(before.size());
  change.set_mtime_before_ns(before.mtime_ns());
  change.set_ctime_before_ns(before.ctime_ns());
  return change;
}

Result<std::optional<Image::PlacedInode>> Image::read_placed(Step& step, InodeId id) {
  std::string key = keys_.inode(id);
  auto record = TRY(step.changes.read<proto::InodeRecord>(key));
  if (!record.has_value()) return std::optional<PlacedInode>{};
  if (record->has_inode()) {
    return PlacedInode{.key = std::move(key), .dirent = {}, .record = std::move(record)};
  }
  key = keys_.dirent(InodeId(record->directory()), record->name(), false);
  auto dirent = TRY(step.changes.read<proto::Dirent>(key));
  if (!dirent.has_value() || dirent->file().id() != id.value) return std::optional<PlacedInode>{};
  return PlacedInode{.key = std::move(key), .dirent = std::move(dirent), .record = {}};
}

void Image::put_placed(Step& step, const PlacedInode& placed) {
  if (placed.dirent) {
    step.changes.put(placed.key, *placed.dirent);
  } else {
    step.changes.put(placed.key, *placed.record);
  }
}

std::unexpected<Error> Image::missing(const Step& step, InodeId id) const {
  return fail(Errc::corrupt, "partition {}: entry {} changes inode {}, which is not there", id_,
              step.lsn, id);
}

void Image::touch(const Step& step, proto::Inode* inode) {
  inode->set_ctime_ns(std::max(step.time_ns, inode->ctime_ns() + 1));
  inode->set_change(inode->change() + 1);
}

Result<uint64_t> Image::touch_directory(Step& step, InodeId id, DirectoryChange change) {
  const std::string key = keys_.inode(id);
  auto record = TRY(step.changes.read<proto::InodeRecord>(key));
  if (!record.has_value() || record->inode().type() != proto::FILE_DIRECTORY) {
    return missing(step, id);
  }
  proto::Inode& inode = *record->mutable_inode();
  if (step.observed != nullptr) step.observed->try_emplace(id, change_of(inode));
  inode.set_entry_count(inode.entry_count() + static_cast<uint64_t>(change.entries));
  inode.set_directory_count(inode.directory_count() + static_cast<uint32_t>(change.directories));
  uint64_t cookie = 0;
  if (change.new_name) {
    cookie = std::max(inode.next_cookie(), kFirstCookie);
    inode.set_next_cookie(cookie + 1);
  }
  if (change.make_implicit) inode.set_implicit(true);
  if (change.keep && inode.entry_count() == 0) inode.set_implicit(false);
  touch(step, &inode);
  inode.set_mtime_ns(inode.ctime_ns());
  step.changes.put(key, *record);
  if (step.observed != nullptr) *step.observed->at(id).mutable_after() = inode;
  return cookie;
}

/// A directory hides the file of the same name from those who see files.
Result<> Image::set_shadowed(Step& step, InodeId directory, const std::string& name,
                             bool shadowed) {
  const std::string key = keys_.dirent(directory, name, false);
  auto dirent = TRY(step.changes.read<proto::Dirent>(key));
  if (!dirent.has_value()) return {};
  dirent->set_shadowed(shadowed);
  step.changes.put(key, *dirent);
  return {};
}

Result<> Image::add_name(Step& step, InodeId directory, const std::string& name,
                         proto::Dirent dirent, DirectoryChange change) {
  const bool is_directory = dirent.directory() != 0;
  change.new_name = true;
  dirent.set_cookie(TRY(touch_directory(step, directory, change)));
  dirent.set_shadowed(false);
  if (is_directory) {
    TRY(set_shadowed(step, directory, name, true));
  } else {
    const std::string other = keys_.dirent(directory, name, true);
    dirent.set_shadowed(TRY(step.changes.read<proto::Dirent>(other)).has_value());
  }
  step.changes.put(keys_.dirent(directory, name, is_directory), dirent);
  proto::CookieName row;
  row.set_entry_key(entry_key(name, is_directory));
  step.changes.put(keys_.cookie(directory, dirent.cookie()), row);
  return {};
}

Result<proto::Dirent> Image::take_name(Step& step, InodeId directory, const std::string& name,
                                       bool is_directory, DirectoryChange change) {
  const std::string key = keys_.dirent(directory, name, is_directory);
  auto dirent = TRY(step.changes.read<proto::Dirent>(key));
  if (!dirent.has_value()) {
    return fail(Errc::corrupt,
                "partition {}: entry {} takes a name out of directory {} that is "
                "not there",
                id_, step.lsn, directory);
  }
  step.changes.remove(key);
  if (is_directory) TRY(set_shadowed(step, directory, name, false));
  proto::CookieName row;
  row.set_entry_key(entry_key(name, is_directory));
  row.set_removed_ns(step.time_ns);
  step.changes.put(keys_.cookie(directory, dirent->cookie()), row);
  step.changes.put_empty(keys_.gone_cookie(step.time_ns, directory, dirent->cookie()));
  TRY(touch_directory(step, directory, change));
  return std::move(*dirent);
}

Result<> Image::put_file(Step& step, const proto::PutFileMutation& m) {
  const InodeId directory(m.directory());
  proto::Dirent dirent;
  *dirent.mutable_file() = m.inode();
  const auto size = static_cast<int64_t>(m.inode().size());
  change_usage(step, m.inode().bucket(), size - static_cast<int64_t>(m.old_size()),
               m.added() ? 1 : 0);
  if (m.added()) {
    proto::InodeRecord pointer;
    pointer.set_directory(m.directory());
    pointer.set_name(m.name());
    step.changes.put(keys_.inode(InodeId(m.inode().id())), pointer);
    return add_name(step, directory, m.name(), std::move(dirent),
                    {.entries = 1, .make_implicit = m.make_implicit()});
  }
  const std::string key = keys_.dirent(directory, m.name(), false);
  if (const auto old = TRY(step.changes.read<proto::Dirent>(key)); old.has_value()) {
    dirent.set_cookie(old->cookie());
    dirent.set_shadowed(old->shadowed());
  }
  step.changes.put(key, dirent);
  if (m.make_implicit()) TRY(touch_directory(step, directory, {.make_implicit = true}));
  return {};
}

Result<> Image::remove_file(Step& step, const proto::RemoveFileMutation& m) {
  step.changes.remove(keys_.inode(InodeId(m.inode())));
  TRY(drop_locks(step, InodeId(m.inode())));
  const proto::Dirent dirent = TRY(take_name(step, InodeId(m.directory()), m.name(), false,
                                             {.entries = -1, .keep = m.keep_directory()}));
  change_usage(step, dirent.file().bucket(), -static_cast<int64_t>(m.old_size()), -1);
  return {};
}

Result<> Image::link_directory(Step& step, const proto::LinkDirectoryMutation& m) {
  proto::Dirent dirent;
  dirent.set_directory(m.child());
  return add_name(step, InodeId(m.directory()), m.name(), std::move(dirent),
                  {.entries = 1, .directories = 1});
}

Result<> Image::unlink_directory(Step& step, const proto::UnlinkDirectoryMutation& m) {
  TRY(take_name(step, InodeId(m.directory()), m.name(), true,
                {.entries = -1, .directories = -1, .keep = m.keep_directory()}));
  return {};
}

Result<> Image::link_file(Step& step, const proto::LinkFileMutation& m) {
  proto::Dirent dirent;
  dirent.set_link(m.inode());
  return add_name(step, InodeId(m.directory()), m.name(), std::move(dirent), {.entries = 1});
}

Result<> Image::unlink_file(Step& step, const proto::UnlinkFileMutation& m) {
  TRY(take_name(step, InodeId(m.directory()), m.name(), false,
                {.entries = -1, .keep = m.keep_directory()}));
  return {};
}

Result<> Image::rename_file(Step& step, const proto::RenameFileMutation& m) {
  const InodeId from(m.from_directory()), to(m.directory());
  const int left = from == to ? 0 : 1;
  proto::Dirent dirent = TRY(
      take_name(step, from, m.from_name(), false, {.entries = -left, .keep = m.keep_directory()}));
  if (dirent.has_file()) {
    touch(step, dirent.mutable_file());
    proto::InodeRecord pointer;
    pointer.set_directory(m.directory());
    pointer.set_name(m.name());
    step.changes.put(keys_.inode(InodeId(dirent.file().id())), pointer);
  }
  return add_name(step, to, m.name(), std::move(dirent), {.entries = left});
}

Result<> Image::promote_file(Step& step, const proto::PromoteFileMutation& m) {
  const std::string key = keys_.inode(InodeId(m.inode()));
  const auto pointer = TRY(step.changes.read<proto::InodeRecord>(key));
  if (!pointer.has_value()) return missing(step, InodeId(m.inode()));
  if (pointer->has_inode()) return {};
  const std::string place = keys_.dirent(InodeId(pointer->directory()), pointer->name(), false);
  auto dirent = TRY(step.changes.read<proto::Dirent>(place));
  if (!dirent.has_value() || dirent->file().id() != m.inode()) {
    return missing(step, InodeId(m.inode()));
  }
  proto::InodeRecord record;
  record.mutable_inode()->Swap(dirent->mutable_file());
  dirent->clear_file();
  dirent->set_link(m.inode());
  step.changes.put(key, record);
  step.changes.put(place, *dirent);
  return {};
}

Result<> Image::drop_cookies(Step& step, int64_t before_ns) {
  auto it = kv_.scan(keys_.kind(Kind::gone_cookie), keys_.gone_cookie(before_ns, InodeId{}, 0));
  for (size_t count = 0; it->valid() && count < kCookiesPerEntry; it->next(), ++count) {
    step.changes.remove(
        keys_.cookie(InodeId(number_in_key(it->key(), 1)), number_in_key(it->key(), 2)));
    step.changes.remove(std::string(it->key()));
  }
  return it->status();
}

}  // namespace turbine::meta
