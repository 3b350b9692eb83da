#include "fs/file_bytes.hpp"

#include <algorithm>
#include <utility>

#include "fs/file_content.hpp"
#include "fs/file_stat.hpp"
#include "fs/new_content.hpp"
#include "meta/permissions.hpp"

namespace turbine::fs {
namespace {

constexpr int kTriesMax = 8;  // when the file changes under a read

/// Programs are read by those who may only execute them.
Result<> check_readable(const Credentials& who, const proto::Inode& inode) {
  if (inode.type() == proto::FILE_DIRECTORY) {
    return fail(Errc::is_directory, "inode {:x} is a directory", inode.id());
  }
  if (inode.type() != proto::FILE_REGULAR) {
    return fail(Errc::invalid, "inode {:x} is not a regular file", inode.id());
  }
  const proto::Credentials asks = to_proto(who);
  if (meta::check_data_access(asks, inode, meta::kMayRead).ok()) return {};
  return meta::check_data_access(asks, inode, meta::kMayExecute);
}

/// Where all bytes of the file lie, for the reads to come.
Task<> learn_content(CorePtr core, InodeId file, uint64_t version, uint64_t size) {
  auto content = std::make_shared<FileContent>(core, file);
  content->set_version(version);
  const auto fetched = co_await fetch_content(content, 0, false, size);
  if (!fetched.ok() || content->known_to() < size)
    co_return Result<>{};  // asked for piece by piece
  const size_t bytes = content->memory_bytes();
  core->known.put(file, {version, std::move(content)}, bytes);
  co_return Result<>{};
}

Task<FileBytes> try_read(CorePtr core, Credentials who, InodeId file, uint64_t offset,
                         uint32_t count) {
  const KnownContents::Known known = core->known.find(file);
  proto::GetExtentsRequest request;
  request.set_inode(file.value);
  request.set_offset(offset);
  request.set_session(core->session.value);
  if (known.content) {
    request.set_content_version(known.version);  // and no extents
  } else {
    request.set_length(count);
  }
  auto asked = co_await core->ask<proto::GetExtentsReply>(file.partition(), proto::GET_EXTENTS,
                                                          std::move(request));
  if (!asked.ok()) {
    if (known.content) core->known.drop(file);
    co_return fail(std::move(asked).error());
  }
  rpc::With<proto::GetExtentsReply>& reply = *asked;
  if (known.content && reply.body.inode().id() == 0) {
    core->known.drop(file);  // a version that only somebody's pin keeps
    co_return fail(Errc::conflict, "inode {} has another version by now", file);
  }
  const proto::Inode& inode = reply.body.inode();
  CO_TRY(check_readable(who, inode));
  FileBytes read;
  read.file = to_file_stat(inode);
  const uint64_t size = inode.size();
  const uint64_t length = offset < size ? std::min<uint64_t>(count, size - offset) : 0;
  read.end = offset + length >= size;
  if (length == 0) co_return read;
  if (known.content) {
    auto bytes = co_await read_content(known.content, offset, length);
    if (!bytes.ok()) core->known.drop(file);
    read.bytes = CO_TRY(std::move(bytes));
    co_return read;
  }
  const bool again =
      inode.part_count() == 0 && core->known.worth_learning(file, inode.content_version());
  if (again && !core->gate.closing()) {
    core->gate.spawn("learn a file's extents",
                     learn_content(core, file, inode.content_version(), size));
  }
  auto content = std::make_shared<FileContent>(core, file);
  content->set_parts({inode.parts().begin(), inode.parts().end()});
  CO_TRY(content->take(offset, reply.body.content(), std::move(reply.payload)));
  read.bytes = CO_TRY(co_await read_content(std::move(content), offset, length));
  co_return read;
}

}  // namespace

Task<FileBytes> read_file(CorePtr core, Credentials who, InodeId file, uint64_t offset,
                          uint32_t count) {
  for (int tries = 1;; ++tries) {
    auto read = co_await try_read(core, who, file, offset, count);
    if (!read.failed_with(Errc::conflict) || tries >= kTriesMax) co_return read;
  }
}

Task<FileChange> write_file(CorePtr core, CallContext call, Credentials who, InodeId file,
                            uint64_t offset, std::vector<Buffer> bytes) {
  uint64_t size = 0;
  for (const Buffer& piece : bytes) size += piece.size();
  const bool striped = size > core->options.inline_bytes_max;
  for (int tries = 0;; ++tries) {
    proto::WriteFileRequest request;
    request.set_inode(file.value);
    *request.mutable_who() = to_proto(who);
    request.set_session(core->session.value);
    proto::NewContent& content = *request.mutable_content();
    Buffer payload;
    std::vector<proto::NewStripe> stripes;
    if (striped) {
      stripes = CO_TRY(co_await stripe::write_stripes(core->writer, file.partition(), bytes));
      add_stripes(stripes, offset, &content);
    } else if (size > 0) {
      request.set_offset(offset);
      content.set_inline_payload(true);
      payload = join(bytes, size);
      bytes = {payload};
    }
    auto reply = co_await core->partitions.call<proto::WriteFileReply>(
        file.partition(), proto::WRITE_FILE, std::move(request), payload, call.request,
        call.received);
    if (reply.ok()) co_return to_file_change(reply->body.file());
    const Errc code = reply.error().code;
    // An outcome that is not known: the stripes may be the file's, or are swept when the lease of
    // their ids ends.
    if (code != Errc::timeout) {
      for (const proto::NewStripe& stripe : stripes) {
        core->stripe_ids.forget(StripeId(stripe.id()));
        CO_TRY(co_await core->writer.discard(stripe));
      }
    }
    if (code == Errc::stale_epoch && tries < core->options.stale_retries_max) continue;
    co_return fail(std::move(reply).error());
  }
}

}  // namespace turbine::fs
