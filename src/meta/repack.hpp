// Repacking: runs of contents move together into a new stripe, each only if nobody changed it.
#pragma once

#include <string>
#include <vector>

#include "meta/partition_host.hpp"
#include "proto/meta_log.pb.h"

namespace turbine::meta {

/// What one new stripe is to hold. stripe_offset of the pieces is their place in `data`.
struct Pack {
  std::vector<proto::SwapPiece> pieces;
  std::vector<Buffer> data;
  uint64_t bytes = 0;

  void add(proto::SwapPiece piece, std::vector<Buffer> bytes_of_piece);
};

/// Writes the stripe and swaps the pieces with one log entry; those that changed meanwhile stay as
/// they are. On return the old places are released. Errc::no_space, Errc::unavailable.
Task<> write_pack(PartitionPtr partition, stripe::StripeWriter& writer, Pack pack);

/// Packs small data of many files into full stripes. One job at a time per blade.
class Destager {
 public:
  explicit Destager(PartitionHost& host) : host_(host) {}
  /// One round over the partitions: writes every stripe that is due.
  Task<> run_once();
  uint64_t stripes_written() const { return stripes_written_; }

 private:
  /// One stripe of what waits from `from` on, which moves on behind it.
  Task<bool> destage(PartitionPtr partition, std::string* from);
  PartitionHost& host_;
  uint64_t stripes_written_ = 0;
};

/// Rewrites stripes of which less than half is live. One job at a time per blade.
class Cleaner {
 public:
  explicit Cleaner(PartitionHost& host) : host_(host) {}
  /// One round: looks at some stripes of each partition and rewrites what is worthwhile.
  Task<> run_once();
  uint64_t stripes_cleaned() const { return stripes_cleaned_; }

 private:
  Task<> clean(PartitionPtr partition);
  Task<> gather(PartitionPtr partition, proto::Stripe stripe, Pack* pack);
  PartitionHost& host_;
  std::map<PartitionId, std::string> cursors_;  // key after the last stripe looked at
  uint64_t stripes_cleaned_ = 0;
};

}  // namespace turbine::meta
