// ReservedPort: a TCP port of 127.0.0.1 for a server that a test starts.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace turbine::support {

/// While it lives the system gives the port to nobody who asks for a free one, and connections are
/// refused until somebody listens on it by its number. That is allowed because its own socket is
/// bound with SO_REUSEADDR, as servers set too, and does not listen.
class ReservedPort {
 public:
  ReservedPort() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    require(descriptor_ >= 0, "socket");
    const int on = 1;
    require(::setsockopt(descriptor_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0,
            "setsockopt SO_REUSEADDR");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    require(::bind(descriptor_, raw, size) == 0, "bind to a free port");
    require(::getsockname(descriptor_, raw, &size) == 0, "getsockname");
    number_ = ntohs(address.sin_port);
  }
  ~ReservedPort() { ::close(descriptor_); }
  ReservedPort(const ReservedPort&) = delete;
  ReservedPort& operator=(const ReservedPort&) = delete;

  uint16_t number() const { return number_; }

 private:
  static void require(bool done, const char* what) {
    if (!done) throw std::system_error(errno, std::generic_category(), what);
  }

  int descriptor_;
  uint16_t number_ = 0;
};

}  // namespace turbine::support
