// EtcdServer: a real etcd of one member for tests, on free ports and with data of its own.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "support/background_process.hpp"
#include "support/certificates.hpp"
#include "support/command.hpp"
#include "support/reserved_port.hpp"

namespace turbine::support {

struct EtcdTls {
  bool on = false;
  bool client_certificates = false;  // wanted of clients
};

/// Ends with its object, and with the test process. Throws what does not succeed.
class EtcdServer {
 public:
  explicit EtcdServer(EtcdTls tls = {}) : tls_(tls) {
    if (tls_.on) make_certificates(directory_.path);
    start();
  }

  std::string file(const std::string& name) const { return directory_.path + "/" + name; }
  /// "etcd://127.0.0.1:port", or etcds://.
  std::string url() const { return (tls_.on ? "etcds://" : "etcd://") + host_and_port(); }

  /// On the same port with the same data. Returns when it is healthy.
  void start() {
    process_.emplace(command_line(), file("log"));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!healthy()) {
      if (const std::optional<int> status = process_->ended()) {
        throw trouble(fmt::format("it ended, wait status {} (package etcd-server)", *status));
      }
      if (std::chrono::steady_clock::now() > deadline) throw trouble("not healthy in a minute");
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  /// SIGKILL; the data stays.
  void kill() { process_->kill(); }
  void pause() { process_->pause(); }
  void resume() { process_->resume(); }

  /// A POST by curl, as an operator would; returns the answer.
  std::string post(const std::string& path, const std::string& body,
                   const std::string& token = "") const {
    return ask(fmt::format("{} -H 'Authorization: {}' -d '{}'", path, token, body));
  }
  /// A number of etcd's /metrics by its name and labels, `name{label="x"}`; 0 if it isn't there.
  uint64_t metric(const std::string& name) const {
    const std::string page = ask("/metrics");
    const size_t at = page.find("\n" + name + " ");
    return at == std::string::npos ? 0 : std::stoull(page.substr(at + name.size() + 2));
  }

  /// User root with this password; without a token nothing is answered from now on.
  void demand_password(const std::string& password) const {
    post("/v3/auth/user/add", R"({"name":"root","password":")" + password + "\"}");
    post("/v3/auth/role/add", R"({"name":"root"})");
    post("/v3/auth/user/grant", R"({"user":"root","role":"root"})");
    post("/v3/auth/enable", "{}");
  }
  /// All tokens of root, to whom it gives the same password anew.
  void forget_tokens(const std::string& password) const {
    const std::string root = R"({"name":"root","password":")" + password + "\"}";
    const std::string answer = post("/v3/auth/authenticate", root);
    const std::string before = R"("token":")";
    const size_t begin = answer.find(before) + before.size();
    post("/v3/auth/user/changepw", root, answer.substr(begin, answer.find('"', begin) - begin));
  }

 private:
  /// In memory where there is room: each transaction waits for etcd's disk, which can take seconds
  /// while others write a lot. etcd allocates two files of 64 MiB at once, so what tests left
  /// behind that were killed goes here.
  struct Directory {
    Directory() {
      std::filesystem::path parent = "/dev/shm";
      remove_left_ones(parent);
      std::error_code none;
      const auto space = std::filesystem::space(parent, none);
      if (none || space.available < (uint64_t{1} << 30)) {
        parent = std::filesystem::temp_directory_path();
      }
      path = (parent / "turbine-etcd-XXXXXX").string();
      if (mkdtemp(path.data()) == nullptr) {
        throw std::system_error(errno, std::generic_category(), "mkdtemp " + path);
      }
    }
    ~Directory() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
    static void remove_left_ones(const std::filesystem::path& parent) {
      const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::hours(1);
      std::error_code ignored;
      for (const auto& each : std::filesystem::directory_iterator(parent, ignored)) {
        if (!each.path().filename().string().starts_with("turbine-etcd-")) continue;
        if (each.last_write_time(ignored) < old) std::filesystem::remove_all(each, ignored);
      }
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    std::string path;
  };

  std::vector<std::string> command_line() const {
    const std::string peer = fmt::format("http://127.0.0.1:{}", peer_port_.number());
    std::vector<std::string> line = {"etcd"};
    const auto add = [&line](const char* flag, const std::string& value) {
      line.insert(line.end(), {flag, value});
    };
    add("--data-dir", file("data"));
    add("--listen-client-urls", http_url());
    add("--advertise-client-urls", http_url());
    add("--listen-peer-urls", peer);
    add("--initial-advertise-peer-urls", peer);
    add("--initial-cluster", "default=" + peer);
    add("--heartbeat-interval", "50");
    add("--election-timeout", "300");
    add("--bcrypt-cost", "4");  // in place of 75 ms of a core for each password
    if (tls_.on) {
      add("--cert-file", file("server.pem"));
      add("--key-file", file("server.key"));
    }
    if (tls_.client_certificates) add("--trusted-ca-file", file("ca.pem"));
    return line;
  }

  std::string host_and_port() const { return fmt::format("127.0.0.1:{}", client_port_.number()); }
  std::string http_url() const { return (tls_.on ? "https://" : "http://") + host_and_port(); }

  std::string curl(const std::string& request) const {
    std::string command = "curl -sS --fail-with-body -m 20 ";
    if (tls_.on) {
      command += fmt::format("--cacert {0}/ca.pem --cert {0}/client.pem --key {0}/client.key ",
                             directory_.path);
    }
    return command + http_url() + request;
  }
  std::string ask(const std::string& request) const {
    try {
      return output_of(curl(request));
    } catch (const std::runtime_error& error) {
      throw trouble(error.what());
    }
  }
  bool healthy() const {
    const CommandResult answer = run_command(curl("/health"));
    return answer.status == 0 && answer.output.find("\"true\"") != std::string::npos;
  }
  std::runtime_error trouble(const std::string& what) const {
    std::ifstream in(file("log"));
    std::string log{std::istreambuf_iterator<char>(in), {}};
    log.erase(0, log.size() - std::min<size_t>(log.size(), 3000));
    return std::runtime_error(
        fmt::format("etcd at {}: {}\nThe end of its log:\n{}", http_url(), what, log));
  }

  const EtcdTls tls_;
  const Directory directory_;
  const ReservedPort client_port_, peer_port_;
  std::optional<BackgroundProcess> process_;  // ends before its directory goes
};

}  // namespace turbine::support
