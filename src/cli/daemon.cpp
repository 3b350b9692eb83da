#include "cli/daemon.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>

namespace turbine::cli {

namespace {

constexpr auto kLookInterval = std::chrono::milliseconds(10);
constexpr auto kPidWait = std::chrono::seconds(2);

struct Descriptor {
  int value = -1;
  ~Descriptor() {
    if (value >= 0) close(value);
  }
};

/// Between fork and exec: async-signal-safe calls only.
[[noreturn]] void become(int pid_file, int log, const char* program, char* const* arguments) {
  setsid();
  const int null = open("/dev/null", O_RDWR);
  dup2(null, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  fcntl(pid_file, F_SETFD, 0);  // the lock lives as long as the process
  char text[24];
  int length = 0;
  char digits[24];
  int count = 0;
  for (unsigned long rest = static_cast<unsigned long>(getpid()); rest > 0; rest /= 10) {
    digits[count++] = static_cast<char>('0' + rest % 10);
  }
  while (count > 0) text[length++] = digits[--count];
  text[length++] = '\n';
  if (ftruncate(pid_file, 0) != 0 || pwrite(pid_file, text, static_cast<size_t>(length), 0) < 0) {
    _exit(127);
  }
  execv(program, arguments);
  _exit(127);
}

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

Result<Address> parse_address(const std::string& host, uint16_t port) {
  Address address;
  auto* four = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* six = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, host.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    address.length = sizeof *four;
    return address;
  }
  if (inet_pton(AF_INET6, host.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    address.length = sizeof *six;
    return address;
  }
  return fail(Errc::invalid, "{} is not an IP address", host);
}

}  // namespace

Result<pid_t> Daemon::start(const std::vector<std::string>& arguments) const {
  Descriptor pid_file{open(pid_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)};
  if (pid_file.value < 0) return fail(Errc::io, "opening {}: {}", pid_path, std::strerror(errno));
  if (flock(pid_file.value, LOCK_EX | LOCK_NB) != 0) {
    return fail(Errc::conflict, "{} is running already", name);
  }
  Descriptor log{open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
  if (log.value < 0) return fail(Errc::io, "opening {}: {}", log_path, std::strerror(errno));
  char program[4096];
  const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  if (length <= 0) return fail(Errc::io, "/proc/self/exe can't be read");
  program[length] = '\0';
  std::vector<std::string> words = {"turbine"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const pid_t child = fork();
  if (child < 0) return fail(Errc::io, "starting {}: {}", name, std::strerror(errno));
  if (child == 0) become(pid_file.value, log.value, program, pointers.data());
  return child;
}

std::optional<pid_t> Daemon::running() const {
  while (waitpid(-1, nullptr, WNOHANG) > 0) {
  }
  Descriptor pid_file{open(pid_path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (pid_file.value < 0) return std::nullopt;
  if (flock(pid_file.value, LOCK_SH | LOCK_NB) == 0) return std::nullopt;  // nobody holds it
  char text[24] = {};
  if (pread(pid_file.value, text, sizeof text - 1, 0) <= 0) return pid_t{0};
  return static_cast<pid_t>(std::strtol(text, nullptr, 10));
}

void Daemon::ask_to_stop() const {
  auto pid = running();
  // One that was started just now holds its file before it has written its number there.
  const auto deadline = std::chrono::steady_clock::now() + kPidWait;
  while (pid.has_value() && *pid <= 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(kLookInterval);
    pid = running();
  }
  if (pid.has_value() && *pid > 0) kill(*pid, SIGTERM);
}

Result<> Daemon::wait_stopped(int wait_ms) const {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
  while (running().has_value()) {
    if (std::chrono::steady_clock::now() >= deadline) {
      return fail(Errc::timeout, "{} (pid {}) has not ended after {} s; see {}", name, *running(),
                  wait_ms / 1000, log_path);
    }
    std::this_thread::sleep_for(kLookInterval);
  }
  return {};
}

Result<bool> Daemon::stop(int wait_ms) const {
  if (!running().has_value()) return false;
  ask_to_stop();
  TRY(wait_stopped(wait_ms));
  return true;
}

std::string Daemon::log_tail(size_t count) const {
  std::ifstream file(log_path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(std::move(line));
    if (lines.size() > count) lines.erase(lines.begin());
  }
  std::string out;
  for (const std::string& line : lines) out += "    " + line + "\n";
  return out;
}

namespace {

/// Binds, listens and closes again. The port, which `port` 0 leaves to the system.
Result<uint16_t> try_port(const std::string& host, uint16_t port) {
  Address address = TRY(parse_address(host, port));
  Descriptor socket_{socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (socket_.value < 0) return fail(Errc::io, "socket: {}", std::strerror(errno));
  const int yes = 1;
  setsockopt(socket_.value, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  auto* raw = reinterpret_cast<sockaddr*>(&address.storage);
  if (bind(socket_.value, raw, address.length) != 0 || listen(socket_.value, 1) != 0) {
    if (errno == EADDRINUSE) {
      return fail(Errc::exists, "port {} of {} is taken by another process", port, host);
    }
    return fail(Errc::invalid, "port {} of {} can't be used: {}", port, host, std::strerror(errno));
  }
  if (getsockname(socket_.value, raw, &address.length) != 0) {
    return fail(Errc::io, "getsockname: {}", std::strerror(errno));
  }
  // The port stands at the same place in both families.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_port);
}

}  // namespace

Result<> check_port_free(const std::string& host, uint16_t port) {
  TRY(try_port(host, port));
  return {};
}

Result<uint16_t> find_free_port(const std::string& host) {
  return try_port(host, 0);
}

}  // namespace turbine::cli
