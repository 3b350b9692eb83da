// Image: changes of files in place.
#include <algorithm>

#include "meta/image.hpp"
#include "meta/permissions.hpp"
#include "meta/placed_inode.hpp"

namespace turbine::meta {
namespace {

uint64_t end_of(const proto::ContentRecord& record) {
  return is_small(record) ? record.offset() + record.data().size()
                          : record.extent().offset() + record.extent().length();
}

/// `bytes`, less what was filled. Bytes under parts are counted as none that were written since.
void set_holes(proto::Inode& inode, uint64_t bytes, uint64_t filled) {
  inode.set_hole_bytes(bytes - std::min(bytes, filled));
}

}  // namespace

/// What of the parts lies behind `size` goes for good.
Result<> Image::cut_parts(Step& step, proto::Inode& inode, uint64_t size) {
  const std::string key = keys_.part_table(inode.content());
  const auto old = TRY(step.changes.read<proto::PartTable>(key));
  if (!old.has_value()) return {};
  proto::PartTable table;
  for (const proto::PartRef& part : old->parts()) {
    if (part.offset() >= size) {
      step.changes.put_empty(keys_.reap_queue(InodeId(part.inode())));
      continue;
    }
    proto::PartRef& kept = *table.add_parts();
    kept = part;
    kept.set_length(std::min(part.length(), size - part.offset()));
  }
  inode.set_part_count(static_cast<uint32_t>(table.parts_size()));
  step.changes.put(key, table);
  return {};
}

Result<uint64_t> Image::punch(Step& step, uint64_t content, uint64_t begin, uint64_t end) {
  std::vector<std::pair<std::string, proto::ContentRecord>> runs;
  const std::string same = keys_.content(content, end);
  if (auto record = TRY(read_record<proto::ContentRecord>(kv_, same));
      record.has_value() && record->offset() == begin) {
    runs.emplace_back(same, std::move(*record));  // what is written again is written alike
  } else {
    auto it = kv_.scan(keys_.content(content, begin + 1), prefix_end(keys_.contents(content)));
    for (; it->valid(); it->next()) {
      auto found = TRY(parse_record<proto::ContentRecord>(it->key(), it->value()));
      if (found.offset() >= end) break;
      runs.emplace_back(it->key(), std::move(found));
    }
    TRY(it->status());
  }
  uint64_t punched = 0;
  for (auto& [key, record] : runs) {
    const uint64_t run_begin = record.offset(), run_end = end_of(record);
    const uint64_t cut_begin = std::max(begin, run_begin), cut_end = std::min(end, run_end);
    const auto cut = static_cast<int64_t>(cut_end - cut_begin);
    punched += cut_end - cut_begin;
    step.changes.remove(key);
    if (is_small(record)) {
      step.changes.remove(keys_.pending(content, run_end));
      if (record.counted()) state_.set_small_bytes(state_.small_bytes() - cut);
      if (run_begin < cut_begin) {
        put_small_run(step, content, run_begin, record.data().substr(0, cut_begin - run_begin),
                      record.counted());
      }
      if (cut_end < run_end) {
        put_small_run(step, content, cut_end, record.data().substr(cut_end - run_begin),
                      record.counted());
      }
      continue;
    }
    if (record.counted()) state_.set_striped_bytes(state_.striped_bytes() - cut);
    const auto put_part = [&](uint64_t from, uint64_t to) {
      proto::ContentRecord part = record;
      part.set_offset(from);
      part.set_version(step.lsn);
      proto::Extent& extent = *part.mutable_extent();
      extent.set_offset(from);
      extent.set_length(to - from);
      extent.set_stripe_offset(record.extent().stripe_offset() +
                               static_cast<uint32_t>(from - run_begin));
      step.changes.put(keys_.content(content, to), part);
    };
    if (run_begin < cut_begin) put_part(run_begin, cut_begin);
    if (cut_end < run_end) put_part(cut_end, run_end);
    TRY(lower_live(step, StripeId(record.extent().stripe()), cut_end - cut_begin, false));
  }
  return punched;
}

Result<> Image::write_file(Step& step, const proto::WriteFileMutation& m) {
  auto placed = TRY(read_placed(step, InodeId(m.inode())));
  if (!placed.has_value() || placed->inode().type() != proto::FILE_REGULAR) {
    return fail(Errc::corrupt, "partition {}: entry {} writes file {}, which is not there", id_,
                step.lsn, InodeId(m.inode()));
  }
  proto::Inode& inode = placed->inode();
  proto::InodeChange change = change_of(inode);
  uint64_t added = 0, punched = 0;
  for (const proto::Extent& extent : m.add().extents()) {
    added += extent.length();
    punched +=
        TRY(punch(step, inode.content(), extent.offset(), extent.offset() + extent.length()));
  }
  for (const proto::InlineData& run : m.add().inline_data()) {
    added += run.data().size();
    punched += TRY(punch(step, inode.content(), run.offset(), run.offset() + run.data().size()));
  }
  proto::AddContentMutation add = m.add();
  add.set_content(inode.content());
  TRY(add_content(step, add));
  const uint64_t size = std::max(inode.size(), m.end());
  const uint64_t grown = size - inode.size();
  change_usage(step, inode.bucket(), static_cast<int64_t>(grown), 0);
  inode.set_size(size);
  set_holes(inode, inode.hole_bytes() + grown + punched, added);
  if (m.clear_set_id()) inode.set_mode(without_set_id(inode.mode()));
  const int64_t time = std::max({step.time_ns, inode.ctime_ns() + 1, inode.content_time_ns() + 1});
  inode.set_mtime_ns(time);
  inode.set_ctime_ns(time);
  inode.set_content_time_ns(time);
  inode.set_change(inode.change() + 1);
  inode.set_content_version(inode.content_version() + 1);
  inode.clear_etag();
  put_placed(step, *placed);
  *change.mutable_after() = inode;
  if (step.observed != nullptr) (*step.observed)[InodeId(m.inode())] = std::move(change);
  return {};
}

Result<> Image::change_inode(Step& step, const proto::ChangeInodeMutation& m) {
  auto placed = TRY(read_placed(step, InodeId(m.inode())));
  if (!placed.has_value()) {
    return fail(Errc::corrupt, "partition {}: entry {} changes inode {}, which is not there", id_,
                step.lsn, InodeId(m.inode()));
  }
  proto::Inode& inode = placed->inode();
  proto::InodeChange change = change_of(inode);
  if (m.has_mode()) inode.set_mode(m.mode());
  if (m.has_uid()) inode.set_uid(m.uid());
  if (m.has_gid()) inode.set_gid(m.gid());
  const int64_t time = std::max(step.time_ns, inode.ctime_ns() + 1);
  if (m.has_size()) {
    const uint64_t old = inode.size();
    if (m.new_content() != 0) {
      inode.set_content(m.new_content());
      inode.set_hole_bytes(0);
      inode.set_part_count(0);
    } else if (m.size() < old) {
      const uint64_t punched = TRY(punch(step, inode.content(), m.size(), old));
      set_holes(inode, inode.hole_bytes(), old - m.size() - punched);
      if (inode.part_count() > 0) TRY(cut_parts(step, inode, m.size()));
    } else {
      inode.set_hole_bytes(inode.hole_bytes() + m.size() - old);
    }
    change_usage(step, inode.bucket(), static_cast<int64_t>(m.size()) - static_cast<int64_t>(old),
                 0);
    inode.set_size(m.size());
    inode.set_mtime_ns(time);
    inode.set_content_time_ns(std::max(time, inode.content_time_ns() + 1));
    inode.set_content_version(inode.content_version() + 1);
    inode.clear_etag();
  }
  if (m.has_atime_ns()) inode.set_atime_ns(m.atime_ns() != kTimeOfEntry ? m.atime_ns() : time);
  if (m.has_mtime_ns()) inode.set_mtime_ns(m.mtime_ns() != kTimeOfEntry ? m.mtime_ns() : time);
  if (m.make_implicit()) inode.set_implicit(true);
  inode.set_ctime_ns(time);
  inode.set_change(inode.change() + 1);
  put_placed(step, *placed);
  *change.mutable_after() = inode;
  if (step.observed != nullptr) (*step.observed)[InodeId(m.inode())] = std::move(change);
  return {};
}

}  // namespace turbine::meta
