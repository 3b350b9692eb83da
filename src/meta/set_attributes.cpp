// SET_ATTRIBUTES: mode, owner, times and length of a file or directory.
#include <algorithm>

#include "meta/bucket_usage.hpp"
#include "meta/file_limits.hpp"
#include "meta/op_support.hpp"
#include "meta/operations.hpp"
#include "meta/permissions.hpp"
#include "meta/transaction.hpp"

namespace turbine::meta {
namespace {

constexpr size_t kRunsPerEntry = 1024;

/// Where a truncation to `size` stops on its way, from the end: so many runs go with each entry.
Result<std::vector<uint64_t>> truncation_steps(Partition& partition, const proto::Inode& inode,
                                               uint64_t size) {
  std::vector<uint64_t> steps;
  const Keys& keys = partition.keys();
  auto it = partition.kv().scan(keys.content(inode.content(), size + 1),
                                prefix_end(keys.contents(inode.content())));
  for (size_t seen = 0; it->valid(); it->next()) {
    if (++seen % kRunsPerEntry == 0) steps.push_back(number_in_key(it->key(), 1));
  }
  TRY(it->status());
  std::ranges::reverse(steps);
  return steps;
}

int64_t time_of(const proto::NewTime& time) {
  return time.now() ? kTimeOfEntry : time.ns();
}

int64_t difference(uint64_t now, uint64_t before) {
  return static_cast<int64_t>(now) - static_cast<int64_t>(before);
}

proto::ChangeInodeMutation mutation_of(const proto::SetAttributesRequest& request) {
  proto::ChangeInodeMutation change;
  change.set_inode(request.inode());
  if (request.has_mode()) change.set_mode(request.mode());
  if (request.has_uid()) change.set_uid(request.uid());
  if (request.has_gid()) change.set_gid(request.gid());
  if (request.has_size()) change.set_size(request.size());
  if (request.has_atime()) change.set_atime_ns(time_of(request.atime()));
  if (request.has_mtime()) change.set_mtime_ns(time_of(request.mtime()));
  return change;
}

}  // namespace

Answer<proto::SetAttributesReply> set_attributes(Call call, proto::SetAttributesRequest request) {
  const PartitionPtr partition = call.partition;
  const InodeId id(request.inode());
  Half half;
  LockedInode file = CO_TRY(co_await lock_file(partition, id, true));
  half.guards.push_back(std::move(file.guard));
  const proto::Inode& inode = file.inode;
  if (request.has_guard_ctime_ns() && request.guard_ctime_ns() != inode.ctime_ns()) {
    co_return fail(Errc::precondition_failed, "inode {} was changed meanwhile", id);
  }
  CO_TRY(check_changes(inode, &request));
  if (request.has_size()) CO_TRY(check_resizable(inode, request.size()));
  proto::ChangeInodeMutation change = mutation_of(request);
  uint64_t size = inode.size();
  if (request.has_size() && request.size() == 0 && (inode.size() > 0 || inode.part_count() > 0)) {
    change.set_new_content(partition->next_number().value);
    release_content(*partition, inode.content(), &half);
  } else if (request.has_size() && request.size() < inode.size()) {
    for (const uint64_t step : CO_TRY(truncation_steps(*partition, inode, request.size()))) {
      Half cut;
      proto::ChangeInodeMutation& change_size = *cut.mutations.Add()->mutable_change_inode();
      change_size.set_inode(id.value);
      change_size.set_size(step);
      CO_TRY(add_charge(*partition, inode.bucket(), difference(step, size), &cut));
      CO_TRY(co_await commit_half(partition, {}, call.received, proto::SetAttributesReply(), &cut));
      size = step;
    }
  }
  *half.mutations.Add()->mutable_change_inode() = std::move(change);
  if (request.has_size()) {
    CO_TRY(add_charge(*partition, inode.bucket(), difference(request.size(), size), &half));
  }
  rpc::With<proto::SetAttributesReply> reply;
  Image::Observed observed;
  CO_TRY(co_await commit_half(partition, call.id, call.received, reply.body, &half, &observed));
  *reply.body.mutable_file() = std::move(observed[id]);
  co_return reply;
}

}  // namespace turbine::meta
