#include "fs/buckets.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "fs/file_names.hpp"

namespace turbine::fs {
namespace {

constexpr size_t kFactsMax = 10'000;
constexpr uint32_t kPage = 1000;
// Whoever may mount it may use it: objects take owner and mode from their bucket.
constexpr uint32_t kBucketMode = 0777;
constexpr uint32_t kBucketOwner = 65534;  // nobody: also root, squashed

BucketInfo to_bucket_info(std::string name, const proto::Inode& inode) {
  BucketInfo info;
  info.name = std::move(name);
  info.inode = InodeId(inode.id());
  info.owner_user = inode.owner_user();
  info.created_ns = inode.ctime_ns();
  const auto created = inode.settings().find(kBucketCreatedSetting);
  if (created != inode.settings().end()) {
    const std::string& text = created->second;
    std::from_chars(text.data(), text.data() + text.size(), info.created_ns);
  }
  return info;
}

Task<BucketInfo> facts_of(CorePtr core, BucketFacts& facts, InodeId inode, std::string name) {
  const auto known = facts.find(inode);
  if (known != facts.end()) {
    known->second.name = name;  // it may have been renamed
    co_return known->second;
  }
  proto::GetExtentsRequest request;
  request.set_inode(inode.value);
  const auto reply = CO_TRY(co_await core->ask<proto::GetExtentsReply>(
      inode.partition(), proto::GET_EXTENTS, std::move(request)));
  BucketInfo info = to_bucket_info(name, reply.body.inode());
  if (facts.size() >= kFactsMax) facts.clear();
  facts[inode] = info;
  co_return info;
}

BucketUsage::Quota to_quota(const proto::BucketUsageReply::Bucket& bucket) {
  return {.limit_bytes = bucket.limit_bytes(),
          .used_bytes = static_cast<uint64_t>(std::max<int64_t>(bucket.used_bytes(), 0)),
          .enforced = bucket.enforced()};
}

}  // namespace

Task<BucketInfo> create_bucket(CorePtr core, CallContext call, std::string name) {
  if (name.empty() || name.find('/') != std::string::npos) {
    co_return fail(Errc::invalid, "a bucket can't have the name '{}'", name);
  }
  proto::MakeDirectoryRequest request;
  request.set_directory(kRootInode.value);
  request.set_name(name);
  request.set_owner_user(call.user);
  request.set_mode(kBucketMode);
  request.set_uid(kBucketOwner);
  request.set_gid(kBucketOwner);
  (*request.mutable_settings())[kBucketCreatedSetting] =
      fmt::format("{}", core->clock.wall_now().ns);
  auto reply = CO_TRY(co_await core->partitions.call<proto::MakeDirectoryReply>(
      kRootInode.partition(), proto::MAKE_DIRECTORY, std::move(request), {}, call.request,
      core->clock.now()));
  core->bindings.drop(kRootInode, name);
  co_return to_bucket_info(name, reply.body.inode());
}

Task<> delete_bucket(CorePtr core, CallContext call, std::string name) {
  proto::RemoveDirectoryRequest request;
  request.set_directory(kRootInode.value);
  request.set_name(name);
  const auto reply = co_await core->partitions.call<proto::RemoveDirectoryReply>(
      kRootInode.partition(), proto::REMOVE_DIRECTORY, std::move(request), {}, call.request,
      core->clock.now());
  core->bindings.drop(kRootInode, name);
  if (reply.failed_with(Errc::not_found)) {
    co_return fail(Errc::not_found, "bucket {} does not exist", name);
  }
  if (reply.failed_with(Errc::not_empty)) {
    co_return fail(Errc::not_empty, "bucket {} is not empty", name);
  }
  if (!reply.ok()) co_return fail(reply.error());
  co_return Result<>{};
}

Task<BucketInfo> find_bucket(CorePtr core, BucketFacts& facts, std::string name) {
  const auto inode = co_await bind(core, kRootInode, name, true);
  if (inode.failed_with(Errc::not_found)) {
    co_return fail(Errc::not_found, "bucket {} does not exist", name);
  }
  if (!inode.ok()) co_return fail(inode.error());
  auto info = co_await facts_of(core, facts, *inode, name);
  if (info.failed_with(Errc::stale) || info.failed_with(Errc::not_found)) {
    co_return fail(Errc::not_found, "bucket {} does not exist", name);
  }
  co_return info;
}

Task<std::vector<BucketUsage>> bucket_usage(CorePtr core, std::vector<InodeId> buckets) {
  proto::BucketUsageRequest request;
  for (const InodeId bucket : buckets) request.add_buckets(bucket.value);
  std::vector<Task<rpc::With<proto::BucketUsageReply>>> asked;
  const uint32_t partitions = core->map.get()->partition_count();
  for (uint32_t i = 0; i < partitions && !buckets.empty(); ++i) {
    request.set_partition(i);
    asked.push_back(
        core->ask<proto::BucketUsageReply>(PartitionId(i), proto::BUCKET_USAGE, request));
  }
  std::vector<BucketUsage> usage(buckets.size());
  for (auto& answer : co_await when_all(std::move(asked))) {
    const auto reply = CO_TRY(std::move(answer));
    for (size_t i = 0; i < usage.size() && std::cmp_less(i, reply.body.buckets_size()); ++i) {
      const auto& part = reply.body.buckets(static_cast<int>(i));
      usage[i].bytes += static_cast<uint64_t>(part.bytes());
      usage[i].files += static_cast<uint64_t>(part.files());
      if (part.has_quota()) usage[i].quota = to_quota(part);
    }
  }
  co_return usage;
}

Task<std::optional<BucketUsage::Quota>> bucket_quota(CorePtr core, InodeId bucket) {
  proto::BucketUsageRequest request;
  request.set_partition(bucket.partition().value);
  request.add_buckets(bucket.value);
  const auto reply = CO_TRY(co_await core->ask<proto::BucketUsageReply>(
      bucket.partition(), proto::BUCKET_USAGE, std::move(request)));
  if (reply.body.buckets_size() == 0 || !reply.body.buckets(0).has_quota()) {
    co_return std::optional<BucketUsage::Quota>{};
  }
  co_return to_quota(reply.body.buckets(0));
}

Task<BucketAttributes> set_bucket_attributes(CorePtr core, CallContext call, std::string name,
                                             BucketAttributes attributes) {
  const auto inode = co_await bind(core, kRootInode, name, true);
  if (inode.failed_with(Errc::not_found)) {
    co_return fail(Errc::not_found, "bucket {} does not exist", name);
  }
  if (!inode.ok()) co_return fail(inode.error());
  if (!attributes.uid && !attributes.gid && !attributes.mode) {
    const proto::Inode now = CO_TRY(co_await fetch_inode(core, *inode));
    co_return BucketAttributes{.uid = now.uid(), .gid = now.gid(), .mode = now.mode()};
  }
  proto::SetAttributesRequest request;
  request.set_inode(inode->value);
  if (attributes.uid) request.set_uid(*attributes.uid);
  if (attributes.gid) request.set_gid(*attributes.gid);
  if (attributes.mode) request.set_mode(*attributes.mode);
  const auto reply = CO_TRY(co_await core->partitions.call<proto::SetAttributesReply>(
      inode->partition(), proto::SET_ATTRIBUTES, std::move(request), {}, call.request,
      core->clock.now()));
  const proto::Inode& after = reply.body.file().after();
  co_return BucketAttributes{.uid = after.uid(), .gid = after.gid(), .mode = after.mode()};
}

Task<std::vector<BucketInfo>> list_buckets(CorePtr core, BucketFacts& facts) {
  std::vector<BucketInfo> buckets;
  proto::ListDirectoryRequest request;
  request.set_directory(kRootInode.value);
  request.set_count(kPage);
  request.set_inclusive(true);
  for (;;) {
    const auto page = CO_TRY(co_await core->ask<proto::ListDirectoryReply>(
        kRootInode.partition(), proto::LIST_DIRECTORY, request));
    std::vector<Task<BucketInfo>> asked;
    std::vector<BucketInfo> bare;
    for (const proto::DirectoryEntry& entry : page.body.entries()) {
      if (!entry.is_directory()) continue;
      const InodeId inode(entry.inode().id());
      bare.push_back({.name = entry.name(), .inode = inode});
      asked.push_back(facts_of(core, facts, inode, entry.name()));
    }
    const auto infos = co_await when_all(std::move(asked));
    for (size_t i = 0; i < infos.size(); ++i) {
      if (infos[i].failed_with(Errc::stale) || infos[i].failed_with(Errc::not_found)) continue;
      buckets.push_back(infos[i].ok() ? *infos[i] : bare[i]);
    }
    if (!page.body.more() || page.body.entries().empty()) co_return buckets;
    const proto::DirectoryEntry& last = *page.body.entries().rbegin();
    request.set_after(last.name() + (last.is_directory() ? "/" : ""));
    request.set_inclusive(false);
  }
}

}  // namespace turbine::fs
