// RELEASE_LOCKS: what a client held in its earlier life, in all files of the partition. Does no
// harm when it is done twice, so it needs no request id.
#include "meta/lock_support.hpp"

namespace turbine::meta {
namespace {

std::vector<InodeId> files_locked_from(const Partition& partition, const std::string& address,
                                       Result<>* status) {
  const std::string prefix = partition.keys().locks_from(address);
  std::vector<InodeId> files;
  auto it = partition.kv().scan(prefix, prefix_end(prefix));
  for (; it->valid(); it->next()) files.emplace_back(number_in_key(it->key(), 1));
  *status = it->status();
  return files;
}

}  // namespace

Answer<proto::ReleaseLocksReply> release_locks(Call call, proto::ReleaseLocksRequest request) {
  const PartitionPtr partition = call.partition;
  call.id = {};
  proto::LockOwner client;
  client.set_address(request.address());
  client.set_name(request.name());
  Result<> status;
  const auto files = files_locked_from(*partition, request.address(), &status);
  CO_TRY(std::move(status));
  rpc::With<proto::ReleaseLocksReply> reply;
  for (const InodeId file : files) {
    OpenLocks open = CO_TRY(co_await open_locks_only(partition, file));
    const size_t before = open.table.size();
    proto::ChangeLocksMutation change = change_locks_of(file, client);
    change.mutable_release()->set_state(request.state());
    CO_TRY(co_await commit_locks(call, &open, std::move(change), &reply.body));
    if (open.table.size() != before) reply.body.set_files(reply.body.files() + 1);
  }
  co_return reply;
}

}  // namespace turbine::meta
