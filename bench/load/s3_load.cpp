// turbine-s3-load: asks an S3 server for one kind of work over many connections and says how fast
// it was and what CPU time each server process took. bench/README.md has examples.
#include <CLI/CLI.hpp>

#include "load_report.hpp"
#include "s3/text.hpp"
#include "workload.hpp"

namespace turbine::bench {
namespace {

struct Arguments {
  std::string dir, endpoint, access_key, secret_key, region;
  std::vector<std::string> pids;
  std::string output = "text";
  bool fill = false;
  LoadOptions load;
};

const std::map<std::string, Workload> kWorkloads = {
    {"put", Workload::put},   {"get", Workload::get},       {"head", Workload::head},
    {"list", Workload::list}, {"delete", Workload::remove}, {"mixed", Workload::mixed}};
const std::map<std::string, KeyPattern> kPatterns = {{"flat", KeyPattern::flat},
                                                     {"spread", KeyPattern::spread},
                                                     {"new-prefixes", KeyPattern::new_prefixes}};
const std::map<std::string, KeyOrder> kOrders = {{"random", KeyOrder::random},
                                                 {"sequential", KeyOrder::sequential}};

void add_options(CLI::App& app, Arguments& to) {
  LoadOptions& load = to.load;
  app.add_option("workload", load.workload, "what to do")
      ->required()
      ->transform(CLI::CheckedTransformer(kWorkloads));
  app.add_option("--dir", to.dir, "the array's directory: endpoint, keys, processes");
  app.add_option("--endpoint", to.endpoint, "http://HOST:PORT, in place of the array's");
  app.add_option("--access-key", to.access_key, "in place of the array's");
  app.add_option("--secret-key", to.secret_key, "in place of the array's");
  app.add_option("--region", to.region, "in place of the array's");
  app.add_option("--pid", to.pids, "NAME=PID of a server process to watch, when not of DIR");
  app.add_option("--bucket", load.bucket, "made when missing")->capture_default_str();
  app.add_option("--prefix", load.prefix, "put before every key; of listings");
  app.add_option("--pattern", load.pattern,
                 "keys: flat (one directory), spread (256), new-prefixes (two of its own each)")
      ->transform(CLI::CheckedTransformer(kPatterns));
  app.add_option("--order", load.order, "of GET and HEAD over the keys")
      ->transform(CLI::CheckedTransformer(kOrders));
  app.add_option("-s,--size", load.object_bytes, "bytes of an object: 4096, 4KiB")
      ->transform(CLI::AsSizeValue(false))
      ->capture_default_str();
  app.add_option("-c,--connections", load.connections)
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--threads", load.threads, "of the client")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("-n,--count", load.count,
                 "keys there are; for put and delete: keys to do at most, 0 without bound")
      ->capture_default_str();
  app.add_option("-d,--duration", load.seconds, "seconds; 0: until --count keys are done")
      ->capture_default_str();
  app.add_option("--warmup", load.warmup_seconds, "seconds before the measured ones");
  app.add_flag("--fill", to.fill, "put the keys first, not measured");
  app.add_flag("--verify", load.verify, "compare the bodies of GETs with what was put");
  app.add_option("-o,--output", to.output)->check(CLI::IsMember({"text", "json"}));
}

Result<S3Target> settle_target(const Arguments& from) {
  S3Target target;
  if (!from.dir.empty()) target = TRY(target_of(from.dir));
  if (!from.endpoint.empty()) TRY(set_endpoint(target, from.endpoint));
  if (!from.access_key.empty()) target.access_key = from.access_key;
  if (!from.secret_key.empty()) target.secret_key = from.secret_key;
  if (!from.region.empty()) target.region = from.region;
  return target;
}

Result<std::vector<WatchedProcess>> settle_processes(const Arguments& from) {
  std::vector<WatchedProcess> processes;
  if (!from.dir.empty()) processes = TRY(processes_of(from.dir));
  for (const std::string& text : from.pids) {
    const size_t equals = text.find('=');
    const auto pid = s3::parse_decimal(std::string_view(text).substr(
        std::min(equals == std::string::npos ? text.size() : equals + 1, text.size())));
    if (!pid) return fail(Errc::invalid, "--pid {}: write NAME=PID", text);
    processes.push_back({text.substr(0, equals), static_cast<int>(*pid)});
  }
  return processes;
}

Result<int> run(Arguments& from) {
  LoadOptions& load = from.load;
  load.threads = std::min(load.threads, load.connections);
  const bool makes_keys = load.workload == Workload::put || load.workload == Workload::remove;
  if (load.count == 0 && !makes_keys) return fail(Errc::invalid, "--count 0 is for put and delete");
  if (load.seconds <= 0 && (load.count == 0 || !makes_keys)) {
    return fail(Errc::invalid, "--duration 0 is for put and delete with a --count");
  }
  const S3Target target = TRY(settle_target(from));
  CpuWatch cpu(TRY(settle_processes(from)));
  const ContentPool pool(load.object_bytes);
  TRY(make_bucket(target, load.bucket));
  if (from.fill) {
    LoadOptions fill = load;
    fill.workload = Workload::put;
    fill.seconds = fill.warmup_seconds = 0;
    if (Load(target, fill, pool, cpu).run().errors() > 0) return fail(Errc::io, "the fill failed");
  }
  const LoadResult result = Load(target, load, pool, cpu).run();
  const bool json = from.output == "json";
  fmt::print("{}", json ? report_json(load, result) : report_text(load, result));
  return result.errors() > 0 ? 1 : 0;
}

}  // namespace
}  // namespace turbine::bench

int main(int argc, char** argv) {
  CLI::App app("Loads an S3 server and says how fast it was, and what CPU each process took.");
  turbine::bench::Arguments arguments;
  turbine::bench::add_options(app, arguments);
  CLI11_PARSE(app, argc, argv);
  const auto code = turbine::bench::run(arguments);
  if (code.ok()) return *code;
  fmt::print(stderr, "turbine-s3-load: {}\n", code.error().text());
  return code.failed_with(turbine::Errc::invalid) ? 2 : 1;
}
