// Image: inodes, uploads.
#include <algorithm>

#include "meta/image.hpp"
#include "meta/placed_inode.hpp"

namespace turbine::meta {

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
  const proto::Inode& inode = record->inode();
  if (inode.type() != proto::FILE_DIRECTORY && inode.link_count() > 0) {  // had a name
    change_usage(step, inode.bucket(), -static_cast<int64_t>(inode.size()), -1);
  }
  if (quotas_.erase(id.value) > 0) step.changes.remove(keys_.quota(id.value));
  step.changes.remove(key);
  return drop_locks(step, id);
}

Result<> Image::change_links(Step& step, const proto::ChangeLinksMutation& m) {
  auto placed = TRY(read_placed(step, InodeId(m.inode())));
  if (!placed.has_value()) return missing(step, InodeId(m.inode()));
  proto::Inode& inode = placed->inode();
  inode.set_link_count(inode.link_count() + static_cast<uint32_t>(m.by()));
  touch(step, &inode);
  put_placed(step, *placed);
  return {};
}

Result<> Image::set_parent(Step& step, const proto::SetParentMutation& m) {
  auto placed = TRY(read_placed(step, InodeId(m.inode())));
  if (!placed.has_value()) return missing(step, InodeId(m.inode()));
  proto::Inode& inode = placed->inode();
  inode.set_parent(m.parent());
  inode.set_name(m.name());
  touch(step, &inode);
  put_placed(step, *placed);
  return {};
}

Result<> Image::replace_file(Step& step, const proto::ReplaceFileMutation& m) {
  proto::InodeRecord record;
  *record.mutable_inode() = m.inode();
  step.changes.put(keys_.inode(InodeId(m.inode().id())), record);
  change_usage(step, m.inode().bucket(),
               static_cast<int64_t>(m.inode().size()) - static_cast<int64_t>(m.old_size()), 0);
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
