// Certificates for tests, made by the openssl command.
#pragma once

#include <fmt/format.h>

#include <fstream>
#include <string>
#include <string_view>

#include "support/command.hpp"

namespace turbine::support {

/// Writes into `directory` an authority (ca.pem), certificates of it for 127.0.0.1 (server.pem,
/// server.key) and for a client (client.pem, client.key), and another authority (other.pem) that
/// signed none of them. Throws.
inline void make_certificates(const std::string& directory) {
  const std::string key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
  const auto run = [&directory](const std::string& command) {
    output_of(fmt::format("cd {} && {}", directory, command));
  };
  for (const std::string_view name : {"ca", "other"}) {
    run(fmt::format("openssl req -x509 {0} -days 2 -subj /CN=test-{1} -keyout {1}.key -out {1}.pem",
                    key, name));
  }
  for (const std::string_view name : {"server", "client"}) {
    run(fmt::format("openssl req {0} -subj /CN={1} -keyout {1}.key -out {1}.csr", key, name));
    std::ofstream(fmt::format("{}/{}.ext", directory, name))
        << "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n";
    run(
        fmt::format("openssl x509 -req -days 2 -in {0}.csr -CA ca.pem -CAkey ca.key "
                    "-CAcreateserial -extfile {0}.ext -out {0}.pem",
                    name));
  }
}

}  // namespace turbine::support
