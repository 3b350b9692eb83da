// Image: contents, the stripes that hold them, and stripe ids.
#include <algorithm>
#include <set>

#include "meta/image.hpp"

namespace turbine::meta {
namespace {

uint64_t run_length(const proto::ContentRecord& record) {
  return is_small(record) ? record.data().size() : record.extent().length();
}

}  // namespace

Result<> Image::add_content(Step& step, const proto::AddContentMutation& m) {
  std::map<uint64_t, proto::StripePieces> pieces;
  std::map<uint64_t, uint64_t> live;
  for (const proto::Extent& extent : m.extents()) {
    proto::ContentRecord record;
    *record.mutable_extent() = extent;
    record.set_offset(extent.offset());
    record.set_version(step.lsn);
    record.set_counted(m.counted());
    step.changes.put(keys_.content(m.content(), extent.offset() + extent.length()), record);
    if (m.counted()) {
      state_.set_striped_bytes(state_.striped_bytes() + static_cast<int64_t>(extent.length()));
    }
    proto::StripePiece* piece = pieces[extent.stripe()].add_pieces();
    piece->set_inode(m.content());
    piece->set_offset(extent.offset());
    piece->set_length(static_cast<uint32_t>(extent.length()));
    piece->set_stripe_offset(extent.stripe_offset());
    live[extent.stripe()] += extent.length();
  }
  for (const proto::NewStripe& stripe : m.stripes()) {
    TRY(add_stripe(step, stripe, pieces[stripe.id()], live[stripe.id()]));
  }
  for (const proto::InlineData& run : m.inline_data()) {
    put_small_run(step, m.content(), run.offset(), run.data(), m.counted());
    if (m.counted()) {
      state_.set_small_bytes(state_.small_bytes() + static_cast<int64_t>(run.data().size()));
    }
  }
  return {};
}

void Image::put_small_run(Step& step, uint64_t content, uint64_t offset, std::string data,
                          bool counted) {
  const uint64_t end = offset + data.size();
  if (data.size() >= kDestageBytesMin) {
    proto::PendingSmall pending;
    pending.set_length(data.size());
    pending.set_time_ns(step.time_ns);
    pending.set_version(step.lsn);
    pending.set_counted(counted);
    step.changes.put(keys_.pending(content, end), pending);
  }
  proto::ContentRecord record;
  record.set_offset(offset);
  record.set_data(std::move(data));
  record.set_version(step.lsn);
  record.set_counted(counted);
  step.changes.put(keys_.content(content, end), record);
}

Result<> Image::add_stripe(Step& step, const proto::NewStripe& stripe,
                           const proto::StripePieces& pieces, uint64_t live_bytes) {
  const StripeId id(stripe.id());
  proto::Stripe record;
  record.set_id(stripe.id());
  record.set_group(stripe.group());
  record.set_group_version(stripe.group_version());
  record.set_shard_bytes(stripe.shard_bytes());
  record.set_data_bytes(stripe.data_bytes());
  record.set_live_bytes(live_bytes);
  record.set_generation(1);
  step.changes.put(keys_.stripe(id), record);
  step.changes.put(keys_.pieces(id), pieces);
  step.changes.put_empty(keys_.group(GroupId(stripe.group()), id));
  ranges_.unreserve(id);
  bool dropped = false;
  const auto range = ranges_.spend(id, &dropped);
  if (dropped) {
    step.changes.remove(keys_.range(range->first()));
  } else if (range.has_value()) {
    step.changes.put(keys_.range(range->first()), *range);
  }
  if (live_bytes == 0) return lower_live(step, id, 0, false);
  return {};
}

Result<> Image::lower_live(Step& step, StripeId id, uint64_t bytes, bool waited) {
  const std::string key = keys_.stripe(id);
  auto stripe = TRY(step.changes.read<proto::Stripe>(key));
  if (!stripe.has_value() || stripe->live_bytes() < bytes) {
    return fail(Errc::corrupt, "partition {}: entry {} frees {} bytes of stripe {}, which holds {}",
                id_, step.lsn, bytes, id, stripe.has_value() ? stripe->live_bytes() : 0);
  }
  stripe->set_live_bytes(stripe->live_bytes() - bytes);
  step.changes.put(key, *stripe);
  if (stripe->live_bytes() > 0) return {};
  proto::FreeQueueEntry entry;
  entry.set_time_ns(step.time_ns);
  entry.set_lsn(step.lsn);
  entry.set_waited(waited);
  step.changes.put(keys_.free_queue(id), entry);
  return {};
}

Result<> Image::drop_run(Step& step, std::string_view key, const proto::ContentRecord& record,
                         bool waited) {
  step.changes.remove(std::string(key));
  const auto length = static_cast<int64_t>(run_length(record));
  if (!is_small(record)) {
    if (record.counted()) state_.set_striped_bytes(state_.striped_bytes() - length);
    return lower_live(step, StripeId(record.extent().stripe()), record.extent().length(), waited);
  }
  if (record.counted()) state_.set_small_bytes(state_.small_bytes() - length);
  if (record.data().size() >= kDestageBytesMin) {
    step.changes.remove(keys_.pending(number_in_key(key), number_in_key(key, 1)));
  }
  return {};
}

Result<> Image::release_content(Step& step, const proto::ReleaseContentMutation& m) {
  const uint64_t content = m.content();
  const std::string table_key = keys_.part_table(content);
  const auto table = TRY(step.changes.read<proto::PartTable>(table_key));
  if (table.has_value()) {
    for (const proto::PartRef& part : table->parts()) {
      step.changes.put_empty(keys_.reap_queue(InodeId(part.inode())));
    }
    step.changes.remove(table_key);
  }
  std::vector<std::pair<std::string, proto::ContentRecord>> runs;
  const std::string first = keys_.contents(content);
  auto it = kv_.scan(first, prefix_end(first));
  for (; it->valid(); it->next()) {
    if (m.pinned() || runs.size() == kReleaseAtOnce) {
      proto::TrashEntry entry;
      entry.set_time_ns(step.time_ns);
      entry.set_lsn(step.lsn);
      step.changes.put(keys_.trash(content), entry);
      return {};
    }
    runs.emplace_back(it->key(), TRY(parse_record<proto::ContentRecord>(it->key(), it->value())));
  }
  TRY(it->status());
  for (const auto& [key, record] : runs) TRY(drop_run(step, key, record, false));
  return {};
}

Result<> Image::trim_content(Step& step, const proto::TrimContentMutation& m) {
  const std::string trash_key = keys_.trash(m.content());
  const auto trash = TRY(step.changes.read<proto::TrashEntry>(trash_key));
  if (!trash.has_value()) return {};
  const std::string first = keys_.contents(m.content());
  auto it = kv_.scan(first, prefix_end(first));
  uint32_t count = 0;
  for (; it->valid(); it->next()) {
    if (count++ == m.count()) return {};
    const auto record = TRY(parse_record<proto::ContentRecord>(it->key(), it->value()));
    TRY(drop_run(step, it->key(), record, true));
  }
  TRY(it->status());
  step.changes.remove(trash_key);
  return {};
}

/// What a swap must know of the run that the piece was read from. Of small data the row of the
/// queue says all of it, and the bytes need not be read again.
Result<std::optional<proto::ContentRecord>> Image::read_run_of(Step& step,
                                                               const proto::SwapPiece& piece) {
  const uint64_t end = piece.offset() + piece.length();
  if (piece.source_stripe() == 0 && !swap_unconditionally) {
    const std::string key = keys_.pending(piece.content(), end);
    const auto pending = TRY(step.changes.read<proto::PendingSmall>(key));
    if (!pending.has_value() || pending->length() != piece.length()) return std::nullopt;
    if (pending->has_counted()) {
      proto::ContentRecord record;
      record.set_offset(piece.offset());
      record.set_version(pending->version());
      record.set_counted(pending->counted());
      return record;
    }
  }
  auto record = TRY(step.changes.read<proto::ContentRecord>(keys_.content(piece.content(), end)));
  if (record.has_value() && run_length(*record) != piece.length() && !swap_unconditionally) {
    return std::nullopt;
  }
  return record;
}

Result<bool> Image::swap_piece(Step& step, const proto::SwapMutation& m,
                               const proto::SwapPiece& piece) {
  const std::string key = keys_.content(piece.content(), piece.offset() + piece.length());
  auto record = TRY(read_run_of(step, piece));
  if (swap_unconditionally && !record.has_value()) record.emplace();
  if (!record.has_value()) return false;
  const bool same = is_small(*record)
                        ? record->version() == piece.version()
                        : record->extent().stripe() == piece.source_stripe() &&
                              record->extent().stripe_offset() == piece.source_offset();
  if (!same && !swap_unconditionally) return false;
  const auto length = static_cast<int64_t>(piece.length());
  if (is_small(*record)) {
    step.changes.remove(keys_.pending(piece.content(), piece.offset() + piece.length()));
    if (record->counted()) {
      state_.set_small_bytes(state_.small_bytes() - length);
      state_.set_striped_bytes(state_.striped_bytes() + length);
    }
  } else {
    TRY(lower_live(step, StripeId(record->extent().stripe()), piece.length(), false));
  }
  record->clear_data();
  proto::Extent& extent = *record->mutable_extent();
  extent.set_offset(piece.offset());
  extent.set_length(piece.length());
  extent.set_stripe(m.stripe().id());
  extent.set_stripe_offset(piece.stripe_offset());
  extent.set_group(m.stripe().group());
  extent.set_shard_bytes(m.stripe().shard_bytes());
  record->set_version(step.lsn);
  step.changes.put(key, *record);
  return true;
}

Result<> Image::swap(Step& step, const proto::SwapMutation& m) {
  proto::StripePieces pieces;
  uint64_t live = 0;
  for (const proto::SwapPiece& piece : m.pieces()) {
    const bool swapped = TRY(swap_piece(step, m, piece));
    if (!swapped) continue;
    live += piece.length();
    proto::StripePiece* made = pieces.add_pieces();
    made->set_inode(piece.content());
    made->set_offset(piece.offset());
    made->set_length(static_cast<uint32_t>(piece.length()));
    made->set_stripe_offset(piece.stripe_offset());
  }
  return add_stripe(step, m.stripe(), pieces, live);
}

Result<> Image::free_stripes(Step& step, const proto::FreeStripesMutation& m) {
  for (const uint64_t value : m.stripes()) {
    const StripeId id(value);
    const auto stripe = TRY(step.changes.read<proto::Stripe>(keys_.stripe(id)));
    if (!stripe.has_value() || stripe->live_bytes() > 0) continue;
    step.changes.remove(keys_.stripe(id));
    step.changes.remove(keys_.pieces(id));
    step.changes.remove(keys_.group(GroupId(stripe->group()), id));
    step.changes.remove(keys_.free_queue(id));
  }
  return {};
}

Result<> Image::stripe_repaired(Step& step, const proto::StripeRepairedMutation& m) {
  const std::string key = keys_.stripe(StripeId(m.stripe()));
  auto stripe = TRY(step.changes.read<proto::Stripe>(key));
  if (!stripe.has_value()) return {};
  stripe->set_generation(std::max(stripe->generation(), m.generation()));
  step.changes.put(key, *stripe);
  return {};
}

Result<> Image::lease_range(Step& step, const proto::LeaseRangeMutation& m) {
  proto::StripeRange range;
  range.set_first(m.first());
  range.set_count(m.count());
  range.set_session(m.session());
  range.mutable_used()->resize((m.count() + 7) / 8, '\0');
  step.changes.put(keys_.range(m.first()), range);
  ranges_.add(std::move(range));
  state_.set_next_stripe(std::max(state_.next_stripe(), m.first() + m.count()));
  return {};
}

Result<> Image::end_ranges(Step& step, const proto::EndRangesMutation& m) {
  for (const proto::StripeRange& range : ranges_.end(SessionId(m.session()), m.first())) {
    step.changes.remove(keys_.range(range.first()));
  }
  return {};
}

}  // namespace turbine::meta
