#include "fs/array_files.hpp"

#include <algorithm>
#include <utility>

#include "fs/buckets.hpp"
#include "fs/file_bytes.hpp"
#include "fs/file_names.hpp"
#include "fs/file_stat.hpp"

namespace turbine::fs {
namespace {

constexpr uint64_t kFilesMax = uint64_t{1} << 40;  // no table of inodes can run full

/// Without redundancy, as the layout in use has it.
SpaceStat space_of(const cluster::ClusterMap& map) {
  uint64_t capacity = 0, used = 0;
  for (const proto::Blade& blade : map.record().blades()) {
    if (!map.alive(BladeId(blade.id()))) continue;
    capacity += blade.capacity_bytes();
    used += std::min(blade.used_bytes(), blade.capacity_bytes());
  }
  double share = 1;
  for (const proto::Layout& layout : map.record().layouts()) {
    if (!layout.preferred()) continue;
    share = static_cast<double>(layout.data_count()) /
            static_cast<double>(layout.data_count() + layout.parity_count());
  }
  const auto usable = [share](uint64_t bytes) {
    return static_cast<uint64_t>(static_cast<double>(bytes) * share);
  };
  return {.total_bytes = usable(capacity),
          .free_bytes = usable(capacity - used),
          .total_files = kFilesMax,
          .free_files = kFilesMax};
}

class ArrayFiles final : public Files {
 public:
  explicit ArrayFiles(CorePtr core) : core_(std::move(core)) {}

  InodeId root() const override { return kRootInode; }
  Task<FileStat> stat(InodeId file) override { return stat_of(core_, file); }
  Task<FileChange> set_stat(CallContext call, Credentials who, InodeId file, NewStat stat,
                            std::optional<int64_t> guard) override {
    return set_file_stat(core_, call, std::move(who), file, stat, guard);
  }
  Task<FoundFile> lookup(Credentials who, InodeId directory, std::string name) override {
    return lookup_file(core_, std::move(who), directory, std::move(name));
  }
  Task<std::string> read_link(InodeId link) override { return target_of(core_, link); }
  Task<FileBytes> read(Credentials who, InodeId file, uint64_t offset, uint32_t count) override {
    return read_file(core_, std::move(who), file, offset, count);
  }
  Task<FileChange> write(CallContext call, Credentials who, InodeId file, uint64_t offset,
                         std::vector<Buffer> bytes) override {
    return write_file(core_, call, std::move(who), file, offset, std::move(bytes));
  }
  Task<MadeFile> create(CallContext call, Credentials who, NewFileRequest request) override {
    return create_file(core_, call, std::move(who), std::move(request), FileType::regular);
  }
  Task<MadeFile> make_directory(CallContext call, Credentials who,
                                NewFileRequest request) override {
    return fs::make_directory(core_, call, std::move(who), std::move(request));
  }
  Task<MadeFile> make_symlink(CallContext call, Credentials who, NewFileRequest request) override {
    request.mode = CreateMode::guarded;
    return create_file(core_, call, std::move(who), std::move(request), FileType::symlink);
  }
  Task<MadeFile> make_special(CallContext call, Credentials who, NewFileRequest request) override {
    request.mode = CreateMode::guarded;
    const FileType type = request.type;
    return create_file(core_, call, std::move(who), std::move(request), type);
  }
  Task<FileChange> remove(CallContext call, Credentials who, InodeId directory,
                          std::string name) override {
    return remove_file(core_, call, std::move(who), directory, std::move(name));
  }
  Task<FileChange> remove_directory(CallContext call, Credentials who, InodeId directory,
                                    std::string name) override {
    return fs::remove_directory(core_, call, std::move(who), directory, std::move(name));
  }
  Task<Renamed> rename(CallContext call, Credentials who, InodeId from, std::string from_name,
                       InodeId to, std::string to_name) override {
    return rename_file(core_, call, std::move(who), from, std::move(from_name), to,
                       std::move(to_name));
  }
  Task<Linked> link(CallContext call, Credentials who, InodeId file, InodeId directory,
                    std::string name) override {
    return link_file(core_, call, std::move(who), file, directory, std::move(name));
  }
  Task<DirectoryPage> list(Credentials who, DirectoryPageRequest request) override {
    return list_files(core_, std::move(who), std::move(request));
  }
  Task<SpaceStat> space(InodeId file) override { return space_for(core_, file); }

 private:
  static Task<SpaceStat> space_for(CorePtr core, InodeId file) {
    const proto::Inode inode = CO_TRY(co_await fetch_inode(core, file));
    const cluster::MapPtr map = core->map.get();
    SpaceStat space = space_of(*map);
    const auto& quotas = map->record().quotas();
    if (std::ranges::find(quotas, inode.bucket(), &proto::BucketQuota::bucket) == quotas.end()) {
      co_return space;
    }
    const auto quota = CO_TRY(co_await bucket_quota(core, InodeId(inode.bucket())));
    if (!quota.has_value()) co_return space;
    const uint64_t left = quota->limit_bytes - std::min(quota->limit_bytes, quota->used_bytes);
    space.total_bytes = quota->limit_bytes;
    space.free_bytes = std::min({space.free_bytes, left});
    co_return space;
  }
  static Task<FileStat> stat_of(CorePtr core, InodeId file) {
    co_return to_file_stat(CO_TRY(co_await fetch_inode(core, file)));
  }
  static Task<std::string> target_of(CorePtr core, InodeId link) {
    proto::Inode inode = CO_TRY(co_await fetch_inode(core, link));
    if (inode.type() != proto::FILE_SYMLINK) {
      co_return fail(Errc::invalid, "inode {} is not a symbolic link", link);
    }
    co_return std::move(*inode.mutable_symlink_target());
  }

  CorePtr core_;
};

}  // namespace

std::unique_ptr<Files> make_files(CorePtr core) {
  return std::make_unique<ArrayFiles>(std::move(core));
}

}  // namespace turbine::fs
