// KeyCursor: the keys of a directory tree, one after another in byte order.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fs/core.hpp"

namespace turbine::fs {

/// Where a scan begins: keys > text, or >= text when inclusive.
struct KeyBound {
  std::string text;
  bool inclusive = true;
};

/// Walks the directories depth first; since a directory's entry sorts as `name/`, that is the byte
/// order of whole keys. Reads the next directories of a page ahead. One coroutine at a time.
class KeyCursor {
 public:
  struct Item {
    std::string key;            // ends with '/' for a directory
    bool is_directory = false;  // only when the cursor does not descend
    proto::Inode inode;
  };
  struct Tree {
    InodeId directory;
    std::string path;         // what the keys of its entries begin with: "" or ending with '/'
    std::string name_prefix;  // only entries that begin with it
  };

  /// `expected`: how many items the caller is likely to want. With `descend` = false directories
  /// are items; the one into which `from` falls is one whether or not it holds keys beyond.
  KeyCursor(CorePtr core, Tree tree, KeyBound from, size_t expected, bool descend);

  /// Nothing after the last. Errc::stale: the tree's directory is gone. A directory below it that
  /// is gone is empty.
  Task<std::optional<Item>> next();

 private:
  struct Page {
    std::vector<proto::DirectoryEntry> entries;
    bool more = false;
    bool marker = false;
  };
  struct Ahead {
    std::string name;
    OneShot<Page> page;
  };
  struct Level {
    Tree tree;
    KeyBound after;  // entries of the next page, relative to the path
    bool may_hold_own_key = false;
    bool loaded = false;
    Page page;
    size_t next = 0;  // in page.entries
    std::deque<Ahead> ahead;
    size_t ahead_max = 1;  // doubles while directories are used up
  };
  std::optional<Level> make_level(Tree tree) const;
  bool bound_falls_into(const std::string& path) const { return from_.text.starts_with(path); }
  Task<> load(Level& level, bool first_level);
  void read_ahead(Level& level);
  void enter(const proto::DirectoryEntry& entry);
  size_t page_count() const;
  std::optional<Item> own_key(Level& level);

  static Task<Page> fetch(CorePtr core, Tree tree, KeyBound after, size_t count);
  static Task<> fetch_into(CorePtr core, Tree tree, size_t count, OneShot<Page> page);

  CorePtr core_;
  KeyBound from_;
  size_t expected_;
  bool descend_;
  std::deque<Level> levels_;  // back: deepest; references stay valid
};

}  // namespace turbine::fs
