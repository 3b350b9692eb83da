#include "cli/array_dir.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include "base/config_file.hpp"

namespace turbine::cli {

namespace {

constexpr size_t kSocketPathMax = 100;  // sun_path holds 107

Result<uint64_t> parse_hex(const std::string& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return fail(Errc::invalid, "{} is not a hexadecimal number", text);
  }
  return value;
}

Result<> make_directory(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return fail(Errc::io, "creating {}: {}", path, error.message());
  return {};
}

std::string host_and_port(const std::string& host, uint16_t port) {
  // 0.0.0.0 is for listening; who asks is on this machine.
  const std::string reach = host == "0.0.0.0" ? "127.0.0.1" : host == "::" ? "::1" : host;
  const bool six = reach.find(':') != std::string::npos;
  return six ? fmt::format("[{}]:{}", reach, port) : fmt::format("{}:{}", reach, port);
}

std::string url(const std::string& host, uint16_t port) {
  return "http://" + host_and_port(host, port);
}

}  // namespace

std::string ArraySettings::admin_urls() const {
  std::string urls;
  for (uint32_t i = 1; i <= managers; ++i) {
    urls += (urls.empty() ? "" : ",") + url(listen, admin_port_of(i));
  }
  return urls;
}
std::string ArraySettings::endpoint_url() const {
  return url(listen, s3_port);
}

std::string ArraySettings::nfs_address() const {
  return host_and_port(listen, nfs_port);
}

std::string mount_command(std::string_view address) {
  const size_t colon = std::min(address.rfind(':'), address.size());
  const std::string_view host = address.substr(0, colon);
  const std::string_view port = address.substr(std::min(colon + 1, address.size()));
  return fmt::format(
      "mount -t nfs -o vers=3,proto={0},port={1},mountport={1},nolock {2}:/BUCKET /mnt",
      host.starts_with('[') ? "tcp6" : "tcp", port, host);
}

ArrayDir::ArrayDir(const std::string& dir) {
  root_ = std::filesystem::absolute(dir).lexically_normal().string();
  while (root_.size() > 1 && root_.back() == '/') root_.pop_back();
}

std::string ArrayDir::config_path(const std::string& process) const {
  return path("etc/" + process + ".toml");
}
std::string ArrayDir::pid_path(const std::string& process) const {
  return path("run/" + process + ".pid");
}
std::string ArrayDir::log_path(const std::string& process) const {
  return path("log/" + process + ".log");
}
std::string ArrayDir::http_path(const std::string& process) const {
  return path("run/" + process + ".http");
}

std::string ArrayDir::rpc_address(const std::string& process, const std::string& array_id) const {
  std::string socket = path("run/" + process + ".sock");
  if (socket.size() > kSocketPathMax) {
    socket = fmt::format("/tmp/turbine-{}/{}.sock", array_id.substr(0, 16), process);
  }
  return "unix:" + socket;
}

bool ArrayDir::formatted() const {
  return std::filesystem::exists(path("array.toml"));
}

Result<ArraySettings> ArrayDir::load() const {
  if (!formatted()) return fail(Errc::not_found, "{} holds no array", root_);
  ConfigFile file = TRY(ConfigFile::load(path("array.toml")));
  ArraySettings settings;
  settings.array_id = TRY(file.text("array_id"));
  settings.secret = TRY(file.text("secret"));
  settings.admin_token = TRY(file.text("admin_token"));
  settings.access_key = TRY(file.text("access_key"));
  settings.secret_key = TRY(file.text("secret_key"));
  settings.region = TRY(file.text("region"));
  settings.listen = TRY(file.text("listen"));
  settings.blades = static_cast<uint32_t>(TRY(file.number("blades")));
  settings.gateways = static_cast<uint32_t>(TRY(file.number("gateways")));
  settings.partitions = static_cast<uint32_t>(TRY(file.number("partitions")));
  settings.replicas = static_cast<uint32_t>(TRY(file.number_or("replicas", 3)));
  settings.s3_port = static_cast<uint16_t>(TRY(file.number("s3_port")));
  settings.nfs_port = static_cast<uint16_t>(TRY(file.number("nfs_port")));
  settings.portmap_port = static_cast<uint16_t>(TRY(file.number_or("portmap_port", 0)));
  settings.admin_port = static_cast<uint16_t>(TRY(file.number("admin_port")));
  settings.blade_bytes = TRY(file.number("blade_bytes"));
  settings.managers = static_cast<uint32_t>(TRY(file.number_or("managers", 1)));
  settings.cluster_store = TRY(file.text_or("store.address", ""));
  settings.store_ca = TRY(file.text_or("store.ca_file", ""));
  settings.store_cert = TRY(file.text_or("store.cert_file", ""));
  settings.store_key = TRY(file.text_or("store.key_file", ""));
  settings.store_user = TRY(file.text_or("store.user", ""));
  settings.store_password_file = TRY(file.text_or("store.password_file", ""));
  for (uint32_t i = 1; i <= settings.blades; ++i) {
    const std::string text = TRY(file.text(fmt::format("incarnation.blade-{}", i)));
    settings.incarnations.push_back(TRY(parse_hex(text)));
  }
  TRY(file.finish());
  return settings;
}

