// Certificates for tests, made by the openssl command.
#pragma once

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>

namespace turbine::support {

/// Writes into `directory` an authority (ca.pem), certificates of it for 127.0.0.1 (server.pem,
/// server.key) and for a client (client.pem, client.key), and another authority (other.pem) that
/// signed none of them.
inline void make_certificates(const std::string& directory) {
  const std::string key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
  const auto run = [&directory](const std::string& command) {
    const std::string whole = "cd " + directory + " && " + command + " >>openssl.log 2>&1";
    if (std::system(whole.c_str()) != 0) throw std::runtime_error("this failed: " + command);
  };
  for (const std::string name : {"ca", "other"}) {
    run("openssl req -x509 " + key + " -days 2 -subj /CN=test-" + name + " -keyout " + name +
        ".key -out " + name + ".pem");
  }
  for (const std::string name : {"server", "client"}) {
    run("openssl req " + key + " -subj /CN=" + name + " -keyout " + name + ".key -out " + name +
        ".csr");
    std::ofstream(directory + "/" + name + ".ext")
        << "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n";
    run("openssl x509 -req -days 2 -in " + name + ".csr -CA ca.pem -CAkey ca.key -CAcreateserial" +
        " -extfile " + name + ".ext -out " + name + ".pem");
  }
}

}  // namespace turbine::support
