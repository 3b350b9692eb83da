// WRITE_FILE: bytes in place. Many for one file go on at once; the log has their order.
#include <algorithm>

#include "meta/bucket_usage.hpp"
#include "meta/file_limits.hpp"
#include "meta/op_support.hpp"
#include "meta/operations.hpp"
#include "meta/permissions.hpp"
#include "meta/transaction.hpp"

namespace turbine::meta {
namespace {

/// What a write adds to a bucket with a quota must be known before it is logged: nobody else may
/// then make the file longer.
Task<LockedInode> lock_for_write(PartitionPtr partition, InodeId id, uint64_t end, Half* half) {
  bool exclusive = false;
  for (;;) {
    LockedInode file = CO_TRY(co_await lock_file(partition, id, exclusive));
    const proto::Inode& inode = file.inode;
    Half attempt;
    attempt.guards.push_back(std::move(file.guard));
    const uint64_t grown = std::max(inode.size(), end) - inode.size();
    CO_TRY(add_charge(*partition, inode.bucket(), static_cast<int64_t>(grown), &attempt));
    if (attempt.charges.empty() || exclusive) {
      *half = std::move(attempt);
      co_return file;
    }
    exclusive = true;
  }
}

}  // namespace

Answer<proto::WriteFileReply> write_file(Call call, proto::WriteFileRequest request) {
  const PartitionPtr partition = call.partition;
  const InodeId id(request.inode());
  const std::string_view data = call.payload.text();
  const proto::NewContent& content = request.content();
  uint64_t end = data.empty() ? 0 : request.offset() + data.size();
  if (!data.empty() && end < request.offset()) co_return fail(Errc::too_large, "offset overflows");
  for (const proto::Extent& extent : content.extents()) {
    end = std::max(end, extent.offset() + extent.length());
  }
  Half half;
  LockedInode file = CO_TRY(co_await lock_for_write(partition, id, end, &half));
  CO_TRY(check_resizable(file.inode, end));
  if (request.has_who()) CO_TRY(check_data_access(request.who(), file.inode, kMayWrite));
  rpc::With<proto::WriteFileReply> reply;
  if (end == 0) {  // nothing to write
    *reply.body.mutable_file()->mutable_after() = std::move(file.inode);
    co_return reply;
  }
  // What is written is checked as a content of its own, then put under the file's.
  proto::NewContent added = content;
  added.clear_hidden_inode();
  added.set_size(std::max(end, added.size()));
  CO_TRY(take_content(partition, added, {}, SessionId(request.session()), &half));
  proto::WriteFileMutation write;
  for (proto::Mutation& mutation : half.mutations) {
    if (mutation.has_add_content()) write.mutable_add()->Swap(mutation.mutable_add_content());
  }
  half.mutations.Clear();
  if (!data.empty()) {
    if (data.size() >= kDestageBytesMin && partition->seams().map.get()->full()) {
      co_return fail(Errc::no_space, "the blades are full");
    }
    add_inline(write.mutable_add(), request.offset(), data);
  }
  write.mutable_add()->set_counted(true);
  write.set_inode(id.value);
  write.set_end(end);
  write.set_clear_set_id(request.has_who() && request.who().uid() != 0);
  *half.mutations.Add()->mutable_write_file() = std::move(write);
  Image::Observed observed;
  CO_TRY(co_await commit_half(partition, call.id, call.received, reply.body, &half, &observed));
  *reply.body.mutable_file() = std::move(observed[id]);
  co_return reply;
}

}  // namespace turbine::meta
