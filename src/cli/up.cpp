#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "base/rng.hpp"
#include "cli/array_processes.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "etcd/options.hpp"

namespace turbine::cli {

namespace {

constexpr uint64_t kBladeBytesMin = uint64_t{256} << 20;

struct UpOptions {
  std::optional<uint32_t> blades, gateways, partitions, replicas;
  std::optional<uint16_t> s3_port, nfs_port, portmap_port, admin_port;
  std::optional<std::string> blade_size, listen;
  std::optional<uint32_t> managers;
  std::optional<std::string> cluster_store, store_ca, store_cert, store_key, store_user,
      store_password_file;
};

std::string hex_text(size_t digits) {
  std::string out;
  while (out.size() < digits) out += fmt::format("{:016x}", secure_random_u64());
  out.resize(digits);
  return out;
}

/// What can't change once the directory is formatted.
Result<> check_unchanged(const ArraySettings& settings, const UpOptions& options,
                         std::optional<uint64_t> blade_bytes) {
  const auto differs = [](std::string_view flag, auto asked, auto stored) -> Result<> {
    if (!asked.has_value() || *asked == stored) return {};
    return fail(Errc::conflict,
                "this array was made with {} {}; leave the flag out or use another "
                "--dir",
                flag, stored);
  };
  TRY(differs("--blades", options.blades, settings.blades));
  TRY(differs("--partitions", options.partitions, settings.partitions));
  TRY(differs("--blade-size (bytes)", blade_bytes, settings.blade_bytes));
  return {};
}

/// A path that the processes, which may run elsewhere, find too.
std::string absolute(const std::string& path) {
  return path.empty() ? path : std::filesystem::absolute(path).lexically_normal().string();
}

/// How etcd is reached may change, but not whether it is etcd: the map would stay behind.
Result<> take_store(ArraySettings& settings, const UpOptions& options, bool formatted) {
  const std::string address = options.cluster_store.value_or(settings.cluster_store);
  if (!address.empty()) TRY(etcd::parse_endpoints(address));
  if (formatted && address.empty() != settings.cluster_store.empty()) {
    return fail(Errc::conflict, "this array was made {} --cluster-store; its map is there",
                settings.cluster_store.empty() ? "without" : "with");
  }
  settings.cluster_store = address;
  settings.store_ca = absolute(options.store_ca.value_or(settings.store_ca));
  settings.store_cert = absolute(options.store_cert.value_or(settings.store_cert));
  settings.store_key = absolute(options.store_key.value_or(settings.store_key));
  settings.store_user = options.store_user.value_or(settings.store_user);
  settings.store_password_file =
      absolute(options.store_password_file.value_or(settings.store_password_file));
  settings.managers = options.managers.value_or(settings.managers);
  if (address.empty() && settings.managers > 1) {
    return fail(Errc::invalid, "--managers {}: several managers need --cluster-store etcd://…",
                settings.managers);
  }
  return {};
}

void take_changeable(ArraySettings& settings, const UpOptions& options) {
  settings.gateways = options.gateways.value_or(settings.gateways);
  settings.s3_port = options.s3_port.value_or(settings.s3_port);
  settings.nfs_port = options.nfs_port.value_or(settings.nfs_port);
  settings.portmap_port = options.portmap_port.value_or(settings.portmap_port);
  settings.admin_port = options.admin_port.value_or(settings.admin_port);
  settings.listen = options.listen.value_or(settings.listen);
  settings.replicas = options.replicas.value_or(settings.replicas);
}

Result<ArraySettings> settle(const ArrayDir& dir, const UpOptions& options) {
  std::optional<uint64_t> blade_bytes;
  if (options.blade_size.has_value()) {
    blade_bytes = TRY(parse_size(*options.blade_size));
    if (*blade_bytes < kBladeBytesMin || *blade_bytes % 4096 != 0) {
      return fail(Errc::invalid, "--blade-size {}: at least 256MiB, a multiple of 4 KiB",
                  *options.blade_size);
    }
  }
  if (dir.formatted()) {
    ArraySettings settings = TRY(dir.load());
    TRY(check_unchanged(settings, options, blade_bytes));
    take_changeable(settings, options);
    TRY(take_store(settings, options, true));
    return settings;
  }
  ArraySettings settings;
  take_changeable(settings, options);
  TRY(take_store(settings, options, false));
  settings.blades = options.blades.value_or(settings.blades);
  settings.partitions = options.partitions.value_or(settings.partitions);
  settings.blade_bytes = blade_bytes.value_or(settings.blade_bytes);
  settings.array_id = hex_text(32);
  settings.secret = secure_random_text(48);
  settings.admin_token = secure_random_text(40);
  settings.access_key = "TB" + secure_random_text(18);
  settings.secret_key = secure_random_text(40);
  for (uint32_t i = 0; i < settings.blades; ++i) {
    settings.incarnations.push_back(secure_random_u64());
  }
  return settings;
}

/// A new array that was not told where gets another port when that of NFS is taken; later its
/// clients have the port in their mounts.
Result<> choose_nfs_port(ArraySettings& settings, const UpOptions& options, bool formatted) {
  if (formatted || options.nfs_port) return {};
  if (check_port_free(settings.listen, settings.nfs_port).ok()) return {};
  settings.nfs_port = TRY(find_free_port(settings.listen));
  return {};
}

Result<> check_ports(const ArraySettings& settings) {
  std::vector<std::pair<std::string, uint16_t>> ports = {{"--s3-port", settings.s3_port},
                                                         {"--nfs-port", settings.nfs_port}};
  if (settings.portmap_port != 0) ports.emplace_back("--portmap-port", settings.portmap_port);
  for (uint32_t i = 1; i <= settings.managers; ++i) {
    ports.emplace_back(i == 1 ? "--admin-port" : fmt::format("--admin-port of manager {}", i),
                       settings.admin_port_of(i));
  }
  for (size_t i = 0; i < ports.size(); ++i) {
    for (size_t j = i + 1; j < ports.size(); ++j) {
      if (ports[i].second != ports[j].second) continue;
      return fail(Errc::invalid, "{} and {} are both {}", ports[i].first, ports[j].first,
                  ports[i].second);
    }
  }
  for (const auto& [flag, port] : ports) {
    if (auto free = check_port_free(settings.listen, port); !free.ok()) {
      return fail(free.error().code, "{}; choose another with {} PORT", free.error().context, flag);
    }
  }
  return {};
}

Result<> check_nothing_runs(const ArrayDir& dir, const ArraySettings& settings) {
  for (const std::string& name : ArrayDir::process_names(settings)) {
    const auto pid = daemon_of(dir, name).running();
    if (!pid.has_value()) continue;
    return fail(Errc::conflict,
                "the array in {} is up ({} runs as pid {}); `turbine down --dir {}` "
                "stops it, `turbine blade start N --dir {}` starts one blade",
                dir.root(), name, *pid, dir.root(), dir.root());
  }
  return {};
}

Result<> start_all(const ArrayDir& dir, const ArraySettings& settings) {
  const std::vector<std::string> names = ArrayDir::process_names(settings);
  Result<> started;
  for (const std::string& name : names) {
    started = start_process(dir, name);
    if (!started.ok()) break;
  }
  if (started.ok()) started = wait_ready(dir, names, kReadyWaitMs);
  if (started.ok()) return {};
  for (const std::string& name : names) daemon_of(dir, name).ask_to_stop();
  for (const std::string& name : names) {
    if (auto stopped = daemon_of(dir, name).wait_stopped(kStopWaitMs); !stopped.ok()) {
      report(stopped.error());
    }
  }
  return started;
}

void print_up(const Session& session, const ArrayDir& dir, const ArraySettings& settings) {
  if (session.json()) {
    boost::json::object out;
    out["dir"] = dir.root();
    out["endpoint"] = settings.endpoint_url();
    out["region"] = settings.region;
    out["access_key"] = settings.access_key;
    out["secret_key"] = settings.secret_key;
    out["admin"] = settings.admin_urls();
    out["env"] = dir.path("env");
    out["blades"] = settings.blades;
    out["gateways"] = settings.gateways;
    out["managers"] = settings.managers;
    out["nfs"] = settings.nfs_address();
    out["mount"] = mount_command(settings.nfs_address());
    print_json(out);
    return;
  }
  fmt::print(
      "The array in {0} is up: {1} blades, {2} gateway{3}, {10} manager{11}.\n\n"
      "  S3 endpoint  {4}   (region {5}, path-style)\n"
      "  access key   {6}\n"
      "  secret key   {7}\n"
      "  admin API    {8}\n"
      "  NFS          {9}\n\n"
      "  . {0}/env    sets all of this for the commands below\n\n"
      "  aws --endpoint-url $AWS_ENDPOINT_URL s3 mb s3://photos\n"
      "  aws --endpoint-url $AWS_ENDPOINT_URL s3 cp FILE s3://photos/\n"
      "  curl --aws-sigv4 aws:amz:{5}:s3 -u $AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY "
      "-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' $AWS_ENDPOINT_URL/photos/FILE\n"
      "  rclone --s3-provider Other --s3-env-auth --s3-endpoint {4} --s3-region {5} ls :s3:photos\n"
      "  {12}\n"
      "  turbine status; turbine down --dir {0}\n",
      dir.root(), settings.blades, settings.gateways, settings.gateways == 1 ? "" : "s",
      settings.endpoint_url(), settings.region, settings.access_key, settings.secret_key,
      settings.admin_urls(), settings.nfs_address(), settings.managers,
      settings.managers == 1 ? "" : "s", mount_command(settings.nfs_address()));
}

Result<ArraySettings> bring_up(const ArrayDir& dir, const UpOptions& options) {
  const DirLock lock = TRY(DirLock::take(dir, DirLock::Kind::exclusive, 0));
  const bool formatted = dir.formatted();
  ArraySettings settings = TRY(settle(dir, options));
  TRY(check_nothing_runs(dir, settings));
  TRY(choose_nfs_port(settings, options, formatted));
  TRY(check_ports(settings));
  TRY(dir.make_directories(settings));
  TRY(dir.save(settings));
  TRY(write_configs(dir, settings));
  TRY(start_all(dir, settings));
  TRY(dir.save_env(settings));
  return settings;
}

int run_up(Session& session, const UpOptions& options) {
  const ArrayDir dir(session.dir);
  const auto settings = bring_up(dir, options);
  if (!settings.ok()) {
    // 6 is for an array that does not answer; here it was not there yet.
    const Errc code = settings.error().code;
    if (code == Errc::unavailable || code == Errc::timeout) {
      return report(kFailure, settings.error().context);
    }
    return report(settings.error());
  }
  print_up(session, dir, *settings);
  return kOk;
}

}  // namespace

void add_up(CLI::App& app, Session& session) {
  auto options = std::make_shared<UpOptions>();
  CLI::App* command =
      add_command(app, session, "up", "start an array on this machine; formats DIR on first use",
                  "turbine up --dir ./array --blades 6 --s3-port 9000",
                  [&session, options] { return run_up(session, *options); });
  add_dir_option(command, session, true);
  command->add_option("--blades", options->blades, "blades of a new array (6)")
      ->check(CLI::Range(1, 64));
  command->add_option("--gateways", options->gateways, "gateways (1)")->check(CLI::Range(1, 16));
  command->add_option("--s3-port", options->s3_port, "port of S3 (9000)")
      ->check(CLI::Range(1, 65535));
  command
      ->add_option("--nfs-port", options->nfs_port,
                   "port of NFS and MOUNT (2049; of a new array another one when that is taken)")
      ->check(CLI::Range(1, 65535));
  command
      ->add_option("--portmap-port", options->portmap_port,
                   "port of a port mapper, for clients that ask port 111 (0: none)")
      ->check(CLI::Range(0, 65535));
  command->add_option("--admin-port", options->admin_port, "port of the admin API (9090)")
      ->check(CLI::Range(1, 65535));
  command->add_option("--blade-size", options->blade_size, "device of a new blade (8GiB, sparse)");
  command->add_option("--partitions", options->partitions, "metadata partitions (256)")
      ->check(CLI::Range(1, 4096));
  command->add_option("--replicas", options->replicas, "of each metadata partition (3)")
      ->check(CLI::Range(1, 3));
  command->add_option("--listen", options->listen, "address of the S3 and admin ports (127.0.0.1)");
  command
      ->add_option("--managers", options->managers,
                   "managers, of which one leads (1; more with --cluster-store)")
      ->check(CLI::Range(1, 5));
  command->add_option("--cluster-store", options->cluster_store,
                      "keep the map in etcd: etcd://HOST:PORT[,HOST:PORT], etcds:// for TLS "
                      "(embedded in DIR/manager)");
  command->add_option("--store-ca", options->store_ca, "PEM of etcd's authority (the system's)");
  command->add_option("--store-cert", options->store_cert, "PEM of a client certificate (none)");
  command->add_option("--store-key", options->store_key, "PEM of its key");
  command->add_option("--store-user", options->store_user, "user of etcd (none)");
  command->add_option("--store-password-file", options->store_password_file,
                      "file that holds its password");
}

}  // namespace turbine::cli