Result<> ArrayDir::save(const ArraySettings& settings) const {
  ConfigText file("The array in this directory. Written by `turbine up`; holds secrets.");
  file.set("array_id", settings.array_id);
  file.set("secret", settings.secret);
  file.set("admin_token", settings.admin_token);
  file.set("access_key", settings.access_key);
  file.set("secret_key", settings.secret_key);
  file.set("region", settings.region);
  file.set("listen", settings.listen);
  file.set("blades", settings.blades);
  file.set("gateways", settings.gateways);
  file.set("partitions", settings.partitions);
  file.set("replicas", settings.replicas);
  file.set("s3_port", settings.s3_port);
  file.set("nfs_port", settings.nfs_port);
  file.set("portmap_port", settings.portmap_port);
  file.set("admin_port", settings.admin_port);
  file.set("blade_bytes", settings.blade_bytes);
  file.set("managers", settings.managers);
  if (!settings.cluster_store.empty()) {
    file.set("store.address", settings.cluster_store);
    file.set("store.ca_file", settings.store_ca);
    file.set("store.cert_file", settings.store_cert);
    file.set("store.key_file", settings.store_key);
    file.set("store.user", settings.store_user);
    file.set("store.password_file", settings.store_password_file);
  }
  for (size_t i = 0; i < settings.incarnations.size(); ++i) {
    file.set(fmt::format("incarnation.blade-{}", i + 1),
             fmt::format("{:016x}", settings.incarnations[i]));
  }
  return write_file(path("array.toml"), file.text(), 0600);
}

Result<> ArrayDir::make_directories(const ArraySettings& settings) const {
  for (const char* name : {"etc", "run", "log", "manager"}) TRY(make_directory(path(name)));
  for (uint32_t i = 1; i <= settings.blades; ++i) {
    TRY(make_directory(path(fmt::format("blade-{}", i))));
  }
  const std::string socket = rpc_address("gateway-1000", settings.array_id).substr(5);
  const std::string parent = std::filesystem::path(socket).parent_path().string();
  TRY(make_directory(parent));
  if (!parent.starts_with(root_)) {
    struct stat found{};
    if (chmod(parent.c_str(), 0700) != 0 || stat(parent.c_str(), &found) != 0 ||
        found.st_uid != geteuid()) {
      return fail(Errc::denied, "{} belongs to somebody else; use a shorter --dir", parent);
    }
  }
  return {};
}

Result<> ArrayDir::save_env(const ArraySettings& settings) const {
  const std::string text = fmt::format(
      "export AWS_ACCESS_KEY_ID={}\n"
      "export AWS_SECRET_ACCESS_KEY={}\n"
      "export AWS_ENDPOINT_URL={}\n"
      "export AWS_DEFAULT_REGION={}\n"
      "export TURBINE_ADMIN={}\n"
      "export TURBINE_TOKEN={}\n"
      "export TURBINE_NFS_PORT={}\n",
      settings.access_key, settings.secret_key, settings.endpoint_url(), settings.region,
      settings.admin_urls(), settings.admin_token, settings.nfs_port);
  return write_file(path("env"), text, 0600);
}

std::string ArrayDir::manager_name(uint32_t manager) {
  return manager == 1 ? "manager" : fmt::format("manager-{}", manager);
}

std::string ArrayDir::manager_addresses(const ArraySettings& settings) const {
  std::string addresses;
  for (uint32_t i = 1; i <= settings.managers; ++i) {
    addresses += (addresses.empty() ? "" : ",") + rpc_address(manager_name(i), settings.array_id);
  }
  return addresses;
}

std::vector<std::string> ArrayDir::process_names(const ArraySettings& settings) {
  std::vector<std::string> names;
  for (uint32_t i = 1; i <= settings.managers; ++i) names.push_back(manager_name(i));
  for (uint32_t i = 1; i <= settings.blades; ++i) names.push_back(fmt::format("blade-{}", i));
  for (uint32_t i = 1; i <= settings.gateways; ++i) names.push_back(fmt::format("gateway-{}", i));
  return names;
}

Result<DirLock> DirLock::take(const ArrayDir& dir, Kind kind, int wait_ms) {
  TRY(make_directory(dir.root()));
  const std::string path = dir.path(".lock");
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return fail(Errc::io, "opening {}: {}", path, std::strerror(errno));
  DirLock lock(descriptor);
  const int operation = (kind == Kind::exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
  while (flock(descriptor, operation) != 0) {
    if (std::chrono::steady_clock::now() >= deadline) {
      return fail(Errc::conflict, "another turbine command is at work on {}", dir.root());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return lock;
}

DirLock::~DirLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace turbine::cli
