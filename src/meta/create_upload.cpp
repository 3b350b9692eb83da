// CREATE_UPLOAD, PUT_PART, ABORT_UPLOAD: a multipart upload in its bucket's partition.
#include "meta/op_support.hpp"
#include "meta/operations.hpp"

namespace turbine::meta {
namespace {

constexpr uint32_t kPartNumberMax = 10'000;

Task<KeyLocks::Guard> lock_upload_of(PartitionPtr partition, InodeId bucket, std::string id) {
  return partition->locks().acquire_until(
      {lock_present(bucket, false), lock_upload(bucket, id, true)}, partition->clock(),
      partition->clock().now() + partition->options().lock_wait);
}

Task<proto::Upload> find_upload(PartitionPtr partition, InodeId bucket, std::string key,
                                std::string id) {
  auto upload = CO_TRY(co_await load_record<proto::Upload>(
      partition->kv(), partition->keys().upload(bucket, key, id)));
  if (!upload.has_value()) co_return fail(Errc::not_found, "there is no upload {}", id);
  co_return std::move(*upload);
}

}  // namespace

Answer<proto::CreateUploadReply> create_upload(Call call, proto::CreateUploadRequest request) {
  const PartitionPtr partition = call.partition;
  const InodeId bucket(request.bucket());
  if (request.id().empty() || request.id().size() > 64 || request.key().size() > kNameBytesMax) {
    co_return fail(Errc::invalid, "a multipart upload needs an id and a key");
  }
  Half half;
  half.guards.push_back(CO_TRY(co_await lock_upload_of(partition, bucket, request.id())));
  CO_TRY(co_await find_directory(partition, bucket));
  rpc::With<proto::CreateUploadReply> reply;
  proto::Upload& upload = *reply.body.mutable_upload();
  upload.set_id(request.id());
  upload.set_key(request.key());
  upload.set_bucket(request.bucket());
  *upload.mutable_attributes() = request.attributes();
  upload.set_created_ns(partition->time_after(0));
  *half.mutations.Add()->mutable_put_upload() = upload;
  CO_TRY(co_await partition->commit(make_entry(call.id, reply.body, &half)));
  co_return reply;
}

Answer<proto::PutPartReply> put_part(Call call, proto::PutPartRequest request) {
  const PartitionPtr partition = call.partition;
  const InodeId bucket(request.bucket());
  if (request.number() == 0 || request.number() > kPartNumberMax) {
    co_return fail(Errc::invalid, "part number {} is not in 1 to {}", request.number(),
                   kPartNumberMax);
  }
  Half half;
  half.guards.push_back(CO_TRY(co_await lock_upload_of(partition, bucket, request.upload_id())));
  CO_TRY(co_await find_upload(partition, bucket, request.key(), request.upload_id()));
  proto::Inode inode;
  inode.set_id(partition->next_number().value);
  inode.set_type(proto::FILE_REGULAR);
  inode.set_size(request.content().size());
  inode.set_content_version(1);
  inode.set_content(CO_TRY(take_content(partition, request.content(), call.payload.text(),
                                        SessionId(request.session()), &half)));
  rpc::With<proto::PutPartReply> reply;
  proto::Part& part = *reply.body.mutable_part();
  part.set_number(request.number());
  part.set_inode(inode.id());
  part.set_size(inode.size());
  part.set_etag(request.etag());
  part.set_time_ns(partition->time_after(0));
  *half.mutations.Add()->mutable_put_inode()->mutable_inode() = std::move(inode);
  auto& put = *half.mutations.Add()->mutable_put_part();
  put.set_upload_id(request.upload_id());
  *put.mutable_part() = part;
  CO_TRY(co_await partition->commit(make_entry(call.id, reply.body, &half)));
  co_return reply;
}

Answer<proto::AbortUploadReply> abort_upload(Call call, proto::AbortUploadRequest request) {
  const PartitionPtr partition = call.partition;
  const InodeId bucket(request.bucket());
  Half half;
  half.guards.push_back(CO_TRY(co_await lock_upload_of(partition, bucket, request.upload_id())));
  CO_TRY(co_await find_upload(partition, bucket, request.key(), request.upload_id()));
  auto& remove = *half.mutations.Add()->mutable_remove_upload();
  remove.set_bucket(request.bucket());
  remove.set_key(request.key());
  remove.set_id(request.upload_id());
  rpc::With<proto::AbortUploadReply> reply;
  CO_TRY(co_await partition->commit(make_entry(call.id, reply.body, &half)));
  co_return reply;
}

}  // namespace turbine::meta
