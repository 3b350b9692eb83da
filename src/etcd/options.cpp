#include "etcd/options.hpp"

#include <charconv>

namespace turbine::etcd {
namespace {

constexpr std::string_view kPlain = "etcd://";
constexpr std::string_view kTls = "etcds://";

Result<Endpoint> parse_endpoint(std::string_view text, bool tls) {
  Endpoint endpoint;
  endpoint.tls = tls;
  std::string_view host = text, port;
  const size_t colon = text.rfind(':');
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) {
      return fail(Errc::invalid, "{}: the bracket of an IPv6 address is not closed", text);
    }
    host = text.substr(1, close - 1);
    if (close + 1 < text.size() && text[close + 1] != ':') {
      return fail(Errc::invalid, "{} is not [address]:port", text);
    }
    if (close + 1 < text.size()) port = text.substr(close + 2);
  } else if (colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  const bool has_port = host.data() + host.size() != text.data() + text.size() && !port.empty();
  if (has_port) {
    const auto [end, error] =
        std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
    if (error != std::errc{} || end != port.data() + port.size() || endpoint.port == 0) {
      return fail(Errc::invalid, "{}: {} is not a port", text, port);
    }
  }
  const bool plain_host = !text.starts_with('[') && host.find(':') != std::string_view::npos;
  if (host.empty() || plain_host || host.find_first_of("/@ ") != std::string_view::npos ||
      text.ends_with(':')) {
    return fail(Errc::invalid, "{} is not host:port", text);
  }
  endpoint.host = std::string(host);
  return endpoint;
}

}  // namespace

std::string Endpoint::text() const {
  const char* scheme = tls ? "https" : "http";
  const bool six = host.find(':') != std::string::npos;
  return six ? fmt::format("{}://[{}]:{}", scheme, host, port)
             : fmt::format("{}://{}:{}", scheme, host, port);
}

Result<std::vector<Endpoint>> parse_endpoints(std::string_view url) {
  const bool tls = url.starts_with(kTls);
  if (!tls && !url.starts_with(kPlain)) {
    return fail(Errc::invalid,
                "{} is no address of a cluster store; write etcd://host:port or "
                "etcds://host:port, several after commas",
                url);
  }
  std::string_view rest = url.substr(tls ? kTls.size() : kPlain.size());
  std::vector<Endpoint> endpoints;
  while (true) {
    const size_t comma = rest.find(',');
    endpoints.push_back(TRY(parse_endpoint(rest.substr(0, comma), tls)));
    if (comma == std::string_view::npos) return endpoints;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace turbine::etcd
