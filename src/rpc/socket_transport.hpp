// Transport over Unix sockets and TCP. Users need rpc.hpp's make_socket_transport() only.
#pragma once

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "rpc/rpc.hpp"
#include "rpc/socket_connection.hpp"

namespace turbine::rpc {

/// Connects when first used. While a connect attempt is not allowed (back-off of 5 to 250 ms after
/// a failure) calls fail at once, so that callers can turn to another blade.
class SocketChannel final : public Channel, public std::enable_shared_from_this<SocketChannel> {
 public:
  /// `options` and `gate` are the transport's and outlive every use but the destructor.
  SocketChannel(Address address, Clock& clock, Gate& gate, const TransportOptions& options);
  ~SocketChannel() override;

  Task<Reply> call(Request request, TimePoint deadline) override;
  const Address& address() const override { return address_; }
  bool connected() const { return connection_ && !connection_->closed(); }
  /// Ends the connection and all calls; later ones fail with Errc::closed.
  void stop();

 private:
  // The caller may let go of the channel before the task has begun.
  static Task<Reply> call_on(std::shared_ptr<SocketChannel> self, Request request,
                             TimePoint deadline);
  Task<std::shared_ptr<SocketConnection>> connect(TimePoint deadline);
  static Task<> connect_once(std::shared_ptr<SocketChannel> self);
  Task<> try_connect();

  const Address address_;
  Clock& clock_;
  Gate& gate_;
  const TransportOptions& options_;
  std::shared_ptr<SocketConnection> connection_;  // not usable while connecting_
  bool connecting_ = false;
  bool stopped_ = false;
  TimePoint next_attempt_{};
  Duration backoff_;
  std::string last_error_;
  Event connect_ended_;
};

class SocketListener final : public Listener {
 public:
  /// Owns `descriptor` (bound, listening).
  SocketListener(Address address, int descriptor, Clock& clock, Handler handler,
                 TransportOptions options);
  const Address& address() const override { return address_; }
  Task<> stop() override;

 private:
  Task<> accept_loop();
  void admit(int descriptor);
  Task<> serve(uint64_t number, std::shared_ptr<SocketConnection> connection);

  const Address address_;
  asio::posix::basic_stream_descriptor<Executor> acceptor_;
  Clock& clock_;
  Gate gate_;
  const Handler handler_;
  const TransportOptions options_;
  bool stopped_ = false;
  std::map<uint64_t, std::shared_ptr<SocketConnection>> connections_;
  uint64_t next_number_ = 1;
};

class SocketTransport final : public Transport {
 public:
  SocketTransport(Executor executor, Clock& clock, TransportOptions options);
  std::shared_ptr<Channel> channel(const Address& address) override;
  Result<std::unique_ptr<Listener>> listen(const Address& address, Handler handler) override;
  Task<> stop() override;

 private:
  Clock& clock_;
  const TransportOptions options_;
  Gate gate_;
  // Kept while connected, so that a caller that lets go of its channel finds the connection again.
  std::unordered_map<Address, std::shared_ptr<SocketChannel>> channels_;
};

}  // namespace turbine::rpc
