// Keys of a partition's records in the blade's Kv. docs/format/metadata.md describes them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_codec.hpp"
#include "base/ids.hpp"
#include "proto/meta_log.pb.h"

namespace turbine::meta {

/// Third byte of a key. The number is on disk: append, never renumber.
enum class Kind : uint8_t {
  state = 1,         // → PartitionState
  dirent = 2,        // dir, fragment, name → Dirent
  inode = 3,         // id → InodeRecord
  content = 4,       // content, end of the run → ContentRecord
  pending = 5,       // content, end of the run → PendingSmall
  dirseq = 6,        // dir, cookie → CookieName
  stripe = 7,        // id → Stripe
  group = 8,         // group, stripe → nothing
  upload = 9,        // bucket, key, upload id → Upload
  part = 10,         // upload id, number → Part
  intent = 11,       // txn → Intent
  decision = 12,     // txn → Decision
  replay = 13,       // bucket of time, session, sequence → ReplayRecord
  range = 14,        // first number → StripeRange
  free_queue = 15,   // stripe → FreeQueueEntry
  reap_queue = 16,   // inode of another partition → nothing
  trash = 17,        // content → TrashEntry
  parts = 18,        // content → PartTable
  hidden = 19,       // session, inode → nothing
  pieces = 20,       // stripe → StripePieces
  gone_cookie = 21,  // time of removal, dir, cookie → nothing
  lock = 22,         // inode → FileLocks
  lock_owner = 23,   // hash of a client's address, inode → nothing
  usage = 30,        // bucket → BucketUsage
  quota = 31,        // bucket → BucketQuotaState
};

/// Makes the keys of one partition, in the slot of a generation of its state (replica/slots.hpp).
class Keys {
 public:
  explicit Keys(PartitionId partition, uint8_t generation = 0);

  std::string kind(Kind kind) const { return prefix(kind); }
  /// First key after all of `kind`.
  std::string kind_end(Kind kind) const;

  std::string state() const { return prefix(Kind::state); }
  /// `name` without slash; a directory's key ends with one.
  std::string dirent(InodeId directory, std::string_view name, bool is_directory) const;
  /// All dirents of `directory` start with it; the rest of the key is the entry key.
  std::string dirents(InodeId directory) const;
  std::string inode(InodeId id) const { return number(Kind::inode, id.value); }
  std::string content(uint64_t content, uint64_t end) const;
  std::string contents(uint64_t content) const { return number(Kind::content, content); }
  std::string pending(uint64_t content, uint64_t end) const;
  std::string stripe(StripeId id) const { return number(Kind::stripe, id.value); }
  std::string pieces(StripeId id) const { return number(Kind::pieces, id.value); }
  std::string group(GroupId group, StripeId id) const;
  std::string upload(InodeId bucket, std::string_view key, std::string_view id) const;
  /// Uploads of `bucket` whose key starts with `key_prefix` start with it.
  std::string uploads(InodeId bucket, std::string_view key_prefix) const;
  std::string part(std::string_view upload_id, uint32_t number) const;
  std::string parts_of(std::string_view upload_id) const;
  std::string intent(const proto::TxnId& id) const { return txn(Kind::intent, id); }
  std::string decision(const proto::TxnId& id) const { return txn(Kind::decision, id); }
  std::string replay(uint64_t bucket, RequestId id) const;
  std::string range(uint64_t first) const { return number(Kind::range, first); }
  std::string free_queue(StripeId id) const { return number(Kind::free_queue, id.value); }
  std::string reap_queue(InodeId id) const { return number(Kind::reap_queue, id.value); }
  std::string trash(uint64_t content) const { return number(Kind::trash, content); }
  std::string part_table(uint64_t content) const { return number(Kind::parts, content); }
  std::string usage(uint64_t bucket) const { return number(Kind::usage, bucket); }
  std::string quota(uint64_t bucket) const { return number(Kind::quota, bucket); }
  std::string hidden(SessionId session, InodeId id) const;
  std::string cookie(InodeId directory, uint64_t cookie) const;
  std::string gone_cookie(int64_t removed_ns, InodeId directory, uint64_t cookie) const;
  std::string lock(InodeId id) const { return number(Kind::lock, id.value); }
  /// Files with locks of clients at `address` (and, rarely, at another).
  std::string locks_from(std::string_view address) const;
  std::string lock_from(std::string_view address, InodeId id) const;

 private:
  std::string prefix(Kind kind) const;
  std::string number(Kind kind, uint64_t value) const;
  std::string txn(Kind kind, const proto::TxnId& id) const;
  uint16_t slot_;
};

/// Bytes of slot and kind, which every key starts with.
inline constexpr size_t kKeyPrefixBytes = 3;

/// The first string after all that start with `prefix`; empty when there is none.
std::string prefix_end(std::string_view prefix);

/// The big-endian number `index` (of 8 bytes each) behind slot and kind; 0 when the key is short.
uint64_t number_in_key(std::string_view key, size_t index = 0);

/// Width of a replay bucket.
inline constexpr int64_t kReplayBucketNs = 8'000'000'000;
inline uint64_t replay_bucket(int64_t time_ns) {
  return static_cast<uint64_t>(time_ns) / static_cast<uint64_t>(kReplayBucketNs);
}

}  // namespace turbine::meta
