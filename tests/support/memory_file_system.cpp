#include "support/memory_file_system.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace turbine::test {
namespace memory_fs {
namespace {

bool etag_matches(const std::string& wanted, const std::string& have) {
  return wanted == "*" || wanted == have;
}

Result<> check(const fs::Conditions& conditions, const Object* object) {
  const bool wants = !conditions.if_match.empty() || conditions.if_unmodified_since_ns.has_value();
  if (object == nullptr) {
    if (wants) return fail(Errc::precondition_failed, "no such object");
    return {};
  }
  const fs::ObjectInfo& info = object->info;
  const bool holds =
      (conditions.if_match.empty() || etag_matches(conditions.if_match, info.etag)) &&
      (conditions.if_none_match.empty() || !etag_matches(conditions.if_none_match, info.etag)) &&
      (!conditions.if_unmodified_since_ns ||
       info.modified_ns <= *conditions.if_unmodified_since_ns) &&
      (!conditions.if_modified_since_ns || info.modified_ns > *conditions.if_modified_since_ns);
  if (!holds) return fail(Errc::precondition_failed, "condition on {} does not hold", info.key);
  return {};
}

class Reader final : public fs::ObjectReader {
 public:
  explicit Reader(std::shared_ptr<const Object> object) : object_(std::move(object)) {}
  const fs::ObjectInfo& info() const override { return object_->info; }
  Task<std::vector<Buffer>> read(uint64_t offset, uint64_t length) override {
    if (offset > object_->bytes.size()) co_return fail(Errc::out_of_range, "offset {}", offset);
    // In two pieces, so that callers do not come to rely on one.
    const std::string_view bytes = std::string_view(object_->bytes).substr(offset, length);
    std::vector<Buffer> result;
    const size_t half = bytes.size() / 2;
    if (half > 0) result.push_back(Buffer::copy_of(bytes.substr(0, half)));
    if (bytes.size() > half) result.push_back(Buffer::copy_of(bytes.substr(half)));
    co_return result;
  }

 private:
  std::shared_ptr<const Object> object_;
};

}  // namespace
}  // namespace memory_fs

class MemoryFileSystem::Writer final : public fs::ObjectWriter {
 public:
  struct Target {
    std::string bucket, key, upload;
    uint32_t part = 0;
  };
  Writer(MemoryFileSystem& owner, Target target) : owner_(owner), target_(std::move(target)) {}
  Task<> write(Buffer data) override {
    bytes_ += data.text();
    co_return Result<>{};
  }
  Task<fs::ObjectInfo> commit(fs::NewObject attributes, fs::Conditions conditions) override {
    if (target_.upload.empty()) {
      co_return owner_.put(target_.bucket, target_.key, std::move(bytes_), std::move(attributes),
                           conditions, 0);
    }
    auto* upload = CO_TRY(owner_.find_upload(target_.bucket, target_.key, target_.upload));
    memory_fs::Object& part = upload->parts[target_.part];
    part.bytes = std::move(bytes_);
    part.info.key = target_.key;
    part.info.size = part.bytes.size();
    part.info.etag = attributes.etag;
    part.info.modified_ns = owner_.now_ns();
    co_return part.info;
  }

 private:
  MemoryFileSystem& owner_;
  Target target_;
  std::string bytes_;
};

fs::CallContext MemoryFileSystem::begin(uint64_t user) {
  return {RequestId{SessionId(1), ++sequence_}, clock_.now(), user};
}

Task<fs::BucketInfo> MemoryFileSystem::create_bucket(fs::CallContext call, std::string name) {
  if (buckets_.contains(name)) co_return fail(Errc::exists, "bucket {} exists", name);
  memory_fs::Bucket& made = buckets_[name];
  made.info = {name, next_inode(), now_ns(), call.user};
  co_return made.info;
}

Task<> MemoryFileSystem::delete_bucket(fs::CallContext, std::string name) {
  const memory_fs::Bucket* found = CO_TRY(find(name));
  if (!found->objects.empty()) co_return fail(Errc::not_empty, "bucket {} is not empty", name);
  buckets_.erase(name);
  co_return Result<>{};
}

Task<fs::BucketInfo> MemoryFileSystem::bucket(fs::CallContext, std::string name) {
  const memory_fs::Bucket* found = CO_TRY(find(name));
  co_return found->info;
}

Task<std::vector<fs::BucketInfo>> MemoryFileSystem::list_buckets(fs::CallContext) {
  std::vector<fs::BucketInfo> infos;
  infos.reserve(buckets_.size());
  for (const auto& [name, bucket] : buckets_) infos.push_back(bucket.info);
  co_return infos;
}

