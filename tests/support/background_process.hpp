// BackgroundProcess: a program that a test runs beside itself.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace turbine::support {

/// Ends with its object, and with the test process. Throws what does not succeed.
class BackgroundProcess {
 public:
  /// What it writes is appended to `log`. A program that is missing ends with code 127.
  BackgroundProcess(std::vector<std::string> arguments, const std::string& log) {
    std::vector<char*> raw;
    raw.reserve(arguments.size() + 1);
    for (std::string& each : arguments) raw.push_back(each.data());
    raw.push_back(nullptr);
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    require(out >= 0, "open " + log);
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(1);
      ::dup2(out, STDOUT_FILENO);
      ::dup2(out, STDERR_FILENO);
      ::execvp(raw[0], raw.data());
      ::_exit(127);
    }
    ::close(out);
    require(pid_ > 0, "fork");
  }
  ~BackgroundProcess() {
    if (ended_) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  BackgroundProcess(const BackgroundProcess&) = delete;
  BackgroundProcess& operator=(const BackgroundProcess&) = delete;

  /// How it ended, as of waitpid(2); nothing while it runs.
  std::optional<int> ended() {
    if (!ended_) wait(WNOHANG);
    return ended_;
  }
  /// SIGKILL. Throws when it had ended before.
  void kill() {
    if (ended()) throw std::runtime_error(fmt::format("it ended before, status {}", *ended_));
    send(SIGKILL);
    wait(0);
  }
  /// Nothing of it runs any more on return.
  void pause() {
    send(SIGSTOP);
    if (!wait(WUNTRACED)) throw std::runtime_error("it ended in place of being stopped");
  }
  void resume() { send(SIGCONT); }

 private:
  static void require(bool done, const std::string& what) {
    if (!done) throw std::system_error(errno, std::generic_category(), what);
  }
  void send(int signal) { require(!ended_ && ::kill(pid_, signal) == 0, "kill"); }
  /// Returns whether it has stopped.
  bool wait(int flags) {
    int status = 0;
    const pid_t seen = ::waitpid(pid_, &status, flags);
    require(seen >= 0, "waitpid");
    if (seen == 0) return false;
    if (WIFSTOPPED(status)) return true;
    ended_ = status;
    return false;
  }

  pid_t pid_ = -1;
  std::optional<int> ended_;
};

}  // namespace turbine::support
