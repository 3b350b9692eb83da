// Which message is served by which operation, and where its partition is written in it.
#include "meta/op_support.hpp"
#include "meta/partition_client.hpp"
#include "meta/partition_host.hpp"
#include "meta/repairer.hpp"
#include "proto/rpc.pb.h"

namespace turbine::meta {
namespace {

template <class Request, class Reply>
using Operation = Answer<Reply> (*)(Call, Request);
template <class Request>
using Route = PartitionId (*)(const Request&);

/// What was read stays true until it is answered, or it is not answered.
Error lost_touch(const Partition& partition) {
  return {Errc::unavailable,
          fmt::format("partition {} has lost touch with its replicas", partition.id())};
}

template <class Request, class Reply>
Answer<Reply> run_read(PartitionHost* host, PartitionId id, Operation<Request, Reply> operation,
                       Request request, rpc::CallInfo info) {
  Call call = CO_TRY(host->make_call(id, std::move(info)));
  const PartitionPtr partition = call.partition;
  Result<rpc::With<Reply>> result = co_await operation(std::move(call), std::move(request));
  if (!partition->answerable()) co_return fail(lost_touch(*partition));
  co_return std::move(result);
}

template <class Reply>
Result<rpc::With<Reply>> answer_of(const std::string& kept) {
  rpc::With<Reply> reply;
  if (!reply.body.ParseFromString(kept)) {
    return fail(Errc::corrupt, "the answer kept for a request does not parse");
  }
  return reply;
}
template <class Reply>
Result<rpc::With<Reply>> answer_of(const Outcome& outcome) {
  if (outcome.error.has_value()) return fail(*outcome.error);
  return answer_of<Reply>(outcome.reply);
}

/// Whether the answer ends the request for its sender, who repeats it with this id after others.
bool is_final(const Error& error) {
  switch (error.code) {
    case Errc::busy:
    case Errc::unavailable:
    case Errc::timeout:
    case Errc::closed:
    case Errc::wrong_primary:
    case Errc::stale:        // goes on with another directory; what is gone never comes back
    case Errc::stale_epoch:  // goes on with other stripe ids; a range that ended stays so
      return false;
    default:
      return true;
  }
}

/// Executes each request id once: a duplicate gets the first answer, also while the first runs.
template <class Request, class Reply>
Answer<Reply> run_mutation(PartitionHost* host, PartitionId id, Operation<Request, Reply> operation,
                           Request request, rpc::CallInfo info) {
  const auto age = std::chrono::milliseconds(info.age_ms);
  Call call = CO_TRY(host->make_call(id, std::move(info)));
  const PartitionPtr partition = call.partition;
  const RequestId request_id = call.id;
  if (request_id.sequence == 0) {
    Result<rpc::With<Reply>> result = co_await operation(std::move(call), std::move(request));
    if (!partition->answerable()) co_return fail(lost_touch(*partition));
    co_return std::move(result);
  }
  Duplicates& duplicates = partition->duplicates();
  for (;;) {
    const auto recorded = CO_TRY(co_await partition->recorded_reply(request_id));
    if (recorded.has_value()) co_return answer_of<Reply>(*recorded);
    const auto first = duplicates.running(request_id);
    if (first == nullptr) break;
    CO_TRY(co_await first->ended.wait());
    if (first->outcome.has_value()) co_return answer_of<Reply>(*first->outcome);
  }
  if (const Outcome* answered = duplicates.answered(request_id)) {
    co_return answer_of<Reply>(*answered);
  }
  if (age > kRequestAgeMax) {
    co_return fail(Errc::timeout, "the request is {} ms old and no longer executed", age.count());
  }
  duplicates.begin(request_id);
  Result<rpc::With<Reply>> result = co_await operation(std::move(call), std::move(request));
  if (partition->image().replay_bucket_of(request_id).has_value()) {
    duplicates.end(request_id);
    co_return std::move(result);
  }
  const bool unknown = result.failed_with(Errc::timeout);
  if (!unknown && !partition->answerable()) result = fail(lost_touch(*partition));
  Outcome outcome;
  if (result.ok()) {
    outcome.reply = result->body.SerializeAsString();
  } else {
    outcome.error = result.error();
  }
  duplicates.end(request_id, std::move(outcome), result.ok() || is_final(result.error()));
  co_return std::move(result);
}

class Table {
 public:
  Table(PartitionHost* host, rpc::Dispatcher* dispatcher) : host_(host), dispatcher_(dispatcher) {}

