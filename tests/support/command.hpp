// Commands of the shell, for tests.
#pragma once

#include <fmt/format.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <system_error>

namespace turbine::support {

struct CommandResult {
  int status = 0;      // as of waitpid(2)
  std::string output;  // standard output and error
};

inline CommandResult run_command(const std::string& command) {
  FILE* pipe = ::popen(("{ " + command + "; } 2>&1").c_str(), "re");
  if (pipe == nullptr) throw std::system_error(errno, std::generic_category(), "popen " + command);
  CommandResult result;
  char part[4096];
  for (size_t count = 0; (count = ::fread(part, 1, sizeof part, pipe)) > 0;) {
    result.output.append(part, count);
  }
  result.status = ::pclose(pipe);
  return result;
}

/// What `command` writes. Throws, with that, unless it ends with code 0.
inline std::string output_of(const std::string& command) {
  CommandResult result = run_command(command);
  if (result.status == 0) return std::move(result.output);
  const std::string end = WIFEXITED(result.status)
                              ? fmt::format("ended with code {}", WEXITSTATUS(result.status))
                              : fmt::format("ended with wait status {}", result.status);
  throw std::runtime_error(fmt::format("{}: {}: {}", command, end, result.output));
}

}  // namespace turbine::support
