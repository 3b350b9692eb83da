// The destager: small data into full stripes.
#include <algorithm>

#include "base/log.hpp"
#include "meta/repack.hpp"

namespace turbine::meta {
namespace {

constexpr size_t kScanMax = 8192;
constexpr int kStripesPerRound = 16;

struct Candidate {
  uint64_t content = 0, end = 0;
  proto::PendingSmall small;
};

}  // namespace

void Pack::add(proto::SwapPiece piece, std::vector<Buffer> bytes_of_piece) {
  piece.set_stripe_offset(static_cast<uint32_t>(bytes));
  bytes += piece.length();
  pieces.push_back(std::move(piece));
  for (Buffer& buffer : bytes_of_piece) data.push_back(std::move(buffer));
}

Task<> write_pack(PartitionPtr partition, stripe::StripeWriter& writer, Pack pack) {
  const proto::NewStripe stripe =
      CO_TRY(co_await writer.write(partition->id(), std::move(pack.data)));
  StripeReservation reservation(partition);
  CO_TRY(reservation.add(StripeId(stripe.id())));
  proto::LogEntry entry;
  proto::SwapMutation& swap = *entry.add_mutations()->mutable_swap();
  *swap.mutable_stripe() = stripe;
  for (proto::SwapPiece& piece : pack.pieces) *swap.add_pieces() = std::move(piece);
  co_return co_await partition->commit(std::move(entry));
}

Task<> Destager::run_once() {
  if (host_.writer() == nullptr) co_return Result<>{};
  for (const PartitionPtr& partition : host_.partitions()) {
    std::string from;
    for (int i = 0; i < kStripesPerRound; ++i) {
      const Result<bool> wrote = co_await destage(partition, &from);
      if (!wrote.ok()) {
        log::debug("destaging partition {}: {}", partition->id(), wrote.error().text());
        break;
      }
      if (!*wrote) break;
      ++stripes_written_;
    }
  }
  co_return Result<>{};
}

Task<bool> Destager::destage(PartitionPtr partition, std::string* from) {
  const Options& options = host_.options();
  const bool crowded = partition->kv().unflushed_bytes() > options.flush_bytes / 4;
  const Duration age_min = crowded ? options.destage_age_crowded : options.destage_age_min;
  const int64_t wall = partition->clock().wall_now().ns;
  const uint64_t full = host_.writer()->stripe_bytes_max();
  if (full == 0) co_return false;
  std::vector<Candidate> chosen;
  uint64_t bytes = 0;
  bool overdue = false;
  {
    const auto it = partition->scan_queue(Kind::pending, *from);
    if (it == nullptr) co_return false;
    for (size_t seen = 0; it->valid() && seen < kScanMax && bytes < full; it->next(), ++seen) {
      Candidate candidate;
      candidate.content = number_in_key(it->key());
      candidate.end = number_in_key(it->key(), 1);
      candidate.small = CO_TRY(parse_record<proto::PendingSmall>(it->key(), it->value()));
      const auto age = Duration(wall - candidate.small.time_ns());
      if (age < age_min || candidate.small.length() > full) continue;
      overdue = overdue || age >= options.destage_age_max;
      if (bytes + candidate.small.length() > full) {
        bytes = full;  // no room for it: the stripe is as full as it gets
        break;
      }
      bytes += candidate.small.length();
      chosen.push_back(std::move(candidate));
    }
    CO_TRY(it->status());
    *from = it->valid() ? std::string(it->key()) : partition->keys().kind_end(Kind::pending);
  }
  if (chosen.empty() || (bytes < full && !overdue)) co_return false;
  Pack pack;
  for (const Candidate& candidate : chosen) {
    const auto record = CO_TRY(co_await load_record<proto::ContentRecord>(
        partition->kv(), partition->keys().content(candidate.content, candidate.end)));
    if (!record.has_value() || record->data().empty()) continue;
    proto::SwapPiece piece;
    piece.set_content(candidate.content);
    piece.set_offset(record->offset());
    piece.set_length(record->data().size());
    piece.set_version(record->version());
    pack.add(std::move(piece), {Buffer::copy_of(record->data())});
  }
  if (pack.pieces.empty()) co_return false;
  CO_TRY(co_await write_pack(partition, *host_.writer(), std::move(pack)));
  co_return true;
}

}  // namespace turbine::meta
