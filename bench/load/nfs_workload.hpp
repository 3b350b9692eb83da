// What an NFS load asks of the server.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "nfs_connection.hpp"
#include "nfs_tree.hpp"

namespace turbine::bench {

struct NfsLoadOptions {
  NfsTarget target;
  std::string workload;
  uint64_t connections = 4, depth = 8;
  double seconds = 5, warmup_seconds = 0;
  uint64_t files = 1000;  // small ones; for `remove`: how many at most
  uint64_t file_bytes = 64 << 20;
  std::string directory = "nfs-load";
};

/// One call in flight, or none. A connection has `depth` of them.
struct NfsSlot {
  uint64_t connection = 0, index = 0;
  const char* operation = "";  // what was sent, for the report: "write", "commit"
  uint64_t offset = 0;
  std::string name;
};

/// What one answer brought.
struct NfsAnswer {
  nfsstat3 status = NFS3_OK;
  uint64_t bytes = 0, items = 0;
  bool wrong_data = false;
};

enum class NfsSent {
  sent,
  waiting,   // nothing may be sent until another call of this connection is answered
  finished,  // nothing is left to do
  failed,    // the connection is broken
};

/// One thread.
class NfsWorkload {
 public:
  virtual ~NfsWorkload() = default;
  /// Makes what the load needs; not measured.
  virtual Result<> prepare(NfsTree& tree) = 0;
  /// Sends the slot's next call.
  virtual NfsSent send(rpc_context* rpc, NfsSlot& slot, rpc_cb callback, void* context) = 0;
  virtual NfsAnswer take(NfsSlot& slot, void* answer) = 0;
  /// Removes what the load made; not measured.
  virtual Result<> clean(NfsTree&) { return {}; }
};

/// null, getattr, lookup, access, create, remove, readdirplus, read4k, write4k, read, write;
/// nothing for another name.
std::unique_ptr<NfsWorkload> make_nfs_workload(const NfsLoadOptions& options);
std::unique_ptr<NfsWorkload> make_sequential_read(const NfsLoadOptions& options);
std::unique_ptr<NfsWorkload> make_sequential_write(const NfsLoadOptions& options);
std::unique_ptr<NfsWorkload> make_names_workload(const NfsLoadOptions& options);

}  // namespace turbine::bench
