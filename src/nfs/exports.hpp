// Exports: which directories which clients may mount, and as whom. Filled by whoever knows the
// array's settings; NFS only asks.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/task.hpp"

namespace turbine::nfs {

/// Of a connection; IPv4 addresses never in their IPv6 form.
struct ClientAddress {
  boost::asio::ip::address address;
  uint16_t port = 0;
};

enum class Squash : uint8_t {
  none,
  root,  // uid 0 and gid 0 become the anonymous ones
  all,   // everybody is anonymous
};

/// What one client may do in one export.
struct ExportAccess {
  bool read_only = false;
  Squash squash = Squash::root;
  uint32_t anonymous_uid = 65534, anonymous_gid = 65534;
  bool secure = true;  // only from ports below 1024
};

/// For the list that showmount prints.
struct ExportEntry {
  std::string path;                  // "/photos"
  std::vector<std::string> clients;  // patterns as the operator gave them; empty: everybody
};

/// One per gateway process and reactor. An error means that the array can't tell now; never that
/// there is no such export.
class Exports {
 public:
  virtual ~Exports() = default;

  /// The root directory of the export with exactly that path; empty: there is none.
  virtual Task<std::optional<InodeId>> find(std::string path) = 0;
  /// Empty: that is no export, or not one for this client. Waits only for an export that this
  /// process has not met yet.
  virtual Task<std::optional<ExportAccess>> access(InodeId root, ClientAddress client) = 0;
  virtual Task<std::vector<ExportEntry>> list() = 0;
  /// Changes whenever an answer of access() may have changed; connections keep answers till then,
  /// and ask it for every call.
  virtual uint64_t generation() const = 0;
};

}  // namespace turbine::nfs
