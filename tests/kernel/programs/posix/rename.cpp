// rename: what goes over what, where to, and by whom.
#include "checks.hpp"

namespace turbine::kernel_test {
namespace {

enum class Kind { nothing, file, empty_directory, full_directory, symlink, fifo };

struct Named {
  Kind kind;
  const char* name;
};

const Named kKinds[] = {{Kind::nothing, "nothing"},
                        {Kind::file, "a file"},
                        {Kind::empty_directory, "an empty directory"},
                        {Kind::full_directory, "a full directory"},
                        {Kind::symlink, "a symlink"},
                        {Kind::fifo, "a fifo"}};

void make(Kind kind, const std::string& path) {
  switch (kind) {
    case Kind::nothing:
      return;
    case Kind::file:
      return make_file(path, 0644, path);
    case Kind::empty_directory:
      return make_directory(path);
    case Kind::full_directory:
      make_directory(path);
      return make_file(path + "/inside");
    case Kind::symlink:
      if (::symlink("target", path.c_str()) != 0) fail_errno("symlink {}", path);
      return;
    case Kind::fifo:
      if (::mkfifo(path.c_str(), 0644) != 0) fail_errno("mkfifo {}", path);
  }
}

void remove_any(const std::string& path) {
  ::unlink((path + "/inside").c_str());
  if (::unlink(path.c_str()) != 0) ::rmdir(path.c_str());
}

bool is_directory(Kind kind) {
  return kind == Kind::empty_directory || kind == Kind::full_directory;
}

/// 0, or the errors that POSIX gives for it.
std::vector<int> expected_errors(Kind source, Kind target) {
  if (source == Kind::nothing) return {ENOENT};
  if (target == Kind::nothing) return {};
  if (is_directory(source)) {
    if (target == Kind::empty_directory) return {};
    if (target == Kind::full_directory) return {ENOTEMPTY, EEXIST};
    return {ENOTDIR};
  }
  if (is_directory(target)) return {EISDIR};
  return {};
}

void judge_pair(Checks& checks, const Named& source, const Named& target, const std::string& from,
                const std::string& to) {
  make(source.kind, from);
  make(target.kind, to);
  const ino_t moved = source.kind == Kind::nothing ? 0 : status_of(from).st_ino;
  const ino_t stayed = target.kind == Kind::nothing ? 0 : status_of(to).st_ino;
  const std::vector<int> errors = expected_errors(source.kind, target.kind);
  const std::string what = fmt::format("{} over {}, {} to {}", source.name, target.name, from, to);
  const long result = ::rename(from.c_str(), to.c_str());
  if (errors.empty()) {
    checks.works(result, what);
    checks.holds(!exists(from), what + ": the old name is gone");
    checks.equal(exists(to) ? status_of(to).st_ino : 0, moved, what + ": inode at the new name");
  } else {
    if (errors.size() == 2)
      checks.fails(result, {errors[0], errors[1]}, what);
    else
      checks.fails(result, errors[0], what);
    checks.equal(exists(from) ? status_of(from).st_ino : 0, moved, what + ": the source stays");
    checks.equal(exists(to) ? status_of(to).st_ino : 0, stayed, what + ": the target stays");
  }
  remove_any(from);
  remove_any(to);
}

void every_kind_over_every_kind(Checks& checks) {
  make_directory("d");
  make_directory("e");
  for (const Named& source : kKinds) {
    for (const Named& target : kKinds) {
      judge_pair(checks, source, target, "d/a", "d/b");
      judge_pair(checks, source, target, "d/a", "e/b");
    }
  }
}

void contents_come_along(Checks& checks) {
  make_directory("d");
  make_file("d/f", 0640, "moved");
  make_file("old", 0600, "replaced");
  checks.works(::link("old", "keeps"), "link");
  checks.works(::rename("d/f", "old"), "rename over");
  checks.holds(content_of("old") == "moved", "the content is the source's");
  checks.mode("old", 0640, "the mode is the source's");
  checks.holds(content_of("keeps") == "replaced", "a further link keeps what was replaced");
  make_directory("tree");
  make_directory("tree/sub");
  make_file("tree/sub/f", 0644, "deep");
  checks.works(::rename("tree", "d/tree"), "rename of a tree");
  checks.holds(content_of("d/tree/sub/f") == "deep", "all below has moved");
  checks.holds(!exists("tree"), "the old name is gone");
}

void of_one_file_to_itself(Checks& checks) {
  make_file("a", 0644, "content");
  checks.works(::rename("a", "a"), "to its own name");
  checks.works(::link("a", "b"), "link");
  checks.works(::rename("a", "b"), "to another link of it");
  checks.holds(exists("a") && exists("b"), "both links stay");
  checks.equal(status_of("a").st_nlink, 2, "the link count");
  make_directory("d");
  checks.works(::rename("d", "d"), "a directory to its own name");
}

void into_itself(Checks& checks) {
  make_directory("d");
  make_directory("d/e");
  make_directory("d/e/f");
  checks.fails(::rename("d", "d/x"), EINVAL, "a directory into itself");
  checks.fails(::rename("d", "d/e/x"), EINVAL, "a directory into one below it");
  checks.fails(::rename("d", "d/e/f/x"), EINVAL, "a directory into one far below it");
  checks.fails(::rename("d/e/f", "d"), {ENOTEMPTY, EEXIST}, "a directory over one above it");
  checks.works(::rename("d/e/f", "f"), "a directory out of another one");
  checks.works(::rename("d", "f/d"), "and that into the first");
  checks.holds(exists("f/d/e"), "all is there");
}

void of_dots(Checks& checks) {
  make_directory("d");
  make_directory("d/e");
  checks.fails(::rename("d/.", "n"), {EINVAL, EBUSY}, "of .");
  checks.fails(::rename("d/e/..", "n"), {EINVAL, EBUSY, ENOTEMPTY}, "of ..");
  checks.fails(::rename("d/e", "d/."), {EINVAL, EBUSY, EEXIST, ENOTEMPTY}, "to .");
  checks.fails(::rename("d/e", "d/.."), {EINVAL, EBUSY, EEXIST, ENOTEMPTY}, "to ..");
}

void of_paths_that_lead_nowhere(Checks& checks) {
  make_file("f");
  make_file("g");
  checks.fails(::rename("nothing/f", "n"), ENOENT, "from below nothing");
  checks.fails(::rename("f", "nothing/n"), ENOENT, "to below nothing");
  checks.fails(::rename("f/x", "n"), ENOTDIR, "from below a file");
  checks.fails(::rename("f", "g/n"), ENOTDIR, "to below a file");
  checks.fails(::rename("f", "n/"), ENOTDIR, "a file to a name with a slash");
  checks.holds(exists("f"), "it is still there");
}

/// Its .. changes, which is a change of the directory that moves.
void a_directory_to_another_parent_needs_its_write_permission(Checks& checks) {
  make_directory("d", 0777);
  make_directory("e", 0777);
  make_directory("d/sub", 0555);
  give("d/sub", kAlice, kStaff);
  const As as(kBob, kGuests);
  checks.works(::rename("d/sub", "d/other"), "inside its parent it may");
  checks.fails(::rename("d/other", "e/sub"), EACCES, "to another parent it may not");
}

/// Somebody who has the replaced file open reads on.
void an_open_file_outlives_its_name(Checks& checks) {
  make_file("a", 0644, "old content");
  make_file("b", 0644, "new content");
  const int fd = ::open("a", O_RDONLY);
  checks.works(fd, "open");
  checks.works(::rename("b", "a"), "rename over an open file");
  char text[32] = {};
  checks.equal(static_cast<uint64_t>(::pread(fd, text, sizeof text, 0)), 11, "read from it");
  checks.holds(std::string_view(text) == "old content", "it has the old content");
  ::close(fd);
  checks.holds(content_of("a") == "new content", "the name has the new content");
}

}  // namespace

std::vector<Case> rename_cases() {
  return {{"every_kind_over_every_kind", every_kind_over_every_kind},
          {"contents_come_along", contents_come_along},
          {"of_one_file_to_itself", of_one_file_to_itself},
          {"into_itself", into_itself},
          {"of_dots", of_dots},
          {"of_paths_that_lead_nowhere", of_paths_that_lead_nowhere},
          {"a_directory_to_another_parent_needs_its_write_permission",
           a_directory_to_another_parent_needs_its_write_permission},
          {"an_open_file_outlives_its_name", an_open_file_outlives_its_name}};
}

}  // namespace turbine::kernel_test
