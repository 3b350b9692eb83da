// The cleaner: what still lives of mostly dead stripes moves into new ones.
#include <algorithm>

#include "base/log.hpp"
#include "meta/repack.hpp"

namespace turbine::meta {
namespace {

constexpr int kStripesSeenPerRound = 256;                // looked at, per partition
constexpr uint64_t kDeadBytesMin = uint64_t{64} * 1024;  // less is not worth a new stripe

}  // namespace

Task<> Cleaner::run_once() {
  if (host_.writer() == nullptr || host_.reader() == nullptr) co_return Result<>{};
  for (const PartitionPtr& partition : host_.partitions()) {
    const Result<> done = co_await clean(partition);
    if (!done.ok()) log::debug("cleaning partition {}: {}", partition->id(), done.error().text());
  }
  co_return Result<>{};
}

Task<> Cleaner::clean(PartitionPtr partition) {
  const Keys& keys = partition->keys();
  const uint64_t full = host_.writer()->stripe_bytes_max();
  std::string& cursor = cursors_[partition->id()];
  // Of a state that was replaced since, in another slot.
  if (!cursor.starts_with(keys.kind(Kind::stripe))) cursor.clear();
  std::vector<proto::Stripe> victims;
  uint64_t live = 0, dead = 0;
  {
    auto it = partition->kv().scan(cursor.empty() ? keys.kind(Kind::stripe) : cursor,
                                   keys.kind_end(Kind::stripe));
    int seen = 0;
    for (; it->valid() && seen < kStripesSeenPerRound; it->next(), ++seen) {
      auto stripe = CO_TRY(parse_record<proto::Stripe>(it->key(), it->value()));
      if (stripe.live_bytes() == 0 || stripe.live_bytes() * 2 >= stripe.data_bytes()) continue;
      if (live + stripe.live_bytes() > full) break;
      live += stripe.live_bytes();
      dead += stripe.data_bytes() - stripe.live_bytes();
      victims.push_back(std::move(stripe));
    }
    cursor = it->valid() ? std::string(it->key()) : std::string();
    CO_TRY(it->status());
  }
  if (dead < kDeadBytesMin) co_return Result<>{};
  Pack pack;
  for (proto::Stripe& stripe : victims) {
    CO_TRY(co_await gather(partition, std::move(stripe), &pack));
  }
  if (pack.pieces.empty()) co_return Result<>{};
  stripes_cleaned_ += victims.size();
  co_return co_await write_pack(partition, *host_.writer(), std::move(pack));
}

Task<> Cleaner::gather(PartitionPtr partition, proto::Stripe stripe, Pack* pack) {
  const auto pieces = CO_TRY(co_await load_record<proto::StripePieces>(
      partition->kv(), partition->keys().pieces(StripeId(stripe.id()))));
  if (!pieces.has_value()) co_return Result<>{};
  for (const proto::StripePiece& was : pieces->pieces()) {
    // Writes in place may have left parts of it.
    std::vector<proto::Extent> left;
    const Keys& keys = partition->keys();
    auto it = partition->kv().scan(keys.content(was.inode(), was.offset() + 1),
                                   prefix_end(keys.contents(was.inode())));
    for (; it->valid(); it->next()) {
      const auto record = CO_TRY(parse_record<proto::ContentRecord>(it->key(), it->value()));
      if (record.offset() >= was.offset() + was.length()) break;
      if (record.extent().stripe() == stripe.id()) left.push_back(record.extent());
    }
    CO_TRY(it->status());
    it.reset();
    for (const proto::Extent& extent : left) {
      proto::SwapPiece piece;
      piece.set_content(was.inode());
      piece.set_offset(extent.offset());
      piece.set_length(extent.length());
      piece.set_source_stripe(stripe.id());
      piece.set_source_offset(extent.stripe_offset());
      auto data = CO_TRY(co_await host_.reader()->read(extent, 0, extent.length()));
      pack->add(std::move(piece), std::move(data));
    }
  }
  co_return Result<>{};
}

}  // namespace turbine::meta
