// The FileSystem of gateways: files and objects over the partitions and blades of an array.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "base/clock.hpp"
#include "base/rng.hpp"
#include "cluster/cluster_map.hpp"
#include "fs/files.hpp"
#include "fs/fs.hpp"
#include "meta/partition_client.hpp"
#include "rpc/rpc.hpp"
#include "stripe/shard_io_rpc.hpp"
#include "stripe/stripe_reader.hpp"
#include "stripe/stripe_writer.hpp"

namespace turbine::fs {

struct FileSystemOptions {
  size_t inline_bytes_max = 64 * 1024 - 1;  // larger objects are striped
  size_t stripes_in_flight = 4;             // of one writer
  size_t stripes_held_max = 64;             // of one writer, then they go under a hidden inode
  size_t bindings_max = 100'000;
  Duration refresh_budget = std::chrono::milliseconds(400);  // for a binding whose lease ended
  int stale_retries_max = 4;
  size_t list_page_max = 1000;
  size_t list_prefetch = 8;                            // sibling directories read ahead
  uint64_t content_window_bytes = uint64_t{64} << 20;  // of extents asked for at once
  uint64_t pin_from_bytes = uint64_t{16} << 20;  // larger objects are pinned while they are read
  Duration session_beat = std::chrono::seconds(1);
  Duration stripe_ids_use_max = std::chrono::minutes(4);  // partitions end them after an hour
  meta::PartitionClientOptions partitions;
  stripe::ShardIoOptions shards;
  stripe::StripeWriterOptions writer;
  stripe::StripeReaderOptions reader;
};

/// One per process and reactor. Readers and writers it has given out may outlive it, but not the
/// transport, clock and map.
class ArrayFileSystem : public FileSystem {
 public:
  /// Opens the gateway's session with every blade that is alive and keeps it open.
  virtual Task<> start() = 0;
  /// Ends what runs in the background. Calls still under way end with errors. Once, before
  /// destruction, also when start() was not called.
  virtual Task<> stop() = 0;

  struct Counters {
    stripe::GroupStripeWriter::Counters writer;
    stripe::GroupStripeReader::Counters reader;
    uint64_t retries = 0;
    uint64_t bindings = 0;
  };
  virtual Counters counters() const = 0;

  /// The same namespace as files. Lives as long as this.
  virtual Files& files() = 0;
};

/// `session`: as the manager gave it, new for every start of the process.
std::unique_ptr<ArrayFileSystem> make_file_system(Clock& clock, Rng rng, rpc::Transport& transport,
                                                  cluster::MapHolder& map, SessionId session,
                                                  FileSystemOptions options = {});

}  // namespace turbine::fs
