// Several processes rename over each other; what must stay true is checked all the time.
//
//   rename_storm [--seed=N] [--operations=N | --seconds=S | --until=PATH] [--processes=N]
//
// Tokens: files that are moved among the slots of several directories, never over another one, by
// rename to a name of one's own and link to a free slot. At the end each token is there exactly
// once. Boards: names that all processes replace by rename, as programs save files. Whoever opens
// one finds one whole content. Boxes: directories, each with a token of its own, that are renamed
// from one parent to another.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <set>
#include <vector>

#include "check.hpp"

namespace {

using namespace turbine::kernel_test;

constexpr uint64_t kDirectories = 3, kSlots = 12, kTokens = 16, kBoards = 4, kBoxes = 6;

std::string directory(uint64_t index) {
  return fmt::format("d{}", index);
}
std::string slot(uint64_t index) {
  return fmt::format("{}/slot-{}", directory(index % kDirectories), index / kDirectories);
}
std::string box(uint64_t index) {
  return fmt::format("{}/box-{}", directory(index % kDirectories), index / kDirectories);
}
std::string any_directory(Dice& dice) {
  return directory(below(dice, kDirectories));
}

void write_file(const std::string& path, const std::string& content) {
  const int fd = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0644);
  if (fd < 0) fail_errno("open {} to write", path);
  if (::write(fd, content.data(), content.size()) != static_cast<ssize_t>(content.size()))
    fail_errno("write {}", path);
  if (::close(fd) != 0) fail_errno("close {}", path);
}

/// The content, or nothing when there is no such name.
std::string read_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY);
  if (fd < 0) {
    if (errno == ENOENT) return {};
    fail_errno("open {}", path);
  }
  std::string content(20000, '\0');
  const ssize_t count = ::read(fd, content.data(), content.size());
  if (count < 0) fail_errno("read {}", path);
  ::close(fd);
  if (count == 0) fail("{} is empty: a rename showed a file before its content", path);
  content.resize(static_cast<size_t>(count));
  return content;
}

/// "token 7\n" many times; a board's content is its version, as often as its version says.
std::string board_content(uint64_t version) {
  std::string content;
  for (uint64_t i = 0; i <= version % 200; ++i) content += fmt::format("version {}\n", version);
  return content;
}

void check_board(const std::string& path) {
  const std::string content = read_file(path);
  if (content.empty()) fail("{} is away, though renames only ever replace it", path);
  uint64_t version = 0;
  if (std::sscanf(content.c_str(), "version %lu", &version) != 1 ||
      content != board_content(version))
    fail("{} holds {} bytes that no one wrote as they are: '{}'", path, content.size(),
         content.substr(0, 40));
}

class Stormer {
 public:
  Stormer(uint64_t number, uint64_t seed) : number_(number), dice_(seed * 1000 + number) {}

  void step() {
    switch (below(dice_, 5)) {
      case 0:
      case 1:
        return move_token();
      case 2:
        return replace_board();
      case 3:
        return check_board(fmt::format("board-{}", below(dice_, kBoards)));
      default:
        return move_box();
    }
  }

 private:
  void move_token() {
    const std::string mine = fmt::format("{}/mine-{}", any_directory(dice_), number_);
    const std::string from = slot(below(dice_, kDirectories * kSlots));
    if (::rename(from.c_str(), mine.c_str()) != 0) {
      if (errno == ENOENT) return;  // an empty slot
      fail_errno("rename {} to {}", from, mine);
    }
    const std::string token = read_file(mine);
    if (!token.starts_with("token ")) fail("{} holds '{}'", mine, token.substr(0, 40));
    while (true) {
      const std::string to = slot(below(dice_, kDirectories * kSlots));
      if (::link(mine.c_str(), to.c_str()) == 0) break;
      if (errno != EEXIST) fail_errno("link {} to {}", mine, to);
    }
    if (::unlink(mine.c_str()) != 0) fail_errno("unlink {}", mine);
  }

  void replace_board() {
    const std::string fresh = fmt::format("fresh-{}", number_);
    write_file(fresh, board_content(++version_ * 100 + number_));
    const std::string board = fmt::format("board-{}", below(dice_, kBoards));
    if (::rename(fresh.c_str(), board.c_str()) != 0) fail_errno("rename {} over {}", fresh, board);
    if (::access(fresh.c_str(), F_OK) == 0) fail("{} is still there after its rename", fresh);
  }

