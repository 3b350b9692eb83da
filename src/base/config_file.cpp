#include "base/config_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <toml++/toml.h>

namespace turbine {

namespace {

Result<> flatten(const toml::table& table, const std::string& prefix, const std::string& path,
                 std::map<std::string, ConfigFile::Value, std::less<>>& out) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const auto* inner = node.as_table()) {
      TRY(flatten(*inner, name + ".", path, out));
    } else if (const auto* text = node.as_string()) {
      out[name] = text->get();
    } else if (const auto* number = node.as_integer()) {
      out[name] = number->get();
    } else if (const auto* flag = node.as_boolean()) {
      out[name] = flag->get();
    } else {
      return fail(Errc::invalid, "{}:{}: {} is neither text, a whole number nor true or false",
                  path, node.source().begin.line, name);
    }
  }
  return {};
}

std::string quoted(std::string_view value) {
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::unexpected<Error> system_failure(std::string_view doing, const std::string& path) {
  const int code = errno;
  const Errc kind = code == ENOENT                     ? Errc::not_found
                    : code == EACCES || code == EPERM  ? Errc::denied
                    : code == ENOSPC || code == EDQUOT ? Errc::no_space
                                                       : Errc::io;
  return fail(kind, "{} {}: {}", doing, path, std::strerror(code));
}

struct Descriptor {
  int value = -1;
  ~Descriptor() {
    if (value >= 0) close(value);
  }
};

}  // namespace

Result<ConfigFile> ConfigFile::parse(std::string_view text, std::string path) try {
  ConfigFile file;
  TRY(flatten(toml::parse(text), "", path, file.values_));
  file.path_ = std::move(path);
  return file;
} catch (const toml::parse_error& error) {
  return fail(Errc::invalid, "{}:{}: {}", path, error.source().begin.line, error.description());
}

Result<ConfigFile> ConfigFile::load(const std::string& path) {
  const std::string text = TRY(read_file(path));
  return parse(text, path);
}

const ConfigFile::Value* ConfigFile::find(std::string_view key) {
  asked_.emplace(key);
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

Result<std::string> ConfigFile::text(std::string_view key) {
  if (find(key) == nullptr) return fail(Errc::invalid, "{}: {} is missing", path_, key);
  return text_or(key, "");
}

Result<uint64_t> ConfigFile::number(std::string_view key) {
  if (find(key) == nullptr) return fail(Errc::invalid, "{}: {} is missing", path_, key);
  return number_or(key, 0);
}

Result<std::string> ConfigFile::text_or(std::string_view key, std::string_view absent) {
  const Value* value = find(key);
  if (value == nullptr) return std::string(absent);
  if (const auto* text = std::get_if<std::string>(value)) return *text;
  return fail(Errc::invalid, "{}: {} must be text in quotes", path_, key);
}

Result<uint64_t> ConfigFile::number_or(std::string_view key, uint64_t absent) {
  const Value* value = find(key);
  if (value == nullptr) return absent;
  const auto* number = std::get_if<int64_t>(value);
  if (number == nullptr || *number < 0) {
    return fail(Errc::invalid, "{}: {} must be a whole number ≥ 0", path_, key);
  }
  return static_cast<uint64_t>(*number);
}

Result<bool> ConfigFile::flag_or(std::string_view key, bool absent) {
  const Value* value = find(key);
  if (value == nullptr) return absent;
  if (const auto* flag = std::get_if<bool>(value)) return *flag;
  return fail(Errc::invalid, "{}: {} must be true or false", path_, key);
}

Result<> ConfigFile::finish() const {
  for (const auto& [key, value] : values_) {
    if (!asked_.contains(key)) {
      return fail(Errc::invalid, "{}: {} is not a setting of this process", path_, key);
    }
  }
  return {};
}

ConfigText::ConfigText(std::string_view heading) : heading_(heading) {}

void ConfigText::add(std::string_view key, std::string literal) {
  const size_t dot = key.find('.');
  const std::string section(dot == std::string_view::npos ? std::string_view{}
                                                          : key.substr(0, dot));
  const std::string_view name = dot == std::string_view::npos ? key : key.substr(dot + 1);
  auto found = std::find_if(sections_.begin(), sections_.end(),
                            [&](const auto& entry) { return entry.first == section; });
  if (found == sections_.end()) {
    // Keys without a section come first, or TOML would count them to the section before.
    const auto place = section.empty() ? sections_.begin() : sections_.end();
    found = sections_.insert(place, {section, ""});
  }
  found->second += fmt::format("{} = {}\n", name, literal);
}

void ConfigText::set(std::string_view key, std::string_view value) {
  add(key, quoted(value));
}
void ConfigText::set(std::string_view key, uint64_t value) {
  add(key, std::to_string(value));
}
void ConfigText::set_flag(std::string_view key, bool value) {
  add(key, value ? "true" : "false");
}

std::string ConfigText::text() const {
  std::string out = fmt::format("# {}\n", heading_);
  for (const auto& [section, lines] : sections_) {
    if (!section.empty()) out += fmt::format("\n[{}]\n", section);
    out += lines;
  }
  return out;
}

Result<> write_file(const std::string& path, std::string_view text, unsigned mode) {
  const std::string temporary = path + ".new";
  Descriptor file{open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)};
  if (file.value < 0) return system_failure("creating", temporary);
  if (fchmod(file.value, mode) != 0) return system_failure("setting the mode of", temporary);
  while (!text.empty()) {
    const ssize_t written = write(file.value, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_failure("writing", temporary);
    text.remove_prefix(static_cast<size_t>(written));
  }
  if (fsync(file.value) != 0) return system_failure("syncing", temporary);
  if (rename(temporary.c_str(), path.c_str()) != 0) return system_failure("renaming to", path);
  const std::string parent = std::filesystem::path(path).parent_path().string();
  Descriptor directory{open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_CLOEXEC)};
  if (directory.value < 0 || fsync(directory.value) != 0) {
    return system_failure("syncing the directory of", path);
  }
  return {};
}

Result<std::string> read_file(const std::string& path) {
  Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.value < 0) return system_failure("opening", path);
  std::string out;
  char chunk[16384];
  while (true) {
    const ssize_t count = read(file.value, chunk, sizeof chunk);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_failure("reading", path);
    if (count == 0) return out;
    out.append(chunk, static_cast<size_t>(count));
  }
}

}  // namespace turbine
