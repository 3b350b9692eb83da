// Certificates for tests, made by the openssl command.
#pragma once

#include <fmt/format.h>

#include <fstream>
#include <string>
#include <string_view>

#include "support/command.hpp"

namespace turbine::support {

struct CertificateOptions {
  std::string_view authority = "ca";
  std::string_view names = "IP:127.0.0.1";
  std::string_view usage = "serverAuth,clientAuth";
  int days = 2;  // negative: it has expired
};

inline constexpr std::string_view kNewKey =
    "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";

/// NAME.pem and NAME.key in `directory`. Throws.
inline void make_authority(const std::string& directory, std::string_view name) {
  output_of(fmt::format(
      "cd {0} && openssl req -x509 {1} -days 2 -subj /CN=test-{2} -keyout {2}.key -out {2}.pem",
      directory, kNewKey, name));
}

/// NAME.pem and NAME.key in `directory`, where the authority's are. Throws.
inline void make_certificate(const std::string& directory, std::string_view name,
                             const CertificateOptions& options = {}) {
  std::ofstream(fmt::format("{}/{}.ext", directory, name))
      << fmt::format("subjectAltName={}\nextendedKeyUsage={}\n", options.names, options.usage);
  output_of(fmt::format(
      "cd {0} && openssl req {1} -subj /CN={2} -keyout {2}.key -out {2}.csr && openssl x509 -req "
      "-days {3} -in {2}.csr -CA {4}.pem -CAkey {4}.key -CAcreateserial -extfile {2}.ext "
      "-out {2}.pem",
      directory, kNewKey, name, options.days, options.authority));
}

/// Writes into `directory` an authority (ca.pem), certificates of it for 127.0.0.1 (server.pem,
/// server.key) and for a client (client.pem, client.key), and another authority (other.pem) that
/// signed none of them. Throws.
inline void make_certificates(const std::string& directory) {
  make_authority(directory, "ca");
  make_authority(directory, "other");
  make_certificate(directory, "server");
  make_certificate(directory, "client");
}

}  // namespace turbine::support
