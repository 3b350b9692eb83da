// FileSystem: the namespace as front-ends see it. S3 and NFS stand on this and nothing below.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/buffer.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/task.hpp"

namespace turbine::fs {

using Attributes = std::vector<std::pair<std::string, std::string>>;

struct BucketInfo {
  std::string name;
  InodeId inode;
  int64_t created_ns = 0;
  uint64_t owner_user = 0;
};

/// What a bucket holds. Bytes are lengths of files, as they show them.
struct BucketUsage {
  struct Quota {
    uint64_t limit_bytes = 0;
    uint64_t used_bytes = 0;
    bool enforced = false;  // what was there before it is counted: it holds
  };
  uint64_t bytes = 0;
  uint64_t files = 0;  // with a name, and no directories
  std::optional<Quota> quota;
};
/// Of a bucket's directory. What S3 makes in it belongs to the same user and group.
struct BucketAttributes {
  std::optional<uint32_t> uid, gid, mode;
};

/// A file as an object. `key` is the whole S3 key.
struct ObjectInfo {
  std::string key;
  InodeId inode;
  uint64_t size = 0;
  int64_t modified_ns = 0;  // content time; never goes backwards
  std::string etag;         // without quotes
  std::string content_type;
  Attributes metadata;  // "x-amz-meta-…", "cache-control", …, lower case
  uint64_t content_version = 0;
  uint32_t part_count = 0;  // 0: not multipart
};

struct Conditions {  // S3 If-*; empty: none. Etags without quotes, or "*".
  std::string if_match, if_none_match;
  std::optional<int64_t> if_modified_since_ns, if_unmodified_since_ns;
};

/// Facts of the client's request that follow it through the array.
struct CallContext {
  RequestId request;  // one per mutation; made by FileSystem::next_request()
  TimePoint received{};
  uint64_t user = 0;
};

/// Content of one object as it was when opened. Errc::conflict from read() when the content changed
/// in place or is gone: the response must be aborted, versions are never mixed.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;
  virtual const ObjectInfo& info() const = 0;
  /// Bytes [offset, offset + length) as buffers in order; holes are zeroes. Call with ≤ 4 MiB.
  virtual Task<std::vector<Buffer>> read(uint64_t offset, uint64_t length) = 0;
};

struct NewObject {
  std::string content_type;
  Attributes metadata;
  std::string etag;  // set by the front-end before commit()
};

/// An object being written. Nothing is visible before commit(), all of it after. Dropping it
/// without commit() discards what was written.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  /// Takes bytes in order; returns when it can take more (bounded memory).
  virtual Task<> write(Buffer data) = 0;
  virtual Task<ObjectInfo> commit(NewObject attributes, Conditions conditions) = 0;
};

struct ListRequest {
  std::string prefix;
  std::string delimiter;    // any string; empty: none
  std::string start_after;  // keys > start_after
  size_t count = 1000;
};
struct ListResult {
  struct Item {
    std::string key;  // or common prefix
    bool is_prefix = false;
    ObjectInfo info;
  };
  std::vector<Item> items;  // exact byte order, prefixes among keys
  bool truncated = false;
  std::string next_start_after;  // give back as start_after; skips a whole common prefix
};

struct UploadInfo {
  std::string key, id;
  int64_t created_ns = 0;
};
struct PartInfo {
  uint32_t number = 0;
  uint64_t size = 0;
  std::string etag;
  int64_t modified_ns = 0;
};

/// One per gateway process and reactor. Errors a front-end reacts to: not_found, exists, not_empty,
/// invalid, name_too_long, precondition_failed, no_space, quota_exceeded, unavailable (503),
/// timeout (503, outcome unknown), conflict.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual CallContext begin(uint64_t user) = 0;

  virtual Task<BucketInfo> create_bucket(CallContext call, std::string name) = 0;
  virtual Task<> delete_bucket(CallContext call, std::string name) = 0;  // not_empty
  virtual Task<BucketInfo> bucket(CallContext call, std::string name) = 0;
  virtual Task<std::vector<BucketInfo>> list_buckets(CallContext call) = 0;
  /// In the order of `buckets`; of one that is gone: nothing.
  virtual Task<std::vector<BucketUsage>> bucket_usage(CallContext call,
                                                      std::vector<InodeId> buckets) = 0;
  /// Sets those that are given. Returns what it has then.
  virtual Task<BucketAttributes> set_bucket_attributes(CallContext call, std::string name,
                                                       BucketAttributes attributes) = 0;

  virtual Task<ObjectInfo> head(CallContext call, std::string bucket, std::string key) = 0;
  virtual Task<std::unique_ptr<ObjectReader>> open(CallContext call, std::string bucket,
                                                   std::string key) = 0;
  /// Small objects are held until commit(); larger ones are striped as they come.
  virtual Task<std::unique_ptr<ObjectWriter>> create(CallContext call, std::string bucket,
                                                     std::string key,
                                                     std::optional<uint64_t> size_hint) = 0;
  /// Returns whether it existed.
  virtual Task<bool> remove(CallContext call, std::string bucket, std::string key,
                            Conditions conditions) = 0;
  virtual Task<ListResult> list(CallContext call, std::string bucket, ListRequest request) = 0;

  virtual Task<UploadInfo> create_upload(CallContext call, std::string bucket, std::string key,
                                         NewObject attributes) = 0;
  /// A writer whose commit() makes the part (conditions ignored).
  virtual Task<std::unique_ptr<ObjectWriter>> create_part(CallContext call, std::string bucket,
                                                          std::string key, std::string upload,
                                                          uint32_t number,
                                                          std::optional<uint64_t> size_hint) = 0;
  /// `parts`: number and etag as the client lists them, ascending. invalid: a part is missing or
  /// its etag differs; too_large in context "EntityTooSmall" is the caller's check with list_parts.
  /// `etag`: of the whole object, as the protocol makes it out of the parts'.
  virtual Task<ObjectInfo> complete_upload(CallContext call, std::string bucket, std::string key,
                                           std::string upload, std::vector<PartInfo> parts,
                                           Conditions conditions, std::string etag = {}) = 0;
  virtual Task<> abort_upload(CallContext call, std::string bucket, std::string key,
                              std::string upload) = 0;
  virtual Task<std::vector<PartInfo>> list_parts(CallContext call, std::string bucket,
                                                 std::string key, std::string upload,
                                                 uint32_t after, size_t count, bool* more) = 0;
  virtual Task<std::vector<UploadInfo>> list_uploads(CallContext call, std::string bucket,
                                                     std::string prefix, std::string key_after,
                                                     std::string id_after, size_t count,
                                                     bool* more) = 0;
};

}  // namespace turbine::fs