  void move_box() {
    const std::string from = box(below(dice_, kBoxes * 2)), to = box(below(dice_, kBoxes * 2));
    if (::rename(from.c_str(), to.c_str()) == 0 || errno == ENOENT) return;
    if (errno != ENOTEMPTY && errno != EEXIST) fail_errno("rename {} to {}", from, to);
  }

  uint64_t number_, version_ = 0;
  Dice dice_;
};

void prepare() {
  for (uint64_t i = 0; i < kDirectories; ++i)
    if (::mkdir(directory(i).c_str(), 0755) != 0) fail_errno("mkdir {}", directory(i));
  for (uint64_t i = 0; i < kTokens; ++i) write_file(slot(i), fmt::format("token {}", i));
  for (uint64_t i = 0; i < kBoards; ++i) write_file(fmt::format("board-{}", i), board_content(i));
  for (uint64_t i = 0; i < kBoxes; ++i) {
    if (::mkdir(box(i).c_str(), 0755) != 0) fail_errno("mkdir {}", box(i));
    write_file(box(i) + "/token", fmt::format("box {}", i));
  }
}

std::set<std::string> names_in(const std::string& path) {
  DIR* stream = ::opendir(path.c_str());
  if (!stream) fail_errno("opendir {}", path);
  std::set<std::string> names;
  while (const dirent* entry = ::readdir(stream)) {
    const std::string name = entry->d_name;
    if (name != "." && name != ".." && !names.insert(name).second)
      fail("{}/{} is listed twice", path, name);
  }
  ::closedir(stream);
  return names;
}

void found_once(std::map<std::string, std::string>& found, const std::string& content,
                const std::string& path) {
  const auto [other, fresh] = found.emplace(content, path);
  if (!fresh) fail("{} and {} both hold '{}'", other->second, path, content);
}

/// After all processes have ended.
void check_all() {
  std::map<std::string, std::string> found;
  for (uint64_t i = 0; i < kDirectories; ++i) {
    for (const std::string& name : names_in(directory(i))) {
      const std::string path = directory(i) + "/" + name;
      struct stat state{};
      if (::stat(path.c_str(), &state) != 0) fail_errno("stat {}, which is listed", path);
      if (name.starts_with("slot-")) {
        found_once(found, read_file(path), path);
        if (state.st_nlink != 1) fail("{} has {} links", path, state.st_nlink);
      } else if (name.starts_with("box-")) {
        if (names_in(path) != std::set<std::string>{"token"}) fail("{} has lost its token", path);
        if (state.st_nlink != 2) fail("{} has {} links", path, state.st_nlink);
        found_once(found, read_file(path + "/token"), path);
      } else {
        fail("{} was left behind", path);
      }
    }
  }
  if (found.size() != kTokens + kBoxes)
    fail("{} tokens and boxes are left of {}", found.size(), kTokens + kBoxes);
  for (uint64_t i = 0; i < kBoards; ++i) check_board(fmt::format("board-{}", i));
  const uint64_t names = names_in(".").size();
  if (names != kDirectories + kBoards)
    fail("{} names instead of {}", names, kDirectories + kBoards);
}

}  // namespace

int main(int argc, char** argv) {
  const uint64_t seed = seed_option(argc, argv);
  const uint64_t processes = number_option(argc, argv, "processes", 4);
  prepare();
  std::vector<pid_t> children;
  for (uint64_t number = 0; number < processes; ++number) {
    const pid_t child = ::fork();
    if (child < 0) fail_errno("fork");
    if (child > 0) {
      children.push_back(child);
      continue;
    }
    const Bound bound(argc, argv, 500);
    Stormer stormer(number, seed);
    Progress progress;
    while (!bound.reached(progress.done())) {
      stormer.step();
      progress.add();
    }
    std::_Exit(0);
  }
  bool failed = false;
  for (const pid_t child : children) {
    int status = 0;
    if (::waitpid(child, &status, 0) != child) fail_errno("waitpid");
    failed |= status != 0;
  }
  if (failed) return 1;
  check_all();
  say("{} processes, nothing lost, nothing twice", processes);
}
