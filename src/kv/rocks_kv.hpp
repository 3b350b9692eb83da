// The Kv of real blades: RocksDB, one column family, no write-ahead log.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "io/blocking_pool.hpp"
#include "kv/kv.hpp"

namespace turbine::kv {

struct RocksOptions {
  std::string directory;                            // made when missing; its parent exists
  uint64_t block_cache_bytes = uint64_t{64} << 20;  // data, index, filter and blob blocks together
  /// Large enough that whoever calls flush() decides when a flush happens. At this much unflushed
  /// data RocksDB flushes by itself, and at several times this much write() blocks.
  uint64_t write_buffer_bytes = uint64_t{64} << 20;
};

/// Opens or makes the store. Blocks; for start-up. A failure names the directory. Calls come from
/// the thread of `executor`; `pool` and the executor's context outlive the store, and nothing is
/// awaited from it when it is destroyed. What was not flushed is then forgotten, as by a crash.
///
/// With one family and no log every flush is atomic: memtables become durable whole and in order,
/// and a batch never spans two. A failure of RocksDB in the background (a write or fsync that did
/// not succeed) is final: every later write() and flush() answers Errc::io.
Result<std::unique_ptr<Kv>> open_rocks_kv(Executor executor, io::BlockingPool& pool,
                                          RocksOptions options);

}  // namespace turbine::kv