Task<std::vector<fs::BucketUsage>> MemoryFileSystem::bucket_usage(fs::CallContext,
                                                                  std::vector<InodeId> buckets) {
  std::vector<fs::BucketUsage> usage(buckets.size());
  for (const auto& [name, bucket] : buckets_) {
    const auto at = std::ranges::find(buckets, bucket.info.inode) - buckets.begin();
    if (at == std::ssize(buckets)) continue;
    for (const auto& [key, object] : bucket.objects) {
      usage[static_cast<size_t>(at)].bytes += object->bytes.size();
      ++usage[static_cast<size_t>(at)].files;
    }
  }
  co_return usage;
}

Task<fs::BucketAttributes> MemoryFileSystem::set_bucket_attributes(
    fs::CallContext, std::string name, fs::BucketAttributes attributes) {
  CO_TRY(find(name));
  fs::BucketAttributes& kept = attributes_[name];
  if (attributes.uid) kept.uid = attributes.uid;
  if (attributes.gid) kept.gid = attributes.gid;
  if (attributes.mode) kept.mode = attributes.mode;
  co_return kept;
}

Task<fs::ObjectInfo> MemoryFileSystem::head(fs::CallContext, std::string bucket, std::string key) {
  const auto object = CO_TRY(find_object(bucket, key));
  co_return object->info;
}

Task<std::unique_ptr<fs::ObjectReader>> MemoryFileSystem::open(fs::CallContext, std::string bucket,
                                                               std::string key) {
  auto object = CO_TRY(find_object(bucket, key));
  co_return std::make_unique<memory_fs::Reader>(std::move(object));
}

Task<std::unique_ptr<fs::ObjectWriter>> MemoryFileSystem::create(fs::CallContext,
                                                                 std::string bucket,
                                                                 std::string key,
                                                                 std::optional<uint64_t>) {
  CO_TRY(find(bucket));
  co_return std::make_unique<Writer>(*this, Writer::Target{bucket, key, {}, 0});
}

Task<bool> MemoryFileSystem::remove(fs::CallContext, std::string bucket, std::string key,
                                    fs::Conditions conditions) {
  memory_fs::Bucket* found = CO_TRY(find(bucket));
  const auto object = found->objects.find(key);
  const bool existed = object != found->objects.end();
  CO_TRY(memory_fs::check(conditions, existed ? object->second.get() : nullptr));
  if (existed) found->objects.erase(object);
  co_return existed;
}

Task<fs::ListResult> MemoryFileSystem::list(fs::CallContext, std::string bucket,
                                            fs::ListRequest request) {
  const memory_fs::Bucket* found = CO_TRY(find(bucket));
  co_return list_now(*found, request);
}

Task<fs::UploadInfo> MemoryFileSystem::create_upload(fs::CallContext, std::string bucket,
                                                     std::string key, fs::NewObject attributes) {
  memory_fs::Bucket* found = CO_TRY(find(bucket));
  const std::string id = fmt::format("{:032x}", ++uploads_made_);
  memory_fs::Upload& upload = found->uploads[{key, id}];
  upload.info = {key, id, now_ns()};
  upload.attributes = std::move(attributes);
  co_return upload.info;
}

Task<std::unique_ptr<fs::ObjectWriter>> MemoryFileSystem::create_part(
    fs::CallContext, std::string bucket, std::string key, std::string upload, uint32_t number,
    std::optional<uint64_t>) {
  CO_TRY(find_upload(bucket, key, upload));
  co_return std::make_unique<Writer>(*this, Writer::Target{bucket, key, upload, number});
}

Task<fs::ObjectInfo> MemoryFileSystem::complete_upload(fs::CallContext, std::string bucket,
                                                       std::string key, std::string id,
                                                       std::vector<fs::PartInfo> parts,
                                                       fs::Conditions conditions,
                                                       std::string etag) {
  memory_fs::Upload* upload = CO_TRY(find_upload(bucket, key, id));
  std::string bytes;
  for (const fs::PartInfo& part : parts) {
    const auto have = upload->parts.find(part.number);
    if (have == upload->parts.end() || have->second.info.etag != part.etag) {
      co_return fail(Errc::invalid, "part {} is missing or differs", part.number);
    }
    bytes += have->second.bytes;
  }
  fs::NewObject attributes = upload->attributes;
  attributes.etag = std::move(etag);
  auto info = CO_TRY(put(bucket, key, std::move(bytes), std::move(attributes), conditions,
                         static_cast<uint32_t>(parts.size())));
  buckets_.at(bucket).uploads.erase({key, id});
  co_return info;
}

Task<> MemoryFileSystem::abort_upload(fs::CallContext, std::string bucket, std::string key,
                                      std::string upload) {
  CO_TRY(find_upload(bucket, key, upload));
  buckets_.at(bucket).uploads.erase({key, upload});
  co_return Result<>{};
}

