// Messages between the processes of an array: one format, several transports.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/buffer.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/task.hpp"

namespace turbine::rpc {

/// "unix:/path", "tcp:host:port", "mem:name".
using Address = std::string;

/// The connection a request came on, for servers that care about the death of a peer.
class PeerLink {
 public:
  /// `callback` runs once on the reactor when the connection is lost, for whatever reason.
  void on_lost(std::function<void()> callback) { callbacks_.push_back(std::move(callback)); }
  /// For transports.
  void lose() {
    auto callbacks = std::exchange(callbacks_, {});
    for (auto& callback : callbacks) callback();
  }

 private:
  std::vector<std::function<void()>> callbacks_;
};

/// A call as the server sees it. `type` is a MessageType of proto/rpc.proto.
struct Request {
  uint16_t type = 0;
  RequestId id{};       // of the operation, the same for every retry; {} for idempotent ones
  uint32_t age_ms = 0;  // since the gateway received the client's request
  Epoch epoch{};        // sender's map
  std::string body;     // serialised protobuf
  Buffer payload;       // raw bytes, never copied into the body
  std::shared_ptr<PeerLink> link;  // at the server; null for a transport without connections
};

struct Reply {
  std::string body;
  Buffer payload;
};

/// Runs on the reactor of the process that serves. An Error travels to the caller as code and
/// context.
using Handler = std::function<Task<Reply>(Request request)>;

/// A way to one peer. Connects when first used and again after a loss; many calls at once share
/// it. A call ends with Errc::unavailable when it was certainly not executed, Errc::timeout when
/// that is unknown. Copies of payload: none in user space.
class Channel {
 public:
  virtual ~Channel() = default;
  virtual Task<Reply> call(Request request, TimePoint deadline) = 0;
  virtual const Address& address() const = 0;
};

class Listener {
 public:
  virtual ~Listener() = default;
  /// The address peers use, with the port that was chosen for ":0".
  virtual const Address& address() const = 0;
  /// Closes the socket and connections; waits for running handlers.
  virtual Task<> stop() = 0;
};

/// One per process and reactor.
class Transport {
 public:
  virtual ~Transport() = default;
  /// The same Channel for the same address while somebody holds it.
  virtual std::shared_ptr<Channel> channel(const Address& address) = 0;
  /// Errc::exists when the address is in use (context says which). Errc::invalid for one that the
  /// own TLS certificate does not name.
  virtual Result<std::unique_ptr<Listener>> listen(const Address& address, Handler handler) = 0;
  virtual Task<> stop() = 0;
};

class TlsContext;  // rpc/tls_context.hpp
using TlsContextPtr = std::shared_ptr<const TlsContext>;

struct TransportOptions {
  std::string secret;  // the array's; peers prove it to each other (HMAC challenge) on connect
  TlsContextPtr tls = nullptr;  // for TCP in both directions; null: plain. Unix sockets are plain
  size_t frame_bytes_max = size_t{8} << 20;
  size_t connections_max = 1024;
};

/// Unix sockets and TCP, by address.
std::unique_ptr<Transport> make_socket_transport(Executor executor, Clock& clock,
                                                 TransportOptions options);

}  // namespace turbine::rpc
