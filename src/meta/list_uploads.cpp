// LIST_PARTS, LIST_UPLOADS.
#include <algorithm>

#include "meta/op_support.hpp"
#include "meta/operations.hpp"

namespace turbine::meta {

Answer<proto::ListPartsReply> list_parts(Call call, proto::ListPartsRequest request) {
  const PartitionPtr partition = call.partition;
  const InodeId bucket(request.bucket());
  CO_TRY(co_await partition->wait_settled({lock_upload(bucket, request.upload_id(), true).key}));
  auto upload = CO_TRY(co_await load_record<proto::Upload>(
      partition->kv(), partition->keys().upload(bucket, request.key(), request.upload_id())));
  if (!upload.has_value()) co_return fail(Errc::not_found, "there is no such upload");
  rpc::With<proto::ListPartsReply> reply;
  *reply.body.mutable_upload() = std::move(*upload);
  const Keys& keys = partition->keys();
  auto it = partition->kv().scan(keys.part(request.upload_id(), request.after() + 1),
                                 prefix_end(keys.parts_of(request.upload_id())));
  for (; it->valid(); it->next()) {
    if (static_cast<uint32_t>(reply.body.parts_size()) >= request.count()) {
      reply.body.set_more(true);
      break;
    }
    *reply.body.add_parts() = CO_TRY(parse_record<proto::Part>(it->key(), it->value()));
  }
  CO_TRY(it->status());
  co_return reply;
}

Answer<proto::ListUploadsReply> list_uploads(Call call, proto::ListUploadsRequest request) {
  const PartitionPtr partition = call.partition;
  const InodeId bucket(request.bucket());
  CO_TRY(co_await partition->wait_settled({lock_present(bucket, true).key}));
  CO_TRY(co_await find_directory(partition, bucket));
  const Keys& keys = partition->keys();
  const std::string all = keys.uploads(bucket, request.prefix());
  std::string first = all;
  if (!request.key_after().empty()) {
    // After all uploads of the key, or after one of them.
    const std::string after = keys.upload(bucket, request.key_after(), request.id_after());
    first = std::max(first, request.id_after().empty() ? prefix_end(after) : after + '\0');
  }
  rpc::With<proto::ListUploadsReply> reply;
  auto it = partition->kv().scan(first, prefix_end(all));
  for (; it->valid(); it->next()) {
    if (static_cast<uint32_t>(reply.body.uploads_size()) >= request.count()) {
      reply.body.set_more(true);
      break;
    }
    *reply.body.add_uploads() = CO_TRY(parse_record<proto::Upload>(it->key(), it->value()));
  }
  CO_TRY(it->status());
  co_return reply;
}

}  // namespace turbine::meta
