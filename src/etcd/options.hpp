// EtcdOptions: where etcd is and how to log on to it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace turbine::etcd {

struct Endpoint {
  std::string host;  // name or numeric, without brackets
  uint16_t port = 2379;
  bool tls = false;

  /// "http://host:port", "https://[::1]:port"
  std::string text() const;
  bool operator==(const Endpoint&) const = default;
};

struct EtcdOptions {
  std::vector<Endpoint> endpoints;  // of one etcd cluster; tried in turn
  std::string prefix;               // of all keys: an array's own place, ends with '/'
  std::string ca_file;              // PEM; empty: the system's
  std::string cert_file, key_file;  // PEM, of this client; empty: none
  std::string user, password;       // empty: etcd without authentication
  Duration connect_timeout = std::chrono::milliseconds(700);  // to one endpoint, TLS included
  Duration call_timeout = std::chrono::milliseconds(2000);    // of a call, all endpoints together
  Duration log_on_timeout = std::chrono::seconds(10);         // of the check of the password
};

/// "etcd://host:port,host:port", "etcds://…" for TLS; without a port 2379. Errc::invalid.
Result<std::vector<Endpoint>> parse_endpoints(std::string_view url);

}  // namespace turbine::etcd
