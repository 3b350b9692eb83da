// APPEND_HIDDEN, REAP_INODES: contents in the making, and those whose name is gone.
#include <algorithm>

#include "meta/op_support.hpp"
#include "meta/operations.hpp"

namespace turbine::meta {
namespace {

/// Frees an inode that has no name. No effect when it is gone.
void add_reap(const proto::InodeRecord& record, InodeId id,
              google::protobuf::RepeatedPtrField<proto::Mutation>* mutations) {
  mutations->Add()->mutable_release_content()->set_content(record.inode().content());
  mutations->Add()->mutable_remove_inode()->set_inode(id.value);
}

}  // namespace

Answer<proto::AppendHiddenReply> append_hidden(Call call, proto::AppendHiddenRequest request) {
  const PartitionPtr partition = call.partition;
  const SessionId session(request.session());
  if (session == SessionId{}) co_return fail(Errc::invalid, "content without a session");
  const InodeId id =
      request.hidden_inode() != 0 ? InodeId(request.hidden_inode()) : partition->next_number();
  Half half;
  half.guards.push_back(CO_TRY(co_await partition->locks().acquire_until(
      {lock_inode(id, true)}, partition->clock(),
      partition->clock().now() + partition->options().lock_wait)));
  rpc::With<proto::AppendHiddenReply> reply;
  reply.body.set_hidden_inode(id.value);
  proto::Inode inode;
  if (request.hidden_inode() != 0) {
    auto record = CO_TRY(
        co_await load_record<proto::InodeRecord>(partition->kv(), partition->keys().inode(id)));
    if (!record.has_value() || record->hidden_session() != session.value) {
      if (request.discard()) co_return reply;
      co_return fail(Errc::stale, "hidden inode {} is gone", id);
    }
    if (request.discard()) {
      add_reap(*record, id, &half.mutations);
      CO_TRY(co_await partition->commit(make_entry(call.id, reply.body, &half)));
      co_return reply;
    }
    inode = std::move(*record->mutable_inode());
  } else {
    inode.set_id(id.value);
    inode.set_type(proto::FILE_REGULAR);
    inode.set_content(id.value);
    inode.set_content_version(1);
  }
  // What is added now is checked as a content of its own, then put under the hidden inode's.
  proto::NewContent added = request.content();
  added.clear_hidden_inode();
  const uint64_t end = std::max(inode.size(), added.size());
  CO_TRY(take_content(partition, added, call.payload.text(), session, &half));
  for (proto::Mutation& mutation : half.mutations) {
    if (!mutation.has_add_content()) continue;
    mutation.mutable_add_content()->set_content(inode.content());
    mutation.mutable_add_content()->set_counted(true);
  }
  inode.set_size(end);
  auto& put = *half.mutations.Add()->mutable_put_inode();
  *put.mutable_inode() = std::move(inode);
  put.set_hidden_session(session.value);
  CO_TRY(co_await partition->commit(make_entry(call.id, reply.body, &half)));
  co_return reply;
}

Answer<proto::ReapInodesReply> reap_inodes(Call call, proto::ReapInodesRequest request) {
  const PartitionPtr partition = call.partition;
  Half half;
  std::vector<LockRequest> locks;
  for (const uint64_t id : request.inodes()) locks.push_back(lock_inode(InodeId(id), true));
  half.guards.push_back(CO_TRY(co_await partition->locks().acquire_until(
      locks, partition->clock(), partition->clock().now() + partition->options().lock_wait)));
  for (const uint64_t value : request.inodes()) {
    const InodeId id(value);
    const auto record = CO_TRY(
        co_await load_record<proto::InodeRecord>(partition->kv(), partition->keys().inode(id)));
    if (!record.has_value() || record->inode().type() != proto::FILE_REGULAR) continue;
    add_reap(*record, id, &half.mutations);
  }
  rpc::With<proto::ReapInodesReply> reply;
  if (half.mutations.empty()) co_return reply;
  CO_TRY(co_await partition->commit(make_entry({}, reply.body, &half)));
  co_return reply;
}

}  // namespace turbine::meta
