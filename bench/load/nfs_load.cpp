// turbine-nfs-load: asks an NFS server for one kind of work over many connections and says how fast
// it was and what CPU time each server process took. bench/README.md has examples.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <charconv>

#include "latencies.hpp"
#include "nfs_runner.hpp"

namespace turbine::bench {
namespace {

const std::vector<std::string> kWorkloads = {"null",   "getattr",     "lookup", "access",
                                             "create", "remove",      "read4k", "write4k",
                                             "read",   "readdirplus", "write"};

struct Arguments {
  std::string dir, output = "text";
  std::vector<std::string> pids;
  NfsLoadOptions load;
};

void add_options(CLI::App& app, Arguments& to) {
  NfsLoadOptions& load = to.load;
  NfsTarget& target = load.target;
  app.add_option("workload", load.workload, "what to do")
      ->required()
      ->check(CLI::IsMember(kWorkloads));
  app.add_option("export", target.export_path, "its path, /BUCKET")->required();
  app.add_option("--host", target.host, "an address")->capture_default_str();
  app.add_option("-p,--port", target.port, "of NFS")->capture_default_str();
  app.add_option("--mount-port", target.mount_port, "of MOUNT, where it is another one");
  app.add_option("--uid", target.uid)->capture_default_str();
  app.add_option("--gid", target.gid)->capture_default_str();
  app.add_option("--dir", to.dir, "an array's directory: its processes are watched");
  app.add_option("--pid", to.pids, "NAME=PID of a server process to watch, when not of DIR");
  app.add_option("-c,--connections", load.connections)
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--depth", load.depth, "calls in flight on each connection")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("-n,--files", load.files, "small files to use; for remove: how many at most")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("-s,--size", load.file_bytes, "bytes of the files of read, write, read4k, write4k")
      ->transform(CLI::AsSizeValue(false))
      ->capture_default_str();
  app.add_option("-d,--duration", load.seconds, "seconds")->capture_default_str();
  app.add_option("--warmup", load.warmup_seconds, "seconds before the measured ones");
  app.add_option("--work-directory", load.directory, "below the export")->capture_default_str();
  app.add_option("-o,--output", to.output)->check(CLI::IsMember({"text", "json"}));
}

Result<std::vector<WatchedProcess>> settle_processes(const Arguments& from) {
  std::vector<WatchedProcess> processes;
  if (!from.dir.empty()) processes = TRY(processes_of(from.dir));
  for (const std::string& text : from.pids) {
    const size_t equals = std::min(text.find('='), text.size());
    WatchedProcess process{text.substr(0, equals), 0};
    std::from_chars(text.data() + std::min(equals + 1, text.size()), text.data() + text.size(),
                    process.pid);
    if (process.pid <= 0) return fail(Errc::invalid, "--pid {}: write NAME=PID", text);
    processes.push_back(std::move(process));
  }
  return processes;
}

std::string report_text(const NfsLoadOptions& options, const NfsLoadResult& result) {
  std::string text = fmt::format("{} connections of depth {}, {:.1f} s\n", options.connections,
                                 options.depth, result.seconds);
  text += fmt::format("{:<12}{:>10}{:>8}{:>11}{:>11}{:>10}{:>10}{:>10}{:>10}\n", "operation",
                      "count", "errors", "per s", "MB/s", "p50 ms", "p99 ms", "max ms", "items/s");
  uint64_t count = 0;
  for (const auto& [name, stats] : result.operations) {
    count += stats.count;
    text += fmt::format(
        "{:<12}{:>10}{:>8}{:>11.1f}{:>11.1f}{:>10.2f}{:>10.2f}{:>10.2f}{:>10.0f}\n", name,
        stats.count, stats.errors, static_cast<double>(stats.count) / result.seconds,
        static_cast<double>(stats.bytes) / 1e6 / result.seconds,
        percentile_ms(stats.latencies_us, 0.5), percentile_ms(stats.latencies_us, 0.99),
        percentile_ms(stats.latencies_us, 1), static_cast<double>(stats.items) / result.seconds);
  }
  text += fmt::format("{:<12}{:>10}{:>8}{:>11}\n", "process", "CPU s", "cores", "us per op");
  for (const CpuUse& use :
       cpu_rows(result.server_cpu, result.client_cpu_seconds, result.machine_cpu_seconds)) {
    text += fmt::format("{:<12}{:>10.2f}{:>8.2f}{:>11.1f}\n", use.name, use.seconds,
                        use.seconds / result.seconds,
                        use.seconds * 1e6 / static_cast<double>(std::max<uint64_t>(count, 1)));
  }
  return text;
}

std::string report_json(const NfsLoadOptions& options, const NfsLoadResult& result) {
  boost::json::object operations, cpu;
  for (const auto& [name, stats] : result.operations) {
    operations[name] = {{"count", stats.count},
                        {"errors", stats.errors},
                        {"per_second", static_cast<double>(stats.count) / result.seconds},
                        {"bytes_per_second", static_cast<double>(stats.bytes) / result.seconds},
                        {"items_per_second", static_cast<double>(stats.items) / result.seconds},
                        {"p50_ms", percentile_ms(stats.latencies_us, 0.5)},
                        {"p99_ms", percentile_ms(stats.latencies_us, 0.99)},
                        {"max_ms", percentile_ms(stats.latencies_us, 1)}};
  }
  for (const CpuUse& use :
       cpu_rows(result.server_cpu, result.client_cpu_seconds, result.machine_cpu_seconds))
    cpu[use.name] = use.seconds;
  const boost::json::object report = {
      {"workload", options.workload}, {"connections", options.connections},
      {"depth", options.depth},       {"seconds", result.seconds},
      {"operations", operations},     {"cpu_seconds", cpu}};
  return boost::json::serialize(report) + "\n";
}

Result<int> run(const Arguments& from) {
  const NfsLoadOptions& load = from.load;
  if (load.seconds <= 0) return fail(Errc::invalid, "--duration must be more than 0");
  if (load.file_bytes == 0 || load.file_bytes % kTransferBytes != 0)
    return fail(Errc::invalid, "--size must be whole MiB");
  CpuWatch cpu(TRY(settle_processes(from)));
  NfsTree tree = TRY(NfsTree::open(load.target));
  const auto workload = make_nfs_workload(load);
  TRY(workload->prepare(tree));
  const NfsLoadResult result = TRY(run_nfs_load(load.target, load, *workload, cpu));
  fmt::print("{}", from.output == "json" ? report_json(load, result) : report_text(load, result));
  TRY(workload->clean(tree));
  return result.errors() > 0 ? 1 : 0;
}

}  // namespace
}  // namespace turbine::bench

int main(int argc, char** argv) {
  CLI::App app("Loads an NFS server and says how fast it was, and what CPU each process took.");
  turbine::bench::Arguments arguments;
  turbine::bench::add_options(app, arguments);
  CLI11_PARSE(app, argc, argv);
  const auto code = turbine::bench::run(arguments);
  if (code.ok()) return *code;
  fmt::print(stderr, "turbine-nfs-load: {}\n", code.error().text());
  return code.failed_with(turbine::Errc::invalid) ? 2 : 1;
}
