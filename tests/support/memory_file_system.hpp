// MemoryFileSystem: fs::FileSystem on a std::map, for tests of front-ends and as the model against
// which the real one is checked. Behaves as the contract in fs/fs.hpp says; never blocks.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "fs/fs.hpp"

namespace turbine::test {

namespace memory_fs {

struct Object {
  fs::ObjectInfo info;
  std::string bytes;
};
struct Upload {
  fs::UploadInfo info;
  fs::NewObject attributes;
  std::map<uint32_t, Object> parts;
};
struct Bucket {
  fs::BucketInfo info;
  std::map<std::string, std::shared_ptr<const Object>> objects;
  std::map<std::pair<std::string, std::string>, Upload> uploads;  // by key, id
};

}  // namespace memory_fs

class MemoryFileSystem : public fs::FileSystem {
 public:
  explicit MemoryFileSystem(Clock& clock) : clock_(clock) {}

  fs::CallContext begin(uint64_t user) override;

  Task<fs::BucketInfo> create_bucket(fs::CallContext call, std::string name) override;
  Task<> delete_bucket(fs::CallContext, std::string name) override;
  Task<fs::BucketInfo> bucket(fs::CallContext, std::string name) override;
  Task<std::vector<fs::BucketInfo>> list_buckets(fs::CallContext) override;

  Task<std::vector<fs::BucketUsage>> bucket_usage(fs::CallContext,
                                                  std::vector<InodeId> buckets) override;
  Task<fs::BucketAttributes> set_bucket_attributes(fs::CallContext, std::string name,
                                                   fs::BucketAttributes attributes) override;

  Task<fs::ObjectInfo> head(fs::CallContext, std::string bucket, std::string key) override;
  Task<std::unique_ptr<fs::ObjectReader>> open(fs::CallContext, std::string bucket,
                                               std::string key) override;
  Task<std::unique_ptr<fs::ObjectWriter>> create(fs::CallContext, std::string bucket,
                                                 std::string key, std::optional<uint64_t>) override;
  Task<bool> remove(fs::CallContext, std::string bucket, std::string key,
                    fs::Conditions conditions) override;
  Task<fs::ListResult> list(fs::CallContext, std::string bucket, fs::ListRequest request) override;

  Task<fs::UploadInfo> create_upload(fs::CallContext, std::string bucket, std::string key,
                                     fs::NewObject attributes) override;
  Task<std::unique_ptr<fs::ObjectWriter>> create_part(fs::CallContext, std::string bucket,
                                                      std::string key, std::string upload,
                                                      uint32_t number,
                                                      std::optional<uint64_t>) override;
  Task<fs::ObjectInfo> complete_upload(fs::CallContext, std::string bucket, std::string key,
                                       std::string id, std::vector<fs::PartInfo> parts,
                                       fs::Conditions conditions, std::string etag) override;
  Task<> abort_upload(fs::CallContext, std::string bucket, std::string key,
                      std::string upload) override;
  Task<std::vector<fs::PartInfo>> list_parts(fs::CallContext, std::string bucket, std::string key,
                                             std::string id, uint32_t after, size_t count,
                                             bool* more) override;
  Task<std::vector<fs::UploadInfo>> list_uploads(fs::CallContext, std::string bucket,
                                                 std::string prefix, std::string key_after,
                                                 std::string id_after, size_t count,
                                                 bool* more) override;

 private:
  class Writer;

  static fs::ListResult list_now(const memory_fs::Bucket& bucket, const fs::ListRequest& request);

  Result<memory_fs::Bucket*> find(const std::string& name);
  Result<std::shared_ptr<const memory_fs::Object>> find_object(const std::string& bucket,
                                                               const std::string& key);
  Result<memory_fs::Upload*> find_upload(const std::string& bucket, const std::string& key,
                                         const std::string& id);
  Result<fs::ObjectInfo> put(const std::string& bucket, const std::string& key, std::string bytes,
                             fs::NewObject attributes, const fs::Conditions& conditions,
                             uint32_t part_count);
  InodeId next_inode() { return InodeId::make(PartitionId(0), ++inodes_made_); }
  int64_t now_ns() const { return clock_.wall_now().ns; }

  Clock& clock_;
  std::map<std::string, memory_fs::Bucket> buckets_;
  std::map<std::string, fs::BucketAttributes> attributes_;
  uint64_t sequence_ = 0, inodes_made_ = 1, uploads_made_ = 0;
};

}  // namespace turbine::test
