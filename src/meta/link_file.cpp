// LINK_FILE: one name more for a file.
#include "meta/entries.hpp"
#include "meta/op_support.hpp"
#include "meta/operations.hpp"
#include "meta/permissions.hpp"
#include "meta/transaction.hpp"

namespace turbine::meta {

Answer<proto::LinkFileReply> link_file(Call call, proto::LinkFileRequest request) {
  const PartitionPtr partition = call.partition;
  const InodeId id(request.directory());
  const std::string name = CO_TRY(name_to_make(request.name()));
  Transaction txn(partition, call.id, call.received);
  CO_TRY(co_await take_locks(partition, {lock_present(id, false), lock_name(id, name)}, true,
                             &txn.half()));
  const proto::Inode directory = CO_TRY(co_await find_directory(partition, id));
  CO_TRY(check_access(request.who(), directory, kMayExecute));
  const auto there = CO_TRY(co_await find_entry(partition, id, {name, {}}));
  if (there.has_value()) co_return fail(Errc::exists, "the name {} is taken", request.name());
  CO_TRY(check_new_file(directory, name));
  CO_TRY(check_access(request.who(), directory, kMayWrite));
  proto::SubOperation add;
  add.mutable_add_link()->set_inode(request.inode());
  add.mutable_add_link()->set_bucket(directory.bucket());
  auto added = CO_TRY(co_await txn.prepare(InodeId(request.inode()).partition(), std::move(add)));
  auto& link = *txn.half().mutations.Add()->mutable_link_file();
  link.set_directory(id.value);
  link.set_name(name);
  link.set_inode(request.inode());
  rpc::With<proto::LinkFileReply> reply;
  *reply.body.mutable_inode() = std::move(*added.mutable_inode());
  Image::Observed observed;
  CO_TRY(co_await txn.commit(reply.body, &observed));
  *reply.body.mutable_directory() = std::move(observed[id]);
  co_return reply;
}

}  // namespace turbine::meta
