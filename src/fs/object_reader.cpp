#include "fs/object_reader.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/log.hpp"
#include "fs/file_content.hpp"

namespace turbine::fs {
namespace {

// Bytes read ahead of the caller.
struct Ahead {
  Ahead(Executor executor, uint64_t from, uint64_t bytes)
      : offset(from), length(bytes), data(executor) {}
  uint64_t offset, length;
  OneShot<std::vector<Buffer>> data;
};

// Shared by the handle and its read-ahead.
struct ReaderState {
  CorePtr core;
  ObjectInfo info;
  std::shared_ptr<FileContent> content;
  uint64_t next_offset = 0;  // where a sequential reader goes on
  std::optional<Ahead> ahead;
};
using ReaderStatePtr = std::shared_ptr<ReaderState>;

Task<std::vector<Buffer>> read_now(const ReaderStatePtr& state, uint64_t offset, uint64_t length) {
  return read_content(state->content, offset, length);
}

Task<> read_ahead(ReaderStatePtr state, Ahead ahead) {
  ahead.data.set(co_await read_now(state, ahead.offset, ahead.length));
  co_return Result<>{};
}

void start_ahead(const ReaderStatePtr& state, const Ahead& ahead) {
  if (state->core->gate.closing()) {
    state->ahead.reset();
  } else {
    state->core->gate.spawn("read ahead", read_ahead(state, ahead));
  }
}

Task<std::vector<Buffer>> read_object(ReaderStatePtr state, uint64_t offset, uint64_t length) {
  const uint64_t size = state->info.size;
  if (offset > size) co_return fail(Errc::out_of_range, "offset {} of {} bytes", offset, size);
  length = std::min(length, size - offset);
  if (length == 0) co_return std::vector<Buffer>{};
  std::optional<Ahead> ahead = std::exchange(state->ahead, std::nullopt);
  const bool sequential = offset == state->next_offset;
  const uint64_t next = offset + length;
  state->next_offset = next;
  // While the caller sends these bytes the next ones come.
  if (sequential && next < size) {
    state->ahead.emplace(state->core->clock.executor(), next, std::min(length, size - next));
  }
  const std::optional<Ahead> starting = state->ahead;
  if (ahead && ahead->offset == offset && ahead->length >= length) {
    if (starting) start_ahead(state, *starting);
    auto buffers = co_await ahead->data.wait();
    if (!buffers.ok()) co_return co_await read_now(state, offset, length);
    if (ahead->length == length) co_return buffers;
    std::vector<Buffer> cut;
    for (Buffer& buffer : *buffers) {
      const uint64_t take = std::min<uint64_t>(buffer.size(), length);
      if (take > 0) cut.push_back(buffer.slice(0, take));
      length -= take;
    }
    co_return cut;
  }
  // The asked bytes go first.
  auto buffers = co_await read_now(state, offset, length);
  if (starting && buffers.ok()) {
    start_ahead(state, *starting);
  } else {
    state->ahead.reset();
  }
  co_return buffers;
}

class Reader final : public ObjectReader {
 public:
  explicit Reader(ReaderStatePtr state) : state_(std::move(state)) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() override { release_pin(state_->content); }
  const ObjectInfo& info() const override { return state_->info; }
  Task<std::vector<Buffer>> read(uint64_t offset, uint64_t length) override {
    return read_object(state_, offset, length);
  }