  template <class Request, class Reply>
  void read(int type, Operation<Request, Reply> operation, Route<Request> route) {
    dispatcher_->on<Request, Reply>(
        type, [host = host_, operation, route](Request request, rpc::CallInfo info) {
          const PartitionId id = route(request);
          return run_read<Request, Reply>(host, id, operation, std::move(request), std::move(info));
        });
  }
  template <class Request, class Reply>
  void mutation(int type, Operation<Request, Reply> operation, Route<Request> route) {
    dispatcher_->on<Request, Reply>(type, [host = host_, operation, route](Request request,
                                                                           rpc::CallInfo info) {
      const PartitionId id = route(request);
      return run_mutation<Request, Reply>(host, id, operation, std::move(request), std::move(info));
    });
  }

 private:
  PartitionHost* host_;
  rpc::Dispatcher* dispatcher_;
};

template <class Request>
PartitionId by_directory(const Request& request) {
  return InodeId(request.directory()).partition();
}
template <class Request>
PartitionId by_inode(const Request& request) {
  return InodeId(request.inode()).partition();
}
template <class Request>
PartitionId by_bucket(const Request& request) {
  return InodeId(request.bucket()).partition();
}
template <class Request>
PartitionId by_partition(const Request& request) {
  return PartitionId(request.partition());
}
PartitionId by_first_inode(const proto::ReapInodesRequest& request) {
  return InodeId(request.inodes_size() > 0 ? request.inodes(0) : 0).partition();
}

Answer<proto::OpenSessionReply> open_session(PartitionHost* host,
                                             proto::OpenSessionRequest request) {
  host->renew_session(SessionId(request.session()));
  rpc::With<proto::OpenSessionReply> reply;
  reply.body.set_silence_ms(static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(host->options().session_silence)
          .count()));
  co_return reply;
}

Answer<proto::ReportLostShardsReply> report_lost_shards(PartitionHost* host,
                                                        proto::ReportLostShardsRequest request) {
  const StripeId id(request.stripe());
  CO_TRY(host->admit(id.home()));
  host->repairer().report(id, {request.indexes().begin(), request.indexes().end()});
  co_return rpc::With<proto::ReportLostShardsReply>{};
}

}  // namespace

