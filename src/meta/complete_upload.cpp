// COMPLETE_UPLOAD: the parts become a file, at once.
#include "meta/op_support.hpp"
#include "meta/operations.hpp"
#include "meta/place_file.hpp"

namespace turbine::meta {

Answer<proto::CompleteUploadReply> complete_upload(Call call,
                                                   proto::CompleteUploadRequest request) {
  const PartitionPtr partition = call.partition;
  CO_TRY(check_path(request.path()));
  if (request.parts().empty()) co_return fail(Errc::invalid, "an upload without parts");
  proto::PutFileRequest put;
  put.set_directory(request.directory());
  *put.mutable_path() = request.path();
  *put.mutable_condition() = request.condition();
  put.set_session(request.session());

  Transaction txn(partition, call.id, call.received);
  txn.half().guards.push_back(CO_TRY(co_await lock_for_put(partition, put)));
  proto::SubOperation take;
  proto::TakeUpload& upload = *take.mutable_take_upload();
  upload.set_bucket(request.bucket());
  upload.set_key(request.key());
  upload.set_upload_id(request.upload_id());
  *upload.mutable_parts() = request.parts();
  auto taken = CO_TRY(co_await txn.prepare(InodeId(request.bucket()).partition(), std::move(take)));
  *put.mutable_attributes() = std::move(*taken.mutable_attributes());
  put.mutable_attributes()->set_etag(request.etag());
  put.mutable_content()->set_size(taken.size());
  std::vector<proto::PartRef> parts(taken.parts().begin(), taken.parts().end());
  auto placed = CO_TRY(co_await place_file(txn, partition, std::move(put), {}, std::move(parts)));
  rpc::With<proto::CompleteUploadReply> reply;
  *reply.body.mutable_inode() = std::move(*placed.mutable_inode());
  CO_TRY(co_await txn.commit(reply.body));
  co_return reply;
}

}  // namespace turbine::meta
