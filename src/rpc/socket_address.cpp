#include "rpc/socket_address.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <sstream>

namespace turbine::rpc {
namespace {

constexpr int kBacklog = 512;
constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::string_view kTcpPrefix = "tcp:";

Result<SocketAddress> parse_unix(const Address& address) {
  const std::string path = address.substr(kUnixPrefix.size());
  if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) {
    return fail(Errc::invalid,
                "{}: a socket path has 1 to {} bytes, this one {}; use a shorter "
                "directory",
                address, sizeof(sockaddr_un::sun_path) - 1, path.size());
  }
  return SocketAddress{false, Endpoint(asio::local::stream_protocol::endpoint(path)), ""};
}

Result<SocketAddress> parse_tcp(const Address& address) {
  const std::string rest = address.substr(kTcpPrefix.size());
  const size_t colon = rest.rfind(':');
  if (colon == std::string::npos) return fail(Errc::invalid, "{}: no port", address);
  std::string host = rest.substr(0, colon);
  uint16_t port = 0;
  const char* last = rest.data() + rest.size();
  const auto parsed = std::from_chars(rest.data() + colon + 1, last, port);
  if (parsed.ec != std::errc{} || parsed.ptr != last || colon + 1 == rest.size()) {
    return fail(Errc::invalid, "{}: the port is not a number from 0 to 65535", address);
  }
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  boost::system::error_code error;
  const std::string numeric = host == "localhost" ? "127.0.0.1" : host;
  const auto ip = asio::ip::make_address(numeric, error);
  if (error) return fail(Errc::invalid, "{}: the host is not a numeric address", address);
  return SocketAddress{true, Endpoint(asio::ip::tcp::endpoint(ip, port)), std::move(host)};
}

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

const sockaddr* raw(const Endpoint& endpoint) {
  return reinterpret_cast<const sockaddr*>(endpoint.data());
}

int open_socket(const SocketAddress& address) {
  const int family = raw(address.endpoint)->sa_family;
  return ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/// True when a process accepts (or could accept) connections there.
bool somebody_answers(const SocketAddress& address) {
  const Descriptor probe(open_socket(address));
  if (probe.get() < 0) return true;
  const int size = static_cast<int>(address.endpoint.size());
  if (::connect(probe.get(), raw(address.endpoint), size) == 0) return true;
  return errno != ECONNREFUSED && errno != ENOENT;
}

}  // namespace

Result<SocketAddress> parse_address(const Address& address) {
  if (address.starts_with(kUnixPrefix)) return parse_unix(address);
  if (address.starts_with(kTcpPrefix)) return parse_tcp(address);
  return fail(Errc::invalid, "{}: an address starts with unix: or tcp:", address);
}

Result<int> open_listening(const Address& address) {
  const SocketAddress parsed = TRY(parse_address(address));
  Descriptor descriptor(open_socket(parsed));
  if (descriptor.get() < 0) {
    return fail(Errc::io, "{}: no socket: {}", address, std::strerror(errno));
  }
  const int on = 1;
  if (parsed.tcp) ::setsockopt(descriptor.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const auto size = static_cast<socklen_t>(parsed.endpoint.size());
  int bound = ::bind(descriptor.get(), raw(parsed.endpoint), size);
  if (bound != 0 && errno == EADDRINUSE && !parsed.tcp && !somebody_answers(parsed)) {
    ::unlink(address.substr(kUnixPrefix.size()).c_str());
    bound = ::bind(descriptor.get(), raw(parsed.endpoint), size);
  }
  if (bound != 0 || ::listen(descriptor.get(), kBacklog) != 0) {
    const int error = errno;
    if (error == EADDRINUSE) {
      return fail(Errc::exists, "{} is in use by another process", address);
    }
    return fail(error == EACCES ? Errc::denied : Errc::io, "{}: can't listen: {}", address,
                std::strerror(error));
  }
  return descriptor.release();
}

Address bound_address(const Address& asked, int descriptor) {
  if (!asked.starts_with(kTcpPrefix)) return asked;
  asio::ip::tcp::endpoint endpoint;
  socklen_t size = static_cast<socklen_t>(endpoint.capacity());
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(endpoint.data()), &size) != 0) {
    return asked;
  }
  endpoint.resize(size);
  return fmt::format("{}:{}", asked.substr(0, asked.rfind(':')), endpoint.port());
}

std::string peer_name(int descriptor) {
  asio::ip::tcp::endpoint endpoint;
  socklen_t size = static_cast<socklen_t>(endpoint.capacity());
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(endpoint.data()), &size) != 0) {
    return "a peer that has left";
  }
  endpoint.resize(size);
  return (std::ostringstream() << endpoint).str();
}

void tune_tcp(int descriptor) {
  const int on = 1;
  const int idle_s = 5;
  const int unacknowledged_ms = 10'000;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, &idle_s, sizeof idle_s);
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms,
               sizeof unacknowledged_ms);
}

}  // namespace turbine::rpc
