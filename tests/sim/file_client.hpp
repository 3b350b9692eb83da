// FileClient: works in directories of its own through Files, as NFS clients do, and through S3.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/file_tree.hpp"
#include "sim/sim_array.hpp"

namespace turbine::sim {

inline constexpr const char* kFilesBucket = "files";

struct FileCounters {
  uint64_t operations = 0;  // mutations begun
  uint64_t sent_again = 0;
  uint64_t unknown = 0;  // mutations whose outcome the client had to find out
};

/// A file or directory as somebody has seen it.
struct SeenFile {
  fs::FileStat stat;
  std::string bytes;                       // of a file
  std::map<std::string, InodeId> entries;  // of a directory
};
using SeenTree = std::map<InodeId, SeenFile>;

/// One reactor thread. Nobody else changes what lies in its directories, so every answer and every
/// byte is known beforehand, but for a mutation that nobody has answered: it has happened or not,
/// which a look at the whole tree tells once no copy of it can be on its way any more.
class FileClient {
 public:
  FileClient(SimArray& array, FileCounters& counters, uint32_t number, uint64_t seed);

  /// Before any fault: makes the client's directories; `shared` is one for names of all clients.
  Task<> set_up(InodeId bucket, InodeId shared);
  Task<> run(const bool& stop);
  /// When no fault is about any more: the whole tree, through both doors.
  Task<> check_all();
  /// Also the client's directories.
  Task<> remove_all();

 private:
  using Kind = FileOperation::Kind;

  // file_client.cpp: what is done.
  Task<> one_step();
  FileOperation some_operation();
  FileOperation some_change(InodeId file);
  InodeId some_directory();
  std::optional<InodeId> some_file();
  std::string some_name(InodeId directory);
  std::string some_bytes(size_t size);

  // file_client_ask.cpp: how it is asked, until it is answered.
  Task<> perform(FileOperation operation);
  /// One try; the file's attributes, as far as the answer has them.
  Task<std::optional<fs::FileStat>> ask(FileOperation operation, fs::CallContext call);
  Task<std::optional<fs::FileStat>> ask_objects(FileOperation operation);
  Task<> end(FileOperation operation, FileTree after, std::optional<fs::FileStat> file);
  void leave_open(const FileOperation& operation, FileTree after);
  /// Asks gateways until one answers. Errc::unavailable: none does, as long as faults are about.
  template <class T>
  Task<T> read(std::function<Task<T>(GatewayProcess&)> ask, std::string what);

  // file_client_look.cpp: what is seen.
  Task<> settle();
  Task<> look_at_file(InodeId id);
  Task<> look_up(InodeId directory, std::string name);
  /// Page by page, while names come and go.
  Task<> list_directory(InodeId directory);
  Task<> look_at_object(std::string key);
  Task<> list_objects(InodeId top);
  Task<std::string> read_bytes(InodeId file);
  Task<SeenTree> see_all();
  Task<> see_directory(InodeId directory, SeenTree* seen);
  /// What differs; empty: nothing. `found`: the numbers of files that had none.
  std::string difference(const FileTree& tree, const SeenTree& seen,
                         std::map<InodeId, InodeId>* found) const;
  void check_stat(const FileTree& tree, InodeId id, const fs::FileStat& stat,
                  const std::string& where);
  /// A cookie stands for one entry, as long as the directory lives.
  void check_cookie(InodeId directory, const fs::DirectoryPage::Entry& entry);

  bool take_gateway();
  bool is_mine(InodeId directory, const std::string& name) const;
  bool settled() const { return !open_after_; }
  Task<> pause(int ms) { return array_.clock.sleep_for(std::chrono::milliseconds(ms)); }
  template <class... Args>
  void complain(fmt::format_string<Args...> format, Args&&... args) {
    array_.trace.complain("files {}: {}", number_,
                          fmt::format(format, std::forward<Args>(args)...));
  }

  SimArray& array_;
  FileCounters& counters_;
  const uint32_t number_;
  Rng rng_;
  const bool* stop_ = nullptr;
  bool calm_ = true;
  std::shared_ptr<GatewayProcess> gateway_;  // of the try under way
  InodeId bucket_, shared_;
  FileTree tree_;
  std::optional<FileTree> open_after_;  // instead of `tree_`, if what is open has happened
  TimePoint open_since_{};
  uint64_t last_version_ = 0;
  std::map<std::pair<InodeId, uint64_t>, uint64_t> cookies_;  // serial, by directory and cookie
  std::map<InodeId, int64_t> changed_ns_;                     // last seen
};

}  // namespace turbine::sim