 private:
  ReaderStatePtr state_;
};

// The empty object that a directory made by mkdir stands for.
Task<std::optional<rpc::With<proto::LookupReply>>> directory_as_object(CorePtr core,
                                                                       InodeId directory) {
  proto::GetExtentsRequest request;
  request.set_inode(directory.value);
  auto reply = co_await core->ask<proto::GetExtentsReply>(directory.partition(), proto::GET_EXTENTS,
                                                          std::move(request));
  std::optional<rpc::With<proto::LookupReply>> object;
  if (reply.failed_with(Errc::stale) || reply.failed_with(Errc::not_found)) co_return object;
  if (!reply.ok()) co_return fail(std::move(reply).error());
  proto::Inode& inode = *reply->body.mutable_inode();
  if (inode.type() != proto::FILE_DIRECTORY || inode.implicit()) co_return object;
  object.emplace();
  inode.set_size(0);
  object->body.mutable_inode()->Swap(&inode);
  co_return object;
}

// As LOOKUP would answer for a file whose inode is not in its dirent.
Task<rpc::With<proto::LookupReply>> look_up_inode(CorePtr core, InodeId inode,
                                                  uint64_t want_bytes) {
  proto::GetExtentsRequest request;
  request.set_inode(inode.value);
  request.set_length(want_bytes);
  auto found = CO_TRY(co_await core->ask<proto::GetExtentsReply>(
      inode.partition(), proto::GET_EXTENTS, std::move(request)));
  if (found.body.inode().type() != proto::FILE_REGULAR) {
    co_return fail(Errc::not_found, "that name is no object's");
  }
  rpc::With<proto::LookupReply> reply;
  reply.body.mutable_inode()->Swap(found.body.mutable_inode());
  reply.body.mutable_content()->Swap(found.body.mutable_content());
  reply.payload = std::move(found.payload);
  co_return reply;
}

// The file's record, with the beginning of its content when `want_bytes` > 0. A directory made by
// mkdir stands for an empty object of its own.
Task<rpc::With<proto::LookupReply>> look_up(CorePtr core, std::string bucket, std::string key,
                                            uint64_t want_bytes) {
  const NamePath path = CO_TRY(split_key(key));
  for (int tries = 0;; ++tries) {
    const Place place = CO_TRY(co_await locate(core, bucket, path));
    if (!place.complete()) co_return fail(Errc::not_found, "no object {} in {}", key, bucket);
    proto::LookupRequest request;
    request.set_directory(place.directory.value);
    request.set_name(place.file);
    request.set_want_content(want_bytes > 0);
    request.set_length(want_bytes);
    request.set_session(core->session.value);
    auto reply = co_await core->ask<proto::LookupReply>(place.directory.partition(), proto::LOOKUP,
                                                        std::move(request));
    if (reply.ok() && reply->body.elsewhere()) {
      auto linked = co_await look_up_inode(core, InodeId(reply->body.inode().id()), want_bytes);
      if (linked.failed_with(Errc::stale) && tries < core->options.stale_retries_max) continue;
      reply = std::move(linked);
    }
    if (reply.ok()) co_return std::move(*reply);
    if (reply.failed_with(Errc::stale) && tries < core->options.stale_retries_max) {
      forget(*core, place);
      continue;
    }
    if (reply.failed_with(Errc::not_found) && place.file.empty() && place.chain.size() > 1) {
      auto own = CO_TRY(co_await directory_as_object(core, place.directory));
      if (own) co_return std::move(*own);
    }
    if (reply.failed_with(Errc::stale)) {
      co_return fail(Errc::unavailable, "{}", reply.error().context);
    }
    co_return fail(std::move(reply).error());
  }
}

}  // namespace

Task<ObjectInfo> head_object(CorePtr core, std::string bucket, std::string key) {
  const auto reply = CO_TRY(co_await look_up(core, bucket, key, 0));
  co_return to_object_info(key, reply.body.inode());
}

Task<std::unique_ptr<ObjectReader>> open_object(CorePtr core, std::string bucket, std::string key) {
  for (int tries = 0;; ++tries) {
    auto reply = CO_TRY(co_await look_up(core, bucket, key, core->options.content_window_bytes));
    auto state = std::make_shared<ReaderState>();
    state->core = core;
    const proto::Inode& inode = reply.body.inode();
    state->info = to_object_info(key, inode);
    auto content = std::make_shared<FileContent>(core, state->info.inode);
    content->set_version(inode.content_version());
    content->set_parts({inode.parts().begin(), inode.parts().end()});
    const bool large = state->info.size >= core->options.pin_from_bytes;
    if (!large) {
      CO_TRY(content->take(0, reply.body.content(), reply.payload));
    }
    if (large) {
      // It is read for long: its bytes must stay although somebody replaces them.
      auto pinned = co_await fetch_content(content, 0, true);
      if (pinned.failed_with(Errc::conflict) && tries < core->options.stale_retries_max) continue;
      if (!pinned.ok()) co_return fail(std::move(pinned).error());
    }
    state->content = std::move(content);
    co_return std::make_unique<Reader>(std::move(state));
  }
}

}  // namespace turbine::fs
