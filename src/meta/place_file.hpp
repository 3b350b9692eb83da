// What PUT_FILE and COMPLETE_UPLOAD share.
#pragma once

#include <string>
#include <vector>

#include "meta/transaction.hpp"
#include "proto/meta_log.pb.h"

namespace turbine::meta {

Result<> check_path(const google::protobuf::RepeatedPtrField<std::string>& path);

/// Locks the name that `put` creates in the directory it names, and that directory's presence.
Task<KeyLocks::Guard> lock_for_put(PartitionPtr partition, const proto::PutFileRequest& put);

/// Under those locks: checks, and adds to the transaction what puts the file `put` describes.
/// `parts`: it is made of these instead of put.content(). Errc::stale: resolve the path again.
Task<proto::PutFileReply> place_file(Transaction& txn, PartitionPtr partition,
                                     proto::PutFileRequest put, std::string inline_data,
                                     std::vector<proto::PartRef> parts);

}  // namespace turbine::meta
