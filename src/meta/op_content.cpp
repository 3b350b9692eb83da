// Content of files: taking over what a gateway wrote, and answering reads.
#include <algorithm>
#include <map>

#include "meta/op_support.hpp"

namespace turbine::meta {
namespace {

Result<> check_stripes(Partition& partition, const proto::NewContent& content,
                       StripeReservation* reservation) {
  std::map<uint64_t, const proto::NewStripe*> stripes;
  const cluster::MapPtr map = partition.seams().map.get();
  for (const proto::NewStripe& stripe : content.stripes()) {
    const StripeId id(stripe.id());
    if (id.home() != partition.id()) {
      return fail(Errc::invalid, "stripe {} is not at home in partition {}", id, partition.id());
    }
    const cluster::GroupView* group = map->group(GroupId(stripe.group()));
    if (group == nullptr || stripe.group_version() < group->version) {
      return fail(Errc::stale_epoch, "stripe {} was placed by an old map: write it again", id);
    }
    TRY(reservation->add(id));
    stripes[stripe.id()] = &stripe;
  }
  uint64_t end = 0;
  for (const proto::Extent& extent : content.extents()) {
    const auto found = stripes.find(extent.stripe());
    const bool sound =
        found != stripes.end() && extent.length() > 0 && extent.offset() >= end &&
        extent.group() == found->second->group() &&
        extent.shard_bytes() == found->second->shard_bytes() &&
        uint64_t{extent.stripe_offset()} + extent.length() <= found->second->data_bytes();
    if (!sound) return fail(Errc::invalid, "an extent does not fit its stripe or its neighbour");
    end = extent.offset() + extent.length();
  }
  if (content.size() < end) return fail(Errc::invalid, "extents reach beyond the size");
  return {};
}

}  // namespace

void add_inline(proto::AddContentMutation* add, uint64_t offset, std::string_view data) {
  while (!data.empty()) {
    const size_t length = std::min<size_t>(data.size(), kInlineRunBytes);
    proto::InlineData* run = add->add_inline_data();
    run->set_offset(offset);
    run->set_data(std::string(data.substr(0, length)));
    offset += length;
    data.remove_prefix(length);
  }
}

std::optional<PartitionId> content_home(const proto::NewContent& content) {
  if (content.hidden_inode() != 0) return InodeId(content.hidden_inode()).partition();
  if (content.stripes_size() > 0) return StripeId(content.stripes(0).id()).home();
  return std::nullopt;
}

Result<uint64_t> take_content(PartitionPtr partition, const proto::NewContent& content,
                              std::string_view inline_data, SessionId session, Half* half) {
  if (inline_data.size() > kInlineBytesMax || inline_data.size() > content.size()) {
    return fail(Errc::invalid, "{} bytes inline of a content of {}", inline_data.size(),
                content.size());
  }
  // What can never move into a stripe would fill the directory's file system, with the blade's
  // metadata in it.
  if (inline_data.size() >= kDestageBytesMin && partition->seams().map.get()->full()) {
    return fail(Errc::no_space, "the blades are full");
  }
  StripeReservation reservation(partition);
  TRY(check_stripes(*partition, content, &reservation));
  uint64_t number = 0;
  if (content.hidden_inode() != 0) {
    const InodeId hidden(content.hidden_inode());
    // Who ends the session frees the hidden inode under this lock: either it goes or this does.
    TRY(lock_late(*partition, lock_inode(hidden, true), half));
    const auto record =
        TRY(read_record<proto::InodeRecord>(partition->kv(), partition->keys().inode(hidden)));
    if (!record.has_value() || record->hidden_session() != session.value) {
      return fail(Errc::stale, "hidden inode {} is gone", hidden);
    }
    if (record->inode().size() > content.size()) {
      return fail(Errc::invalid, "hidden inode {} holds more than {} bytes", hidden,
                  content.size());
    }
    number = record->inode().content();
    half->mutations.Add()->mutable_remove_inode()->set_inode(hidden.value);
  } else {
    number = partition->next_number().value;
  }
  if (content.extents_size() > 0 || content.stripes_size() > 0 || !inline_data.empty()) {
    proto::AddContentMutation& add = *half->mutations.Add()->mutable_add_content();
    add.set_content(number);
    *add.mutable_extents() = content.extents();
    *add.mutable_stripes() = content.stripes();
    add.set_counted(content.size() >= kCountedBytesMin);
    add_inline(&add, content.size() - inline_data.size(), inline_data);
  }
  half->reservations.push_back(std::move(reservation));
  return number;
}

namespace {

constexpr uint64_t kOnePieceBytesMax = uint64_t{1} << 20;  // what a stripe holds at most

void add_inline_run(const proto::ContentRecord& record, uint64_t offset, uint64_t end,
                    proto::Content* content, std::string* payload) {
  const uint64_t from = std::max(offset, record.offset());
  const uint64_t to = std::min(end, record.offset() + record.data().size());
  proto::InlineRun* run = content->add_inline_runs();
  run->set_offset(from);
  run->set_length(to - from);
  payload->append(record.data(), from - record.offset(), to - from);
}

/// The one record that holds all of a content, as most small objects have it: a point read costs a
/// third of a scan. Empty when the content is of more pieces.
Result<std::optional<proto::ContentRecord>> read_only_piece(Partition& partition, uint64_t content,
                                                            uint64_t size) {
  std::optional<proto::ContentRecord> record;
  if (size > kOnePieceBytesMax) return record;
  record = TRY(
      read_record<proto::ContentRecord>(partition.kv(), partition.keys().content(content, size)));
  if (!record.has_value()) return record;
  const bool whole = record->extent().length() > 0 ? record->extent().length() == size
                                                   : record->data().size() == size;
  if (!whole) record.reset();
  return record;
}

}  // namespace

Result<ContentPiece> read_content(Partition& partition, uint64_t content, uint64_t size,
                                  uint64_t offset, uint64_t length) {
  ContentPiece piece;
  const uint64_t end = offset + std::min(length, ~uint64_t{0} - offset);
  piece.content.set_covered_to(end);
  if (length == 0) return piece;
  std::string payload;
  if (auto only = TRY(read_only_piece(partition, content, size)); only.has_value()) {
    if (only->extent().length() > 0) {
      *piece.content.add_extents() = std::move(*only->mutable_extent());
    } else {
      add_inline_run(*only, offset, end, &piece.content, &payload);
      piece.payload = Buffer::copy_of(payload);
    }
    return piece;
  }
  uint64_t reply_bytes = 0;
  const std::string last = prefix_end(partition.keys().contents(content));
  auto it = partition.kv().scan(partition.keys().content(content, offset + 1), last);
  for (; it->valid(); it->next()) {
    const auto record = TRY(parse_record<proto::ContentRecord>(it->key(), it->value()));
    if (record.offset() >= end) break;
    if (reply_bytes >= kReplyBytesMax) {
      piece.content.set_covered_to(std::max(offset, record.offset()));
      piece.content.set_more(true);
      break;
    }
    if (record.extent().length() > 0) {
      *piece.content.add_extents() = record.extent();
      reply_bytes += 48;
      continue;
    }
    const size_t before = payload.size();
    add_inline_run(record, offset, end, &piece.content, &payload);
    reply_bytes += payload.size() - before;
  }
  TRY(it->status());
  if (!payload.empty()) piece.payload = Buffer::copy_of(payload);
  return piece;
}

Result<> add_part_table(Partition& partition, proto::Inode* inode) {
  if (inode->part_count() == 0) return {};
  auto table = TRY(
      read_record<proto::PartTable>(partition.kv(), partition.keys().part_table(inode->content())));
  if (table.has_value()) *inode->mutable_parts() = table->parts();
  return {};
}

}  // namespace turbine::meta
