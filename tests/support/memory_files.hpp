// MemoryFiles: fs::Files on a std::map, for tests of front-ends. Behaves as the contract in
// fs/files.hpp says, but for permissions, which only `denied_uid` is refused.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fs/files.hpp"

namespace turbine::test {

class MemoryFiles final : public fs::Files {
 public:
  MemoryFiles();

  // What a test sets and sees.
  std::optional<Errc> failure;             // of all calls, while it is set
  uint32_t denied_uid = 4'000'000'000;     // may nothing
  std::function<Task<>()> before;          // awaited by stat(), read() and write()
  std::vector<fs::CallContext> mutations;  // as they came
  fs::Credentials last_who;
  size_t read_piece_bytes = SIZE_MAX;

  /// Makes a file or directory at once.
  InodeId put(InodeId directory, const std::string& name, fs::FileType type,
              std::string bytes = {});
  const std::string& bytes(InodeId file) { return nodes_.at(file).bytes; }
  fs::FileStat& stat_of(InodeId file) { return nodes_.at(file).stat; }
  void drop(InodeId file) { nodes_.erase(file); }

  InodeId root() const override { return kRootInode; }
  Task<fs::FileStat> stat(InodeId file) override;
  Task<fs::FileChange> set_stat(fs::CallContext call, fs::Credentials who, InodeId file,
                                fs::NewStat stat, std::optional<int64_t> guard) override;
  Task<fs::FoundFile> lookup(fs::Credentials who, InodeId directory, std::string name) override;
  Task<std::string> read_link(InodeId link) override;
  Task<fs::FileBytes> read(fs::Credentials who, InodeId file, uint64_t offset,
                           uint32_t count) override;
  Task<fs::FileChange> write(fs::CallContext call, fs::Credentials who, InodeId file,
                             uint64_t offset, std::vector<Buffer> bytes) override;

  Task<fs::MadeFile> create(fs::CallContext call, fs::Credentials who,
                            fs::NewFileRequest request) override;
  Task<fs::MadeFile> make_directory(fs::CallContext call, fs::Credentials who,
                                    fs::NewFileRequest request) override;
  Task<fs::MadeFile> make_symlink(fs::CallContext call, fs::Credentials who,
                                  fs::NewFileRequest request) override;
  Task<fs::MadeFile> make_special(fs::CallContext call, fs::Credentials who,
                                  fs::NewFileRequest request) override;

  Task<fs::FileChange> remove(fs::CallContext call, fs::Credentials who, InodeId directory,
                              std::string name) override;
  Task<fs::FileChange> remove_directory(fs::CallContext call, fs::Credentials who,
                                        InodeId directory, std::string name) override;
  Task<Renamed> rename(fs::CallContext call, fs::Credentials who, InodeId from,
                       std::string from_name, InodeId to, std::string to_name) override;
  Task<Linked> link(fs::CallContext call, fs::Credentials who, InodeId file, InodeId directory,
                    std::string name) override;

  Task<fs::DirectoryPage> list(fs::Credentials who, fs::DirectoryPageRequest request) override;
  Task<fs::SpaceStat> space(InodeId file) override;

 private:
  struct Node {
    fs::FileStat stat;
    std::string bytes;  // content, or a link's target
    InodeId parent;
    uint64_t verifier = 0;
    std::map<std::string, InodeId> children;
    std::map<uint64_t, std::string> names;  // by cookie
    uint64_t last_cookie = 2;
  };
  using Before = fs::FileChange::Before;

  int64_t tick() { return now_ns_ += 1000; }
  Before begin_change(const Node& node) const;
  fs::FileChange end_change(Node& node, Before before);
  Result<> allow(const fs::Credentials& who);
  Result<Node*> find(InodeId id);
  Result<Node*> find_directory(InodeId id);
  Result<Node*> find_regular(InodeId id);
  Result<Node*> begin(const fs::CallContext& call, const fs::Credentials& who, InodeId id);
  Result<Node*> begin_in(const fs::CallContext& call, const fs::Credentials& who, InodeId id);
  void apply(Node& node, const fs::NewStat& stat);
  void link_name(Node& in, const std::string& name, InodeId id);
  void unlink(Node& in, const std::string& name);
  Node& make(InodeId directory, const std::string& name, fs::FileType type,
             const fs::NewStat& attributes, const fs::Credentials& who);
  Result<fs::MadeFile> make_new(const fs::CallContext& call, const fs::Credentials& who,
                                const fs::NewFileRequest& request);
  fs::MadeFile add(const fs::NewFileRequest& request, const fs::Credentials& who);
  Result<fs::FileChange> remove_now(const fs::CallContext& call, const fs::Credentials& who,
                                    InodeId directory, const std::string& name, bool as_directory);

  std::map<InodeId, Node> nodes_;
  uint64_t inodes_made_ = 1;
  int64_t now_ns_ = 1'700'000'000'000'000'000;
};

}  // namespace turbine::test
