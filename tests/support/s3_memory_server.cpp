// An S3 server over the in-memory file system, to try clients against the front-end alone.
//
//   s3_memory_server [port]    prints the environment for clients, serves until killed
//
// With port 0 (the default) any free one is taken.
#include <cstdio>
#include <cstdlib>

#include "s3/server.hpp"
#include "s3/service.hpp"
#include "support/memory_file_system.hpp"

namespace turbine {
namespace {

class OneCredential final : public s3::CredentialSource {
 public:
  std::optional<s3::Credential> find(std::string_view access_key) const override {
    if (access_key != kAccessKey) return std::nullopt;
    return s3::Credential{std::string(kSecretKey), {1, "root", std::string(kAccessKey), true}};
  }
  static constexpr std::string_view kAccessKey = "memory";
  static constexpr std::string_view kSecretKey = "memory-secret";
};

int run(uint16_t port) {
  asio::io_context io{1};
  const auto clock = make_system_clock(io.get_executor());
  test::MemoryFileSystem files(*clock);
  OneCredential credentials;
  s3::S3Service service(files, credentials, *clock, "us-east-1");
  s3::HttpServer::Options options;
  options.port = port;
  s3::HttpServer server(
      *clock, options,
      [&service](const auto& head, auto& body, auto& response) {
        return service.handle(head, body, response);
      },
      [&service](const Error& error) { return service.answer_bad_head(error); });
  const auto started = server.start();
  if (!started.ok()) {
    std::fprintf(stderr, "%s\n", started.error().text().c_str());
    return 1;
  }
  std::printf(
      "export AWS_ENDPOINT_URL=http://127.0.0.1:%u\nexport AWS_ACCESS_KEY_ID=memory\n"
      "export AWS_SECRET_ACCESS_KEY=memory-secret\nexport AWS_DEFAULT_REGION=us-east-1\n",
      server.port());
  std::fflush(stdout);
  io.run();
  return 0;
}

}  // namespace
}  // namespace turbine

int main(int argc, char** argv) {
  return turbine::run(static_cast<uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0));
}
