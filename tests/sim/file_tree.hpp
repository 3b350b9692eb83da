// FileTree: the files of one client as they must be, and what each operation must answer.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"

namespace turbine::sim {

struct FileOperation {
  enum class Kind : uint8_t {
    create,  // exclusive
    make_directory,
    rename,
    link,
    remove,
    remove_directory,
    set_mode,
    set_size,
    write,
    put_object,  // as S3 does
    delete_object,
  };
  Kind kind{};
  InodeId directory{};  // of `name`
  std::string name{};
  InodeId file{};  // of link, set_mode, set_size, write
  InodeId to{};    // where rename's new name is
  std::string to_name{};
  uint32_t mode = 0;
  uint64_t offset = 0, size = 0;
  std::string bytes{};   // of write and put_object
  uint64_t version = 0;  // of put_object: another ETag each time
};

/// "rename", …: for people.
std::string to_text(const FileOperation& operation);

/// A model of directories and files, for one who asks one thing after another. Its tops are
/// directories that stay; other clients may have names of their own in them.
class FileTree {
 public:
  struct Entry {
    InodeId id;
    uint64_t serial = 0;  // no other entry ever has it
  };
  struct Node {
    bool is_directory = false;
    uint32_t mode = 0;
    std::shared_ptr<const std::string> bytes;  // of a file
    std::string etag;                          // of an object; empty: what files have
    std::map<std::string, Entry> entries;      // of a directory
    InodeId parent;                            // of a directory
    uint32_t links = 0;                        // names of a file; directories' are counted
  };

  /// A directory that is there already, `path` from the bucket on.
  void add_top(InodeId id, std::string path);
  /// What the operation must answer: Errc::ok, and it has been done, or the refusal. New files get
  /// numbers of the model's own until adopt() tells theirs.
  Errc apply(const FileOperation& operation);
  void adopt(InodeId made, InodeId id);
  /// Whether it has no number from the array yet.
  static bool is_unnamed(InodeId id) { return id.value >= kUnnamed; }

  const std::map<InodeId, Node>& nodes() const { return nodes_; }
  const std::map<InodeId, std::string>& tops() const { return tops_; }
  const Node& node(InodeId id) const { return nodes_.at(id); }
  std::optional<InodeId> find(InodeId directory, const std::string& name) const;
  bool is_directory_at(InodeId directory, const std::string& name) const {
    const auto id = find(directory, name);
    return id && node(*id).is_directory;
  }
  /// What GETATTR must say.
  uint32_t links(InodeId id) const;
  /// From the bucket on, without a slash at the end.
  std::string path(InodeId directory) const;
  std::string key(InodeId directory, const std::string& name) const {
    return path(directory) + "/" + name;
  }
  /// Every file as S3 has it, by key; directories end with a slash.
  std::map<std::string, InodeId> objects() const;

 private:
  static constexpr uint64_t kUnnamed = uint64_t{0xFFFF} << 48;

  Errc rename(const FileOperation& operation);
  Errc write(const FileOperation& operation);
  Errc put(const FileOperation& operation);
  InodeId add(InodeId directory, const std::string& name, Node node);
  void insert(InodeId directory, const std::string& name, InodeId id);
  void drop(InodeId directory, const std::string& name);
  void collect(InodeId directory, const std::string& prefix,
               std::map<std::string, InodeId>* objects) const;
  bool is_below(InodeId directory, InodeId above) const;

  std::map<InodeId, Node> nodes_;
  std::map<InodeId, std::string> tops_;
  uint64_t last_serial_ = 0;
};

}  // namespace turbine::sim
