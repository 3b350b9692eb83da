// One connection to an NFS server, by libnfs's raw asynchronous calls.
#pragma once

// clang-format off: libnfs's headers depend on the first one
#include <nfsc/libnfs.h>
#include <nfsc/libnfs-raw.h>
#include <nfsc/libnfs-raw-mount.h>
#include <nfsc/libnfs-raw-nfs.h>
// clang-format on

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace turbine::bench {

struct NfsTarget {
  std::string host = "127.0.0.1";
  uint16_t port = 2049;
  uint16_t mount_port = 0;  // 0: as `port`
  std::string export_path;  // "/bucket"
  int uid = 0, gid = 0;
};

/// A file handle, up to 64 bytes.
using NfsHandle = std::vector<char>;
/// Views, for arguments; what they show must outlive the call that takes them, not its answer.
nfs_fh3 fh_of(const NfsHandle& handle);
diropargs3 where_of(const NfsHandle& directory, const std::string& name);
NfsHandle handle_of(const nfs_fh3& fh);
/// "NFS3ERR_NOENT"
std::string status_name(nfsstat3 status);

/// One thread. Without port mapper: the caller knows the ports.
class NfsConnection {
 public:
  using Send = std::function<int(rpc_context* rpc, rpc_cb callback, void* context)>;
  using Take = std::function<Result<>(void* answer)>;

  /// Connects to `port` of the target's host; Errc::closed when nobody is there.
  static Result<std::unique_ptr<NfsConnection>> open(const NfsTarget& target, uint16_t port);
  ~NfsConnection();
  NfsConnection(const NfsConnection&) = delete;
  NfsConnection& operator=(const NfsConnection&) = delete;

  rpc_context* rpc() const { return rpc_; }
  int fd() const { return rpc_get_fd(rpc_); }
  short events() const { return static_cast<short>(rpc_which_events(rpc_)); }
  /// Sends and receives; answers are given to their callbacks. Errc::closed when the server has
  /// ended the connection.
  Result<> serve(short events);
  /// Sends one call and waits for its answer; `what` is for the error.
  Result<> call(std::string_view what, const Send& send, const Take& take);

 private:
  explicit NfsConnection(rpc_context* rpc) : rpc_(rpc) {}
  Result<> wait(const bool& done, std::string_view what);

  rpc_context* rpc_;
};

}  // namespace turbine::bench
