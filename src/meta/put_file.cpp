// PUT_FILE: a whole file appears or is replaced at once, with the directories it lacks.
#include "meta/drop_entry.hpp"
#include "meta/entries.hpp"
#include "meta/op_support.hpp"
#include "meta/operations.hpp"
#include "meta/place_file.hpp"

namespace turbine::meta {

Result<> check_path(const google::protobuf::RepeatedPtrField<std::string>& path) {
  if (path.empty()) return fail(Errc::invalid, "an empty path");
  size_t bytes = 0;
  for (const std::string& name : path) {
    TRY(check_name(name));
    bytes += name.size() + 1;
  }
  if (bytes > 2 * kNameBytesMax) return fail(Errc::name_too_long, "a path of {} bytes", bytes);
  return {};
}

namespace {

constexpr uint32_t kReadWriteBits = 0666;

/// What objects make belongs to whom the directory belongs to, with its bits.
void inherit_owner(const proto::Inode& directory, proto::PutFileRequest* put) {
  proto::FileAttributes& file = *put->mutable_attributes();
  file.set_uid(directory.uid());
  file.set_gid(directory.gid());
  file.set_mode(directory.mode() & kReadWriteBits);
}

}  // namespace

Task<proto::PutFileReply> place_file(Transaction& txn, PartitionPtr partition,
                                     proto::PutFileRequest put, std::string inline_data,
                                     std::vector<proto::PartRef> parts) {
  const InodeId directory(put.directory());
  const bool makes_directories = put.path_size() > 1;
  const proto::Inode parent = CO_TRY(co_await find_directory(partition, directory));
  const PartitionId target =
      makes_directories ? partition->seams().map.get()->partition_for(directory, put.path(0))
                        : partition->id();
  inherit_owner(parent, &put);
  std::optional<proto::Inode> old;
  std::optional<Entry> there;  // a file of that name, object or not
  if (makes_directories) {
    const auto made = CO_TRY(co_await find_dirent(partition, directory, put.path(0), true));
    if (made.has_value()) co_return fail(Errc::stale, "a directory was made meanwhile");
  } else {
    there = CO_TRY(co_await find_entry(partition, directory, {put.path(0), false}));
    if (there && there->dirent.has_file()) old = there->dirent.file();
    if (there && !old) old = CO_TRY(co_await fetch_inode(partition, there->id()));
    if (old && old->type() != proto::FILE_REGULAR) old.reset();
  }
  // The object that the directory is in its own right is replaced, too.
  const bool of_directory = !makes_directories && put.path(0).empty() && is_object(parent);
  const proto::Inode* const object = old ? &*old : of_directory ? &parent : nullptr;
  CO_TRY(check_condition(put.condition(), object));

  const bool linked = old && !there->dirent.has_file();
  const auto home = content_home(put.content());
  const PartitionId owner = linked ? there->id().partition() : target;
  if (parts.empty() && home.has_value() && *home != owner) {
    proto::SubOperation take;
    *take.mutable_take_content()->mutable_content() = put.content();
    take.mutable_take_content()->set_inline_data(inline_data);
    take.mutable_take_content()->set_session(put.session());
    const auto taken = CO_TRY(co_await txn.prepare(*home, std::move(take)));
    proto::PartRef part;
    part.set_length(put.content().size());
    part.set_inode(taken.content_inode());
    parts.push_back(part);
  }

  proto::PutFileReply reply;
  if (linked) {
    proto::SubOperation operation;
    proto::ReplaceFile& replace = *operation.mutable_replace_file();
    replace.set_inode(old->id());
    *replace.mutable_file() = put.attributes();
    *replace.mutable_content() = put.content();
    replace.set_session(put.session());
    *replace.mutable_condition() = put.condition();
    if (parts.empty()) replace.set_inline_data(inline_data);
    for (const proto::PartRef& part : parts) *replace.add_parts() = part;
    auto replaced = CO_TRY(co_await txn.prepare(owner, std::move(operation)));
    if (of_directory) {
      auto& change = *txn.half().mutations.Add()->mutable_change_inode();
      change.set_inode(directory.value);
      change.set_make_implicit(true);
    }
    reply.set_replaced(true);
    reply.set_parent(directory.value);
    *reply.mutable_inode() = std::move(*replaced.mutable_inode());
    co_return reply;
  }
  if (!makes_directories) {
    // A symbolic link or special file gives way to an object of its name.
    if (there && !old) CO_TRY(co_await drop_file(txn, partition, directory, *there, false));
    NewFile file;
    file.bucket = parent.bucket();
    file.directory = directory;
    file.name = put.path(0);
    file.attributes = put.attributes();
    file.size = put.content().size();
    file.make_implicit = of_directory;
    if (parts.empty()) {
      file.content = CO_TRY(take_content(partition, put.content(), inline_data,
                                         SessionId(put.session()), &txn.half()));
    } else {
      file.content = partition->next_number().value;
    }
    file.parts = std::move(parts);
    file.old = std::move(old);
    reply.set_replaced(file.old.has_value());
    reply.set_parent(directory.value);
    *reply.mutable_inode() = CO_TRY(put_new_file(*partition, file, &txn.half()));
    co_return reply;
  }

  proto::SubOperation insert;
  proto::InsertTree& tree = *insert.mutable_insert_tree();
  tree.set_parent(directory.value);
  for (int i = 0; i + 1 < put.path_size(); ++i) *tree.add_names() = put.path(i);
  tree.set_implicit(true);
  tree.mutable_attributes()->set_owner_user(put.attributes().owner_user());
  tree.mutable_attributes()->set_uid(put.attributes().uid());
  tree.mutable_attributes()->set_gid(put.attributes().gid());
  tree.mutable_attributes()->set_mode(parent.mode());
  tree.mutable_attributes()->set_bucket(parent.bucket());
  tree.set_with_file(true);
  tree.set_file_name(put.path(put.path_size() - 1));
  *tree.mutable_file() = put.attributes();
  *tree.mutable_content() = put.content();
  tree.set_session(put.session());
  if (parts.empty()) tree.set_inline_data(inline_data);
  for (const proto::PartRef& part : parts) *tree.add_parts() = part;
  auto made = CO_TRY(co_await txn.prepare(target, std::move(insert)));
  auto& link = *txn.half().mutations.Add()->mutable_link_directory();
  link.set_directory(directory.value);
  link.set_name(put.path(0));
  link.set_child(made.first_directory());
  *reply.mutable_inode() = std::move(*made.mutable_inode());
  reply.set_parent(made.parent());
  co_return reply;
}

Task<KeyLocks::Guard> lock_for_put(PartitionPtr partition, const proto::PutFileRequest& put) {
  const InodeId directory(put.directory());
  return partition->locks().acquire_until(
      {lock_present(directory, false), lock_name(directory, put.path(0))}, partition->clock(),
      partition->clock().now() + partition->options().lock_wait);
}

Answer<proto::PutFileReply> put_file(Call call, proto::PutFileRequest request) {
  const PartitionPtr partition = call.partition;
  CO_TRY(check_path(request.path()));
  Transaction txn(partition, call.id, call.received);
  txn.half().guards.push_back(CO_TRY(co_await lock_for_put(partition, request)));
  rpc::With<proto::PutFileReply> reply;
  reply.body = CO_TRY(co_await place_file(txn, partition, std::move(request),
                                          std::string(call.payload.text()), {}));
  CO_TRY(co_await txn.commit(reply.body));
  co_return reply;
}

}  // namespace turbine::meta
