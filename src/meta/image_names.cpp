// Image: names, inodes, uploads.
#include <algorithm>

#include "meta/image.hpp"

namespace turbine::meta {

Result<> Image::touch_directory(Step& step, InodeId id, DirectoryChange change) {
  const std::string key = keys_.inode(id);
  auto record = TRY(step.changes.read<proto::InodeRecord>(key));
  if (!record.has_value() || record->inode().type() != proto::FILE_DIRECTORY) {
    return fail(Errc::corrupt, "partition {}: entry {} changes directory {}, which is not there",
                id_, step.lsn, id);
  }
  proto::Inode& inode = *record->mutable_inode();
  inode.set_entry_count(inode.entry_count() + static_cast<uint64_t>(change.entries));
  inode.set_directory_count(inode.directory_count() + static_cast<uint32_t>(change.directories));
  if (change.entries > 0) inode.set_next_cookie(inode.next_cookie() + 1);
  if (change.make_implicit) inode.set_implicit(true);
  const int64_t time = std::max(step.time_ns, inode.ctime_ns() + 1);
  inode.set_mtime_ns(time);
  inode.set_ctime_ns(time);
  inode.set_change(inode.change() + 1);
  step.changes.put(key, *record);
  return {};
}

Result<> Image::put_file(Step& step, const proto::PutFileMutation& m) {
  const InodeId directory(m.directory());
  proto::Dirent dirent;
  *dirent.mutable_file() = m.inode();
  step.changes.put(keys_.dirent(directory, m.name(), false), dirent);
  const auto size = static_cast<int64_t>(m.inode().size());
  state_.set_object_bytes(state_.object_bytes() + size - static_cast<int64_t>(m.old_size()));
  if (m.added()) {
    proto::InodeRecord pointer;
    pointer.set_directory(m.directory());
    pointer.set_name(m.name());
    step.changes.put(keys_.inode(InodeId(m.inode().id())), pointer);
    state_.set_object_count(state_.object_count() + 1);
  }
  if (!m.added() && !m.make_implicit()) return {};
  return touch_directory(step, directory,
                         {.entries = m.added() ? 1 : 0, .make_implicit = m.make_implicit()});
}

Result<> Image::remove_file(Step& step, const proto::RemoveFileMutation& m) {
  const InodeId directory(m.directory());
  step.changes.remove(keys_.dirent(directory, m.name(), false));
  step.changes.remove(keys_.inode(InodeId(m.inode())));
  state_.set_object_count(state_.object_count() - 1);
  state_.set_object_bytes(state_.object_bytes() - static_cast<int64_t>(m.old_size()));
  return touch_directory(step, directory, {.entries = -1});
}

Result<> Image::link_directory(Step& step, const proto::LinkDirectoryMutation& m) {
  const InodeId directory(m.directory());
  proto::Dirent dirent;
  dirent.set_directory(m.child());
  step.changes.put(keys_.dirent(directory, m.name(), true), dirent);
  return touch_directory(step, directory, {.entries = 1, .directories = 1});
}

Result<> Image::unlink_directory(Step& step, const proto::UnlinkDirectoryMutation& m) {
  const InodeId directory(m.directory());
  step.changes.remove(keys_.dirent(directory, m.name(), true));
  return touch_directory(step, directory, {.entries = -1, .directories = -1});
}

Result<> Image::put_inode(Step& step, const proto::PutInodeMutation& m) {
  const InodeId id(m.inode().id());
  proto::InodeRecord record;
  *record.mutable_inode() = m.inode();
  record.set_hidden_session(m.hidden_session());
  step.changes.put(keys_.inode(id), record);
  if (m.hidden_session() != 0) {
    step.changes.put_empty(keys_.hidden(SessionId(m.hidden_session()), id));
  }
  return {};
}

Result<> Image::remove_inode(Step& step, InodeId id) {
  const std::string key = keys_.inode(id);
  const auto record = TRY(step.changes.read<proto::InodeRecord>(key));
  if (!record.has_value()) return {};
  if (record->hidden_session() != 0) {
    step.changes.remove(keys_.hidden(SessionId(record->hidden_session()), id));
  }
  step.changes.remove(key);
  return {};
}

Result<> Image::adopt_hidden(Step& step, InodeId id) {
  const std::string key = keys_.inode(id);
  auto record = TRY(step.changes.read<proto::InodeRecord>(key));
  if (!record.has_value()) return {};
  if (record->hidden_session() != 0) {
    step.changes.remove(keys_.hidden(SessionId(record->hidden_session()), id));
  }
  record->set_hidden_session(0);
  step.changes.put(key, *record);
  return {};
}

Result<> Image::set_settings(Step& step, const proto::SetSettingsMutation& m) {
  const std::string key = keys_.inode(InodeId(m.inode()));
  auto record = TRY(step.changes.read<proto::InodeRecord>(key));
  if (!record.has_value()) {
    return fail(Errc::corrupt, "partition {}: settings of inode {}, which is not there", id_,
                InodeId(m.inode()));
  }
  proto::Inode& inode = *record->mutable_inode();
  *inode.mutable_settings() = m.settings();
  inode.set_ctime_ns(std::max(step.time_ns, inode.ctime_ns() + 1));
  inode.set_change(inode.change() + 1);
  step.changes.put(key, *record);
  return {};
}

Result<> Image::put_part(Step& step, const proto::PutPartMutation& m) {
  const std::string key = keys_.part(m.upload_id(), m.part().number());
  const auto old = TRY(step.changes.read<proto::Part>(key));
  if (old.has_value() && old->inode() != m.part().inode()) {
    step.changes.put_empty(keys_.reap_queue(InodeId(old->inode())));
  }
  step.changes.put(key, m.part());
  return {};
}

Result<> Image::remove_upload(Step& step, const proto::UploadRef& m) {
  step.changes.remove(keys_.upload(InodeId(m.bucket()), m.key(), m.id()));
  std::vector<uint64_t> keep(m.keep().begin(), m.keep().end());
  std::ranges::sort(keep);
  const std::string first = keys_.parts_of(m.id());
  auto it = kv_.scan(first, prefix_end(first));
  for (; it->valid(); it->next()) {
    const proto::Part part = TRY(parse_record<proto::Part>(it->key(), it->value()));
    if (!std::ranges::binary_search(keep, part.inode())) {
      step.changes.put_empty(keys_.reap_queue(InodeId(part.inode())));
    }
    step.changes.remove(std::string(it->key()));
  }
  return it->status();
}

}  // namespace turbine::meta
