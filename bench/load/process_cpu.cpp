#include "process_cpu.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace turbine::bench {

Result<std::vector<WatchedProcess>> processes_of(const std::string& dir) {
  std::vector<WatchedProcess> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(dir + "/run", error)) {
    if (entry.path().extension() != ".pid") continue;
    WatchedProcess process{entry.path().stem(), 0};
    std::ifstream(entry.path()) >> process.pid;
    if (process.pid > 0 && cpu_seconds(process.pid) >= 0) found.push_back(std::move(process));
  }
  if (found.empty()) return fail(Errc::not_found, "no process of an array runs in {}", dir);
  std::ranges::sort(found, {}, &WatchedProcess::name);
  return found;
}

double cpu_seconds(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return -1;
  // The command's name is in parentheses and may hold anything; utime and stime are the 12th and
  // 13th fields behind it.
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double own_cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](timeval t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double machine_cpu_seconds() {
  std::ifstream file("/proc/stat");
  std::string name;
  double user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0, steal = 0;
  file >> name >> user >> nice >> system >> idle >> wait >> irq >> softirq >> steal;
  return (user + nice + system + irq + softirq + steal) /
         static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::vector<CpuUse> cpu_rows(const std::vector<CpuUse>& server, double client_seconds,
                             double machine_seconds) {
  std::vector<CpuUse> rows = server;
  double blades = 0, sum = 0;
  for (const CpuUse& use : server) {
    sum += use.seconds;
    if (use.name.starts_with("blade-")) blades += use.seconds;
  }
  if (blades > 0) rows.push_back({"blades", blades});
  if (!server.empty()) rows.push_back({"server", sum});
  rows.push_back({"client", client_seconds});
  rows.push_back({"others", std::max(machine_seconds - sum - client_seconds, 0.0)});
  return rows;
}

void CpuWatch::begin() {
  before_.clear();
  for (const auto& process : processes_) before_.push_back(cpu_seconds(process.pid));
  own_before_ = own_cpu_seconds();
  machine_before_ = machine_cpu_seconds();
}

std::vector<CpuUse> CpuWatch::used() const {
  std::vector<CpuUse> uses;
  for (size_t i = 0; i < before_.size(); ++i) {
    const double now = cpu_seconds(processes_[i].pid);
    if (now >= 0 && before_[i] >= 0) uses.push_back({processes_[i].name, now - before_[i]});
  }
  return uses;
}

}  // namespace turbine::bench
