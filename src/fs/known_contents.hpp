// KnownContents: where the bytes of files lie that are read again and again.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>

#include "base/ids.hpp"

namespace turbine::fs {

class FileContent;

/// Contents by the version that they are of. A reader still asks the file's partition for its
/// attributes, and with them whether that version is the one of now; what it spares is the extents.
/// Bounded, least recently used out first. One reactor thread.
class KnownContents {
 public:
  struct Known {
    uint64_t version = 0;
    std::shared_ptr<FileContent> content;  // null: not known
  };
  Known find(InodeId file);
  /// A file was read in this version. True once, when it was so the last times too: worth knowing.
  /// Learning it costs as much as many reads, and fails for what is large or changes.
  bool worth_learning(InodeId file, uint64_t version);
  /// `bytes`: of memory, about.
  void put(InodeId file, Known known, size_t bytes);
  void drop(InodeId file);
  void clear();

 private:
  static constexpr size_t kBytesMax = size_t{64} << 20;
  static constexpr size_t kSeenMax = 8192;
  static constexpr uint32_t kReadsBefore = 16;
  struct Seen {
    uint64_t version = 0;
    uint32_t reads = 0;  // of this version, one after another
  };
  struct Entry {
    InodeId file;
    Known known;
    size_t bytes = 0;
  };
  size_t bytes_ = 0;
  std::list<Entry> entries_;  // front: used last
  std::unordered_map<InodeId, std::list<Entry>::iterator> places_;
  std::unordered_map<InodeId, Seen> seen_;
};

}  // namespace turbine::fs
