#include "bladed/disk_identity.hpp"

#include <filesystem>
#include <optional>

#include "base/config_file.hpp"
#include "base/log.hpp"
#include "bladed/blade.hpp"
#include "io/uring_device.hpp"

namespace turbine::bladed {

namespace {

struct DirectoryIdentity {
  std::string array_id;
  uint32_t blade_id = 0;
  std::string incarnation;
  bool ready = false;  // false: formatting was interrupted
};

std::string identity_path(const BladeConfig& config) {
  return config.directory + "/identity.toml";
}

Result<std::optional<DirectoryIdentity>> load_identity(const BladeConfig& config) {
  auto loaded = ConfigFile::load(identity_path(config));
  if (loaded.failed_with(Errc::not_found)) return std::optional<DirectoryIdentity>();
  ConfigFile file = TRY(std::move(loaded));
  DirectoryIdentity identity;
  identity.array_id = TRY(file.text("array_id"));
  identity.blade_id = static_cast<uint32_t>(TRY(file.number("blade_id")));
  identity.incarnation = TRY(file.text("incarnation"));
  const std::string state = TRY(file.text("state"));
  identity.ready = state == "ready";
  TRY(file.finish());
  return std::optional(identity);
}

Result<> save_identity(const BladeConfig& config, std::string_view state) {
  ConfigText file("Whose metadata lies here; must agree with the device's superblock.");
  file.set("array_id", config.array_id);
  file.set("blade_id", config.blade_id);
  file.set("incarnation", fmt::format("{:016x}", config.incarnation));
  file.set("state", state);
  return write_file(identity_path(config), file.text());
}

Result<> check_directory(const DirectoryIdentity& found, const BladeConfig& config) {
  const std::string incarnation = fmt::format("{:016x}", config.incarnation);
  if (found.array_id == config.array_id && found.blade_id == config.blade_id &&
      found.incarnation == incarnation) {
    return {};
  }
  return fail(Errc::denied,
              "{} belongs to blade {} of array {} (incarnation {}), the configuration is for blade "
              "{} of array {} (incarnation {}): use the directory and device of one blade",
              config.directory, found.blade_id, found.array_id, found.incarnation, config.blade_id,
              config.array_id, incarnation);
}

/// A device that holds somebody's data is never formatted.
Result<> check_blank(io::Reactor& reactor, io::Device& device, const BladeConfig& config) {
  const auto found = reactor.run(read_superblock(device));
  if (found.failed_with(Errc::not_found)) return {};
  if (found.ok()) {
    return fail(
        Errc::denied,
        "{} belongs to blade {} of array {}, but {} holds no blade: put its directory back, "
        "or empty the device if its data is not needed",
        config.device, found->blade_id, found->array_id, config.directory);
  }
  return fail(Errc::denied, "{} is not blank and is not formatted: {}", config.device,
              found.error().context);
}

io::UringOptions device_options() {
  io::UringOptions options;
  options.lock_wait = std::chrono::seconds(3);
  return options;
}

Result<std::unique_ptr<io::Device>> format_blank(io::Reactor& reactor, const BladeConfig& config,
                                                 bool interrupted) {
  std::error_code ignored;
  if (!interrupted && std::filesystem::exists(config.directory + "/kv", ignored)) {
    return fail(Errc::denied, "{} holds metadata but no identity.toml: it is not formatted",
                config.directory);
  }
  std::filesystem::create_directories(config.directory, ignored);
  io::UringOptions options = device_options();
  options.create = true;
  auto device = TRY(io::open_uring_device(reactor, config.device, config.device_bytes, options));
  if (!interrupted) TRY(check_blank(reactor, *device, config));
  const Superblock superblock = TRY(expected_superblock(config, device->size_bytes()));
  TRY(save_identity(config, "formatting"));
  TRY(reactor.run(Blade::format(*device, superblock)));
  TRY(save_identity(config, "ready"));
  log::info("formatted {} as blade {} of array {}", config.device, config.blade_id,
            config.array_id);
  return device;
}

}  // namespace

Result<Superblock> expected_superblock(const BladeConfig& config, uint64_t device_bytes) {
  return plan_superblock(config.array_id, config.blade_id, config.incarnation, device_bytes);
}

Result<std::unique_ptr<io::Device>> open_own_device(io::Reactor& reactor, BladeConfig config) {
  const auto identity = TRY(load_identity(config));
  if (!identity.has_value()) return format_blank(reactor, config, false);
  TRY(check_directory(*identity, config));
  if (!identity->ready) return format_blank(reactor, config, true);
  auto device = io::open_uring_device(reactor, config.device, 0, device_options());
  if (device.failed_with(Errc::not_found)) {
    return fail(Errc::denied,
                "the device {} of blade {} is missing, its metadata in {} is there: "
                "attach the device",
                config.device, config.blade_id, config.directory);
  }
  return device;
}

}  // namespace turbine::bladed
