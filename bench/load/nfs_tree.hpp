// Files that a load needs before it begins: one call at a time, over one connection.
#pragma once

#include "nfs_connection.hpp"

namespace turbine::bench {

constexpr uint64_t kTransferBytes = 1 << 20;
constexpr uint64_t kBlockBytes = 4096;

/// The content of all data files: each block of 4 KiB begins with its offset in the file.
std::vector<char> data_at(uint64_t offset, uint64_t bytes);
/// Whether bytes read at `offset`, a multiple of 4 KiB, are those of data_at().
bool right_data(uint64_t offset, const char* data, uint64_t bytes);

class NfsTree {
 public:
  /// Asks MOUNT for the export's handle.
  static Result<NfsTree> open(const NfsTarget& target);

  const NfsHandle& root() const { return root_; }
  /// Those that exist are taken as they are.
  Result<NfsHandle> make_directory(const NfsHandle& directory, const std::string& name);
  Result<NfsHandle> make_file(const NfsHandle& directory, const std::string& name);
  /// A file of `bytes` bytes with data_at(); written unless it has that size.
  Result<NfsHandle> make_data_file(const NfsHandle& directory, const std::string& name,
                                   uint64_t bytes);
  Result<NfsHandle> look_up(const NfsHandle& directory, const std::string& name);
  Result<> remove_file(const NfsHandle& directory, const std::string& name);
  Result<> remove_directory(const NfsHandle& directory, const std::string& name);

 private:
  Result<uint64_t> size_of(const NfsHandle& file);
  Result<> write(const NfsHandle& file, uint64_t offset, uint64_t bytes);

  std::unique_ptr<NfsConnection> connection_;
  NfsHandle root_;
};

}  // namespace turbine::bench