void PartitionHost::register_handlers(rpc::Dispatcher& dispatcher) {
  Table table(this, &dispatcher);
  dispatcher.on<proto::OpenSessionRequest, proto::OpenSessionReply>(
      proto::OPEN_SESSION, [this](proto::OpenSessionRequest request, rpc::CallInfo) {
        return open_session(this, std::move(request));
      });

  dispatcher.on<proto::ReportLostShardsRequest, proto::ReportLostShardsReply>(
      proto::REPORT_LOST_SHARDS, [this](proto::ReportLostShardsRequest request, rpc::CallInfo) {
        return report_lost_shards(this, std::move(request));
      });

  replicas_.register_handlers(dispatcher);

  table.read(proto::LOOKUP, &lookup, &by_directory<proto::LookupRequest>);
  table.read(proto::GET_EXTENTS, &get_extents, &by_inode<proto::GetExtentsRequest>);
  table.read(proto::LIST_DIRECTORY, &list_directory, &by_directory<proto::ListDirectoryRequest>);
  table.read(proto::READ_DIRECTORY, &read_directory_page,
             &by_directory<proto::ReadDirectoryRequest>);
  table.read(proto::RELEASE_PIN, &release_pin, &by_inode<proto::ReleasePinRequest>);
  table.read(proto::LIST_PARTS, &list_parts, &by_bucket<proto::ListPartsRequest>);
  table.read(proto::LIST_UPLOADS, &list_uploads, &by_bucket<proto::ListUploadsRequest>);
  table.read(proto::STRIPE_LIVENESS, &stripe_liveness, &by_partition<proto::StripeLivenessRequest>);
  table.read(proto::BUCKET_USAGE, &bucket_usage, &by_partition<proto::BucketUsageRequest>);

  table.mutation(proto::PUT_FILE, &put_file, &by_directory<proto::PutFileRequest>);
  table.mutation(proto::CREATE_FILE, &create_file, &by_directory<proto::CreateFileRequest>);
  table.mutation(proto::RENAME, &rename, &by_directory<proto::RenameRequest>);
  table.mutation(proto::LINK_FILE, &link_file, &by_directory<proto::LinkFileRequest>);
  table.mutation(proto::DELETE_FILE, &delete_file, &by_directory<proto::DeleteFileRequest>);
  table.mutation(proto::MAKE_DIRECTORY, &make_directory,
                 &by_directory<proto::MakeDirectoryRequest>);
  table.mutation(proto::REMOVE_DIRECTORY, &remove_directory,
                 &by_directory<proto::RemoveDirectoryRequest>);
  table.mutation(proto::SET_DIRECTORY_SETTINGS, &set_directory_settings,
                 &by_inode<proto::SetDirectorySettingsRequest>);
  table.mutation(proto::LEASE_STRIPE_IDS, &lease_stripe_ids,
                 &by_partition<proto::LeaseStripeIdsRequest>);
  table.mutation(proto::APPEND_HIDDEN, &append_hidden, &by_partition<proto::AppendHiddenRequest>);
  table.mutation(proto::WRITE_FILE, &write_file, &by_inode<proto::WriteFileRequest>);
  table.mutation(proto::SET_ATTRIBUTES, &set_attributes, &by_inode<proto::SetAttributesRequest>);
  table.mutation(proto::CREATE_UPLOAD, &create_upload, &by_bucket<proto::CreateUploadRequest>);
  table.mutation(proto::PUT_PART, &put_part, &by_bucket<proto::PutPartRequest>);
  table.mutation(proto::COMPLETE_UPLOAD, &complete_upload,
                 &by_directory<proto::CompleteUploadRequest>);
  table.mutation(proto::ABORT_UPLOAD, &abort_upload, &by_bucket<proto::AbortUploadRequest>);

  table.read(proto::TEST_LOCK, &test_lock, &by_inode<proto::LockRequest>);
  table.mutation(proto::LOCK_RANGE, &lock_range, &by_inode<proto::LockRequest>);
  table.mutation(proto::UNLOCK_RANGE, &unlock_range, &by_inode<proto::UnlockRangeRequest>);
  table.mutation(proto::WAIT_LOCK, &wait_lock, &by_inode<proto::LockRequest>);
  table.mutation(proto::CANCEL_LOCK, &cancel_lock, &by_inode<proto::LockRequest>);
  table.mutation(proto::SHARE_FILE, &share_file, &by_inode<proto::ShareFileRequest>);
  table.mutation(proto::RELEASE_LOCKS, &release_locks, &by_partition<proto::ReleaseLocksRequest>);

  table.mutation(proto::TXN_PREPARE, &txn_prepare, &by_partition<proto::TxnPrepareRequest>);
  table.mutation(proto::TXN_FINISH, &txn_finish, &by_partition<proto::TxnFinishRequest>);
  table.mutation(proto::TXN_OUTCOME, &txn_outcome, &by_partition<proto::TxnOutcomeRequest>);
  table.mutation(proto::REAP_INODES, &reap_inodes, &by_first_inode);
  table.mutation(proto::COUNT_USAGE, &count_usage, &by_partition<proto::CountUsageRequest>);
}

}  // namespace turbine::meta
