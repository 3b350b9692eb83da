// What the parts of the file system share, and the way from a key to its directory.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/async.hpp"
#include "base/rng.hpp"
#include "fs/bindings.hpp"
#include "fs/file_system.hpp"
#include "fs/hidden_discards.hpp"
#include "fs/known_contents.hpp"
#include "fs/name_path.hpp"
#include "proto/meta.pb.h"
#include "proto/rpc.pb.h"
#include "stripe/stripe_ids.hpp"

namespace turbine::fs {

/// Held by the file system and by every reader and writer it has given out. One reactor thread.
struct Core {
  Core(Clock& clock_in, Rng rng_in, rpc::Transport& transport, cluster::MapHolder& map_in,
       SessionId session_in, FileSystemOptions options_in);

  Clock& clock;
  Rng rng;
  cluster::MapHolder& map;
  SessionId session;
  FileSystemOptions options;
  Gate gate;
  meta::PartitionClient partitions;
  stripe::RpcShardIo shards;
  stripe::LeasedStripeIds stripe_ids;
  stripe::GroupStripeWriter writer;
  stripe::GroupStripeReader reader;
  Bindings bindings;
  HiddenDiscards discards;
  KnownContents known;  // to be cleared before the end: contents hold this
  uint64_t last_request = 0;

  RequestId next_request() { return {session, ++last_request}; }

  /// A read-only question.
  template <class Reply, class Body>
  Task<rpc::With<Reply>> ask(PartitionId partition, int type, Body body) {
    return partitions.call<Reply>(partition, type, std::move(body), {}, {}, clock.now());
  }

 private:
  Task<stripe::StripeIdRange> lease_stripe_ids(PartitionId home, uint32_t count);
  void report_lost(StripeId stripe, GroupId group, std::vector<uint32_t> indexes);
  Task<> send_report(StripeId stripe, GroupId group, std::vector<uint32_t> indexes);
};
using CorePtr = std::shared_ptr<Core>;

/// A key's way through the namespace: `chain` are directories that exist, from the root's entry of
/// the bucket on; `missing` those that don't.
struct Place {
  std::vector<std::pair<InodeId, std::string>> chain;  // parent and name, for forget()
  InodeId directory;                                   // the deepest that exists
  std::vector<std::string> missing;
  std::string file;

  bool complete() const { return missing.empty(); }
  /// Where the file's inode is or will be: missing directories of one key are made together.
  PartitionId home(const cluster::ClusterMap& map) const {
    return missing.empty() ? directory.partition() : map.partition_for(directory, missing[0]);
  }
};

/// The directory of that name. `must_ask`: the lease is not enough. Errc::not_found; Errc::stale:
/// `parent` is gone.
Task<InodeId> bind(CorePtr core, InodeId parent, std::string name, bool must_ask = false);
/// Errc::not_found when there is no such bucket; missing directories are no error.
Task<Place> locate(CorePtr core, std::string bucket, NamePath path);
/// After Errc::stale: what led there is looked up again.
void forget(Core& core, const Place& place);

ObjectInfo to_object_info(std::string key, const proto::Inode& inode);
void fill_attributes(proto::FileAttributes& to, const NewObject& from, uint64_t user);
void fill_condition(proto::Condition& to, const Conditions& from);

}  // namespace turbine::fs
