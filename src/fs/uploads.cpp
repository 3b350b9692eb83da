#include "fs/uploads.hpp"

#include <utility>

namespace turbine::fs {
namespace {

Task<InodeId> bucket_inode(CorePtr core, std::string bucket) {
  const Place place = CO_TRY(co_await locate(std::move(core), std::move(bucket), {}));
  co_return place.directory;
}

// A bucket that is gone took its uploads with it.
Error as_not_found(Error error) {
  if (error.code == Errc::stale) error.code = Errc::not_found;
  return error;
}

}  // namespace

Task<UploadInfo> create_upload(CorePtr core, CallContext call, std::string bucket, std::string key,
                               NewObject attributes) {
  CO_TRY(split_key(key));
  const InodeId inode = CO_TRY(co_await bucket_inode(core, bucket));
  proto::CreateUploadRequest request;
  request.set_bucket(inode.value);
  request.set_key(key);
  const uint64_t high = core->rng.next();
  request.set_id(fmt::format("{:016x}{:016x}", high, core->rng.next()));
  fill_attributes(*request.mutable_attributes(), attributes, call.user);
  auto reply = co_await core->partitions.call<proto::CreateUploadReply>(
      inode.partition(), proto::CREATE_UPLOAD, std::move(request), {}, call.request,
      core->clock.now());
  if (!reply.ok()) co_return fail(as_not_found(reply.error()));
  const proto::Upload& upload = reply->body.upload();
  co_return UploadInfo{upload.key(), upload.id(), upload.created_ns()};
}

Task<ObjectInfo> complete_upload(CorePtr core, CallContext call, std::string bucket,
                                 std::string key, std::string upload, std::vector<PartInfo> parts,
                                 Conditions conditions, std::string etag) {
  const NamePath path = CO_TRY(split_key(key));
  for (int tries = 0;; ++tries) {
    const Place place = CO_TRY(co_await locate(core, bucket, path));
    const InodeId bucket_id = CO_TRY(co_await bind(core, kRootInode, bucket));
    proto::CompleteUploadRequest request;
    request.set_bucket(bucket_id.value);
    request.set_upload_id(upload);
    request.set_key(key);
    request.set_etag(etag);
    for (const PartInfo& part : parts) {
      proto::CompletePart& added = *request.add_parts();
      added.set_number(part.number);
      added.set_etag(part.etag);
    }
    request.set_directory(place.directory.value);
    for (const std::string& name : place.missing) request.add_path(name);
    request.add_path(place.file);
    fill_condition(*request.mutable_condition(), conditions);
    request.set_session(core->session.value);
    auto reply = co_await core->partitions.call<proto::CompleteUploadReply>(
        place.directory.partition(), proto::COMPLETE_UPLOAD, std::move(request), {}, call.request,
        core->clock.now());
    if (reply.ok()) co_return to_object_info(key, reply->body.inode());
    if (!reply.failed_with(Errc::stale)) co_return fail(std::move(reply).error());
    forget(*core, place);
    if (tries >= core->options.stale_retries_max) {
      co_return fail(Errc::unavailable, "{}", reply.error().context);
    }
  }
}

Task<> abort_upload(CorePtr core, CallContext call, std::string bucket, std::string key,
                    std::string upload) {
  const InodeId inode = CO_TRY(co_await bucket_inode(core, bucket));
  proto::AbortUploadRequest request;
  request.set_bucket(inode.value);
  request.set_upload_id(upload);
  request.set_key(key);
  auto reply = co_await core->partitions.call<proto::AbortUploadReply>(
      inode.partition(), proto::ABORT_UPLOAD, std::move(request), {}, call.request,
      core->clock.now());
  if (!reply.ok()) co_return fail(as_not_found(reply.error()));
  co_return Result<>{};
}

Task<std::vector<PartInfo>> list_parts(CorePtr core, std::string bucket, std::string key,
                                       std::string upload, uint32_t after, size_t count,
                                       bool* more) {
  const InodeId inode = CO_TRY(co_await bucket_inode(core, bucket));
  proto::ListPartsRequest request;
  request.set_bucket(inode.value);
  request.set_upload_id(upload);
  request.set_key(key);
  request.set_after(after);
  request.set_count(static_cast<uint32_t>(count));
  auto reply = co_await core->ask<proto::ListPartsReply>(inode.partition(), proto::LIST_PARTS,
                                                         std::move(request));
  if (!reply.ok()) co_return fail(as_not_found(reply.error()));
  *more = reply->body.more();
  std::vector<PartInfo> parts;
  for (const proto::Part& part : reply->body.parts()) {
    parts.push_back({part.number(), part.size(), part.etag(), part.time_ns()});
  }
  co_return parts;
}

Task<std::vector<UploadInfo>> list_uploads(CorePtr core, std::string bucket, std::string prefix,
                                           std::string key_after, std::string id_after,
                                           size_t count, bool* more) {
  const InodeId inode = CO_TRY(co_await bucket_inode(core, bucket));
  proto::ListUploadsRequest request;
  request.set_bucket(inode.value);
  request.set_prefix(prefix);
  request.set_key_after(key_after);
  request.set_id_after(id_after);
  request.set_count(static_cast<uint32_t>(count));
  auto reply = co_await core->ask<proto::ListUploadsReply>(inode.partition(), proto::LIST_UPLOADS,
                                                           std::move(request));
  if (!reply.ok()) co_return fail(as_not_found(reply.error()));
  *more = reply->body.more();
  std::vector<UploadInfo> uploads;
  for (const proto::Upload& upload : reply->body.uploads()) {
    uploads.push_back({upload.key(), upload.id(), upload.created_ns()});
  }
  co_return uploads;
}

}  // namespace turbine::fs
