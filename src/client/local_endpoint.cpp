#include "base/config_file.hpp"
#include "client/convert.hpp"
#include "rpc/tls_context.hpp"

namespace turbine::client {

namespace {

turbine::Result<Endpoint> read_endpoint(const std::string& path) {
  ConfigFile file = TRY(ConfigFile::load(path));
  Endpoint endpoint;
  endpoint.manager = TRY(file.text("network.manager"));
  endpoint.secret = TRY(file.text("gateway.secret"));
  const rpc::TlsFiles tls = TRY(rpc::read_tls_files(file));
  endpoint.tls = {tls.cert_file, tls.key_file, tls.ca_file};
  return endpoint;
}

}  // namespace

Result<Endpoint> local_endpoint(const std::filesystem::path& dir) {
  // Every array has a first gateway, and a client is one more.
  return to_client_result(read_endpoint((dir / "etc" / "gateway-1.toml").string()));
}

}  // namespace turbine::client