Task<std::vector<fs::PartInfo>> MemoryFileSystem::list_parts(fs::CallContext, std::string bucket,
                                                             std::string key, std::string id,
                                                             uint32_t after, size_t count,
                                                             bool* more) {
  const memory_fs::Upload* upload = CO_TRY(find_upload(bucket, key, id));
  std::vector<fs::PartInfo> infos;
  *more = false;
  for (auto it = upload->parts.upper_bound(after); it != upload->parts.end(); ++it) {
    if (infos.size() == count) {
      *more = true;
      break;
    }
    const fs::ObjectInfo& part = it->second.info;
    infos.push_back({it->first, part.size, part.etag, part.modified_ns});
  }
  co_return infos;
}

Task<std::vector<fs::UploadInfo>> MemoryFileSystem::list_uploads(
    fs::CallContext, std::string bucket, std::string prefix, std::string key_after,
    std::string id_after, size_t count, bool* more) {
  const memory_fs::Bucket* found = CO_TRY(find(bucket));
  std::vector<fs::UploadInfo> infos;
  *more = false;
  for (const auto& [place, upload] : found->uploads) {
    const bool later =
        id_after.empty() ? place.first > key_after : place > std::pair(key_after, id_after);
    if (!place.first.starts_with(prefix) || !(key_after.empty() || later)) continue;
    if (infos.size() == count) {
      *more = true;
      break;
    }
    infos.push_back(upload.info);
  }
  co_return infos;
}

fs::ListResult MemoryFileSystem::list_now(const memory_fs::Bucket& bucket,
                                          const fs::ListRequest& request) {
  fs::ListResult result;
  std::string skipped;  // the common prefix that was given last, or by the page before
  const std::string& after = request.start_after;
  if (!request.delimiter.empty() && after.starts_with(request.prefix)) {
    const size_t at = after.find(request.delimiter, request.prefix.size());
    if (at != std::string::npos && at + request.delimiter.size() == after.size()) skipped = after;
  }
  const std::string& from = std::max(after, request.prefix);
  for (auto it = bucket.objects.lower_bound(from); it != bucket.objects.end(); ++it) {
    const std::string& key = it->first;
    if (!key.starts_with(request.prefix)) break;
    if (!after.empty() && key <= after) continue;
    if (!skipped.empty() && key.starts_with(skipped)) continue;
    const size_t at = request.delimiter.empty()
                          ? std::string::npos
                          : key.find(request.delimiter, request.prefix.size());
    if (result.items.size() >= request.count) {
      result.truncated = request.count > 0;
      break;
    }
    if (at == std::string::npos) {
      result.items.push_back({key, false, it->second->info});
    } else {
      skipped = key.substr(0, at + request.delimiter.size());
      result.items.push_back({skipped, true, {}});
    }
    result.next_start_after = result.items.back().key;
  }
  return result;
}

Result<memory_fs::Bucket*> MemoryFileSystem::find(const std::string& name) {
  const auto found = buckets_.find(name);
  if (found == buckets_.end()) return fail(Errc::not_found, "bucket {} does not exist", name);
  return &found->second;
}

Result<std::shared_ptr<const memory_fs::Object>> MemoryFileSystem::find_object(
    const std::string& bucket, const std::string& key) {
  memory_fs::Bucket* in = TRY(find(bucket));
  const auto found = in->objects.find(key);
  if (found == in->objects.end()) return fail(Errc::not_found, "no object {}", key);
  return found->second;
}

Result<memory_fs::Upload*> MemoryFileSystem::find_upload(const std::string& bucket,
                                                         const std::string& key,
                                                         const std::string& id) {
  memory_fs::Bucket* in = TRY(find(bucket));
  const auto found = in->uploads.find({key, id});
  if (found == in->uploads.end()) return fail(Errc::not_found, "no upload {} of {}", id, key);
  return &found->second;
}

Result<fs::ObjectInfo> MemoryFileSystem::put(const std::string& bucket, const std::string& key,
                                             std::string bytes, fs::NewObject attributes,
                                             const fs::Conditions& conditions,
                                             uint32_t part_count) {
  memory_fs::Bucket* in = TRY(find(bucket));
  if (key.empty()) return fail(Errc::invalid, "empty key");
  if (key.size() > 1024) return fail(Errc::name_too_long, "key of {} bytes", key.size());
  const auto old = in->objects.find(key);
  const memory_fs::Object* before = old == in->objects.end() ? nullptr : old->second.get();
  TRY(memory_fs::check(conditions, before));
  auto object = std::make_shared<memory_fs::Object>();
  fs::ObjectInfo& info = object->info;
  info.key = key;
  info.inode = before != nullptr ? before->info.inode : next_inode();
  info.size = bytes.size();
  info.modified_ns = std::max(now_ns(), before != nullptr ? before->info.modified_ns + 1 : 0);
  info.etag = std::move(attributes.etag);
  info.content_type = std::move(attributes.content_type);
  info.metadata = std::move(attributes.metadata);
  info.content_version = before != nullptr ? before->info.content_version + 1 : 1;
  info.part_count = part_count;
  object->bytes = std::move(bytes);
  in->objects[key] = object;
  return object->info;
}

}  // namespace turbine::test
