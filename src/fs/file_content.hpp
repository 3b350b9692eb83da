// FileContent: where the bytes of one version of one file lie, and reading them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "fs/core.hpp"

namespace turbine::fs {

/// Knows the extents and inline bytes of a window of the file and moves the window as reads want
/// it. Content never changes: another version is Errc::conflict. One reactor thread.
class FileContent {
 public:
  FileContent(CorePtr core, InodeId inode) : core_(std::move(core)), inode_(inode) {}

  /// 0: whatever version comes first.
  void set_version(uint64_t version) { version_ = version; }
  /// Of an object uploaded in parts: its bytes, but for those written in place since. The parts
  /// that have bytes where it is read.
  void set_parts(std::vector<proto::PartRef> parts) { parts_ = std::move(parts); }
  /// Takes the answer to a question for bytes from `from` on. Errc::corrupt: it contradicts itself.
  Result<> take(uint64_t from, const proto::Content& content, Buffer payload);
  /// Bytes from the file's start whose places are known.
  uint64_t known_to() const { return window_from_ == 0 ? window_to_ : 0; }
  /// Of memory, about.
  size_t memory_bytes() const;

 private:
  friend Task<> fetch_content(std::shared_ptr<FileContent> content, uint64_t from, bool pin,
                              uint64_t length);
  friend Task<std::vector<Buffer>> read_content(std::shared_ptr<FileContent> content,
                                                uint64_t offset, uint64_t length);
  friend void release_pin(const std::shared_ptr<FileContent>& content);
  struct Plan;
  Plan plan(uint64_t offset, uint64_t length);
  void plan_gap(Plan& plan, uint64_t offset, uint64_t length);
  std::shared_ptr<FileContent> part(InodeId inode);
  bool covers(uint64_t offset, uint64_t length) const {
    return window_from_ <= offset && offset + length <= window_to_;
  }

  CorePtr core_;
  InodeId inode_;
  uint64_t version_ = 0;
  uint64_t pin_ = 0;
  uint64_t window_from_ = 0, window_to_ = 0;
  std::map<uint64_t, proto::Extent> extents_;  // by file offset
  std::map<uint64_t, Buffer> inline_bytes_;    // by file offset; they go before extents
  std::vector<proto::PartRef> parts_;          // in order; where nothing else is
  std::map<InodeId, std::shared_ptr<FileContent>> part_contents_;
};

/// Asks the file's partition for the window that begins at `from`; its usual length when 0.
Task<> fetch_content(std::shared_ptr<FileContent> content, uint64_t from, bool pin,
                     uint64_t length = 0);

/// The bytes [offset, offset + length), which lie within the file. Holes are zeroes.
/// Errc::conflict: the content changed or is gone. Errc::io: it is lost.
Task<std::vector<Buffer>> read_content(std::shared_ptr<FileContent> content, uint64_t offset,
                                       uint64_t length);

/// Lets the partition free the content, in the background. No effect without a pin.
void release_pin(const std::shared_ptr<FileContent>& content);

}  // namespace turbine::fs
