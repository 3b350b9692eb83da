// Which names there may be: lengths, bytes, case.
#include <climits>

#include <algorithm>

#include "checks.hpp"

namespace turbine::kernel_test {
namespace {

struct Maker {
  const char* name;
  std::function<long(const char* path)> make;
};

long creat_and_close(const char* path) {
  const int fd = ::open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);
  if (fd >= 0) ::close(fd);
  return fd;
}

/// Each makes a name; "source" is a file of the working directory.
const std::vector<Maker>& makers() {
  static const std::vector<Maker> all = {
      {"creat", creat_and_close},
      {"mkdir", [](const char* path) { return ::mkdir(path, 0755); }},
      {"symlink", [](const char* path) { return ::symlink("source", path); }},
      {"mkfifo", [](const char* path) { return ::mkfifo(path, 0644); }},
      {"link", [](const char* path) { return ::link("source", path); }},
      {"rename",
       [](const char* path) {
         const int fd = ::open("moves", O_CREAT | O_WRONLY, 0644);
         if (fd >= 0) ::close(fd);
         return ::rename("moves", path);
       }},
  };
  return all;
}

void longest_names(Checks& checks) {
  make_file("source");
  for (const Maker& maker : makers()) {
    for (const size_t length : {1, 2, 127, 128, 254, 255}) {
      const std::string name(length, 'n');
      const std::string what = fmt::format("{} of {} bytes", maker.name, length);
      checks.works(maker.make(name.c_str()), what);
      checks.holds(exists(name), what + ": it is there");
      if (::unlink(name.c_str()) != 0) checks.works(::rmdir(name.c_str()), what + ": remove");
    }
    for (const size_t length : {256, 300, 1000}) {
      const std::string name(length, 'n');
      checks.fails(maker.make(name.c_str()), ENAMETOOLONG,
                   fmt::format("{} of {} bytes", maker.name, length));
    }
  }
}

void too_long_names_in_paths(Checks& checks) {
  const std::string long_name(256, 'n'), below = long_name + "/x";
  struct stat status{};
  for (const std::string& each : {long_name, below}) {
    const char* path = each.c_str();
    checks.fails(::stat(path, &status), ENAMETOOLONG, "stat");
    checks.fails(::open(path, O_RDONLY), ENAMETOOLONG, "open");
    checks.fails(::unlink(path), ENAMETOOLONG, "unlink");
    checks.fails(::rmdir(path), ENAMETOOLONG, "rmdir");
    checks.fails(::rename(path, "n"), ENAMETOOLONG, "rename from");
    checks.fails(::link(path, "n"), ENAMETOOLONG, "link from");
    checks.fails(::chmod(path, 0644), ENAMETOOLONG, "chmod");
    checks.fails(::truncate(path, 0), ENAMETOOLONG, "truncate");
  }
  const std::string path = std::string(PATH_MAX, '/') + "x";
  checks.fails(::stat(path.c_str(), &status), ENAMETOOLONG, "a path of more than PATH_MAX bytes");
  checks.equal(static_cast<uint64_t>(::pathconf(".", _PC_NAME_MAX)), 255, "NAME_MAX");
}

/// A path of many long names, each of which has to be found again.
void long_paths(Checks& checks) {
  std::string path;
  for (int depth = 0; depth < 14; ++depth) {
    path += (depth ? "/" : "") + std::string(255, static_cast<char>('a' + depth));
    if (!checks.works(::mkdir(path.c_str(), 0755), fmt::format("depth {}", depth))) return;
  }
  make_file(path + "/file", 0644, "deep");
  checks.holds(content_of(path + "/file") == "deep", "a file at the end of 3.5 KiB of path");
}

void odd_bytes(Checks& checks) {
  std::vector<std::string> names = {
      " ",        "  ",        " leading",     "trailing ",
      "a b",      "new\nline", "tab\t",        "-rf",
      "...",      "....",      ".hidden",      "a.",
      "*",        "?",         "[a]",          "~",
      "a\\b",     "'",         "\"",           "`x`",
      "$x",       "%2F",       "%00",          "a%b",
      "a:b",      "a|b",       "<a>",          "a;b",
      "#",        "&",         "\x01",         "\x7f",
      "\xc3\xa4", "a\xcc\x88", "\xe2\x82\xac", "\xf0\x9f\x90\x99",
      "\xff",     "\x80\x81",  "\xc0\xaf",     "con",
      "nul",      "aux.txt",   "CON",          "a\rb",
      "!a",       "=",         "\xc3",
  };
  for (const std::string& name : names) {
    const int fd = ::open(name.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0644);
    if (!checks.works(fd, fmt::format("create '{}'", name))) continue;
    checks.equal(static_cast<uint64_t>(::write(fd, name.data(), name.size())), name.size(),
                 "write");
    ::close(fd);
  }
  for (const std::string& name : names)
    checks.holds(exists(name) && content_of(name) == name, fmt::format("'{}' has its own", name));
  std::ranges::sort(names);
  checks.holds(names_in(".") == names, "readdir gives all of them as they are");
}

void case_matters(Checks& checks) {
  make_file("name", 0644, "small");
  make_file("Name", 0644, "large");
  make_file("NAME", 0644, "all");
  checks.equal(names_in(".").size(), 3, "names");
  checks.holds(content_of("name") == "small", "name");
  checks.holds(content_of("Name") == "large", "Name");
  checks.works(::unlink("NAME"), "unlink");
  checks.holds(exists("Name"), "Name stays");
  struct stat status{};
  checks.fails(::stat("nAME", &status), ENOENT, "another case");
}

}  // namespace

std::vector<Case> name_cases() {
  return {{"longest_names", longest_names},
          {"too_long_names_in_paths", too_long_names_in_paths},
          {"long_paths", long_paths},
          {"odd_bytes", odd_bytes},
          {"case_matters", case_matters}};
}

}  // namespace turbine::kernel_test
