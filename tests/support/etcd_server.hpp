// EtcdServer: a real etcd of one member for tests, on free ports and in a temporary directory.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/certificates.hpp"

namespace turbine::support {

struct EtcdTls {
  bool on = false;
  bool client_certificates = false;  // wanted of clients
};

/// Ends with its object, and with the test process. Throws when etcd is missing or does not start.
class EtcdServer {
 public:
  explicit EtcdServer(EtcdTls tls = {}) : tls_(tls) {
    std::string name = (std::filesystem::temp_directory_path() / "turbine-etcd-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    directory_ = name;
    if (tls_.on) make_certificates(directory_);
    client_port_ = free_port();
    start();
  }
  ~EtcdServer() {
    kill();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  EtcdServer(const EtcdServer&) = delete;
  EtcdServer& operator=(const EtcdServer&) = delete;

  uint16_t port() const { return client_port_; }
  std::string file(const std::string& name) const { return directory_ + "/" + name; }
  /// "etcd://127.0.0.1:port", or etcds://.
  std::string url() const {
    return (tls_.on ? "etcds://127.0.0.1:" : "etcd://127.0.0.1:") + std::to_string(client_port_);
  }

  /// SIGKILL; the data stays.
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  void pause() { ::kill(pid_, SIGSTOP); }
  void resume() { ::kill(pid_, SIGCONT); }

  /// On the same port with the same data. Returns when it is healthy.
  void start() {
    const std::string scheme = tls_.on ? "https" : "http";
    const std::string client = scheme + "://127.0.0.1:" + std::to_string(client_port_);
    const std::string peer = "http://127.0.0.1:" + std::to_string(free_port());
    std::vector<std::string> arguments = {"etcd",
                                          "--data-dir",
                                          file("data"),
                                          "--listen-client-urls",
                                          client,
                                          "--advertise-client-urls",
                                          client,
                                          "--listen-peer-urls",
                                          peer,
                                          "--initial-advertise-peer-urls",
                                          peer,
                                          "--initial-cluster",
                                          "default=" + peer,
                                          "--heartbeat-interval",
                                          "50",
                                          "--election-timeout",
                                          "300"};
    const auto add = [&](const char* flag, const char* name) {
      arguments.insert(arguments.end(), {flag, file(name)});
    };
    if (tls_.on) {
      add("--cert-file", "server.pem");
      add("--key-file", "server.key");
    }
    if (tls_.client_certificates) add("--trusted-ca-file", "ca.pem");
    run_in_background(arguments);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!healthy()) {
      if (::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = 0;
      if (pid_ == 0 || std::chrono::steady_clock::now() > deadline) {
        throw std::runtime_error("etcd does not start (package etcd-server): " + log());
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  /// A POST by curl, as an operator would; returns the answer.
  std::string post(const std::string& path, const std::string& body,
                   const std::string& token = "") const {
    std::string command = "curl -s -m 5 " + curl_tls();
    if (!token.empty()) command += " -H 'Authorization: " + token + "'";
    command += " -d '" + body + "' " + http_url() + path;
    return output_of(command);
  }

  /// User root with this password; without a token nothing is answered from now on.
  void demand_password(const std::string& password) const {
    post("/v3/auth/user/add", R"({"name":"root","password":")" + password + "\"}");
    post("/v3/auth/role/add", R"({"name":"root"})");
    post("/v3/auth/user/grant", R"({"user":"root","role":"root"})");
    const std::string enabled = post("/v3/auth/enable", "{}");
    if (enabled.find("error") != std::string::npos) throw std::runtime_error(enabled);
  }

  static uint16_t free_port() {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(descriptor, reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(descriptor);
    return ntohs(address.sin_port);
  }

 private:
  std::string http_url() const {
    return (tls_.on ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(client_port_);
  }
  std::string curl_tls() const {
    return tls_.on ? "--cacert " + file("ca.pem") + " --cert " + file("client.pem") + " --key " +
                         file("client.key")
                   : "";
  }
  bool healthy() const {
    return output_of("curl -s -m 1 " + curl_tls() + " " + http_url() + "/health")
               .find("\"true\"") != std::string::npos;
  }
  std::string log() const {
    std::ifstream in(file("log"));
    const std::string all{std::istreambuf_iterator<char>(in), {}};
    return all.substr(all.size() > 2000 ? all.size() - 2000 : 0);
  }

  static std::string output_of(const std::string& command) {
    FILE* pipe = ::popen((command + " 2>/dev/null").c_str(), "r");
    std::string out;
    char part[4096];
    for (size_t count = 0; (count = ::fread(part, 1, sizeof part, pipe)) > 0;) {
      out.append(part, count);
    }
    ::pclose(pipe);
    return out;
  }

  void run_in_background(std::vector<std::string> arguments) {
    std::vector<char*> raw;
    raw.reserve(arguments.size() + 1);
    for (std::string& each : arguments) raw.push_back(each.data());
    raw.push_back(nullptr);
    const int log = ::open(file("log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(1);
      ::dup2(log, STDOUT_FILENO);
      ::dup2(log, STDERR_FILENO);
      ::execvp(raw[0], raw.data());
      ::_exit(127);
    }
    ::close(log);
  }

  const EtcdTls tls_;
  std::string directory_;
  uint16_t client_port_ = 0;
  pid_t pid_ = 0;
};

}  // namespace turbine::support
