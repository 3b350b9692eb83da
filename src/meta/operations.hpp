// The operations of the partition service: one function each, in a file of its own.
#pragma once

#include "meta/partition.hpp"
#include "proto/meta_log.pb.h"
#include "rpc/typed.hpp"

namespace turbine::meta {

/// A call for one partition, after admission: this blade is the primary and serves it.
struct Call {
  PartitionPtr partition;
  RequestId id{};        // of a mutation
  TimePoint received{};  // when the gateway got the client's request
  SessionId session{};   // the gateway
  Buffer payload;
};

template <class Reply>
using Answer = Task<rpc::With<Reply>>;

// Reads.
Answer<proto::LookupReply> lookup(Call call, proto::LookupRequest request);
Answer<proto::GetExtentsReply> get_extents(Call call, proto::GetExtentsRequest request);
Answer<proto::ReadDirectoryReply> read_directory_page(Call call,
                                                      proto::ReadDirectoryRequest request);
Answer<proto::ListDirectoryReply> list_directory(Call call, proto::ListDirectoryRequest request);
Answer<proto::ReleasePinReply> release_pin(Call call, proto::ReleasePinRequest request);
Answer<proto::ListPartsReply> list_parts(Call call, proto::ListPartsRequest request);
Answer<proto::ListUploadsReply> list_uploads(Call call, proto::ListUploadsRequest request);
Answer<proto::StripeLivenessReply> stripe_liveness(Call call, proto::StripeLivenessRequest request);
Answer<proto::BucketUsageReply> bucket_usage(Call call, proto::BucketUsageRequest request);

// Mutations.
Answer<proto::CreateFileReply> create_file(Call call, proto::CreateFileRequest request);
Answer<proto::RenameReply> rename(Call call, proto::RenameRequest request);
Answer<proto::LinkFileReply> link_file(Call call, proto::LinkFileRequest request);
Answer<proto::PutFileReply> put_file(Call call, proto::PutFileRequest request);
Answer<proto::DeleteFileReply> delete_file(Call call, proto::DeleteFileRequest request);
Answer<proto::MakeDirectoryReply> make_directory(Call call, proto::MakeDirectoryRequest request);
Answer<proto::RemoveDirectoryReply> remove_directory(Call call,
                                                     proto::RemoveDirectoryRequest request);
Answer<proto::SetDirectorySettingsReply> set_directory_settings(
    Call call, proto::SetDirectorySettingsRequest request);
Answer<proto::LeaseStripeIdsReply> lease_stripe_ids(Call call,
                                                    proto::LeaseStripeIdsRequest request);
Answer<proto::AppendHiddenReply> append_hidden(Call call, proto::AppendHiddenRequest request);
Answer<proto::WriteFileReply> write_file(Call call, proto::WriteFileRequest request);
Answer<proto::SetAttributesReply> set_attributes(Call call, proto::SetAttributesRequest request);
Answer<proto::CreateUploadReply> create_upload(Call call, proto::CreateUploadRequest request);
Answer<proto::PutPartReply> put_part(Call call, proto::PutPartRequest request);
Answer<proto::CompleteUploadReply> complete_upload(Call call, proto::CompleteUploadRequest request);
Answer<proto::AbortUploadReply> abort_upload(Call call, proto::AbortUploadRequest request);

// Locks of files.
Answer<proto::LockReply> lock_range(Call call, proto::LockRequest request);
Answer<proto::UnlockRangeReply> unlock_range(Call call, proto::UnlockRangeRequest request);
Answer<proto::LockReply> test_lock(Call call, proto::LockRequest request);
Answer<proto::LockReply> wait_lock(Call call, proto::LockRequest request);
Answer<proto::CancelLockReply> cancel_lock(Call call, proto::LockRequest request);
Answer<proto::ShareFileReply> share_file(Call call, proto::ShareFileRequest request);
Answer<proto::ReleaseLocksReply> release_locks(Call call, proto::ReleaseLocksRequest request);

// Between partitions; idempotent by themselves.
Answer<proto::TxnPrepareReply> txn_prepare(Call call, proto::TxnPrepareRequest request);
Answer<proto::TxnFinishReply> txn_finish(Call call, proto::TxnFinishRequest request);
Answer<proto::TxnOutcomeReply> txn_outcome(Call call, proto::TxnOutcomeRequest request);
Answer<proto::ReapInodesReply> reap_inodes(Call call, proto::ReapInodesRequest request);
Answer<proto::CountUsageReply> count_usage(Call call, proto::CountUsageRequest request);

}  // namespace turbine::meta
