#include "fs/object_writer.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "base/log.hpp"
#include "fs/new_content.hpp"

namespace turbine::fs {
namespace {

// A request is executed at the latest so long after it is too old to be sent.
constexpr Duration kOnTheWay = std::chrono::seconds(5);

// A run of the object's bytes that is being written as stripes.
struct Run {
  uint64_t offset = 0;
  std::vector<Buffer> data;
  std::optional<Result<std::vector<proto::NewStripe>>> stripes;
};

// Shared by the handle, its background writes and the clean-up after it.
struct WriterState {
  WriterState(CorePtr core_in, CallContext call_in, WriteTarget target_in)
      : core(std::move(core_in)),
        call(call_in),
        target(std::move(target_in)),
        slots(core->clock.executor(), core->options.stripes_in_flight),
        finished(core->clock.executor()) {}

  CorePtr core;
  CallContext call;
  WriteTarget target;
  Semaphore slots;  // one per run in flight
  Event finished;
  std::vector<Buffer> pending;  // not yet in runs
  uint64_t pending_bytes = 0;
  uint64_t total_bytes = 0;
  // Of the stripes; chosen with the first. Should the key's directory move to another partition
  // until commit(), the content stays there as a part of its own.
  std::optional<PartitionId> home;
  std::deque<std::shared_ptr<Run>> runs;
  proto::NewContent held;  // whole stripes with their extents, not under the hidden inode
  uint64_t hidden_inode = 0;
  // The first APPEND_HIDDEN, when its outcome is unknown.
  std::optional<HiddenDiscards::Discard> lost_hidden;
  std::optional<Error> failure;  // sticks
  bool over = false;             // committed, or the outcome is unknown: nothing to free
};
using WriterStatePtr = std::shared_ptr<WriterState>;

std::vector<Buffer> take_front(WriterState& state, uint64_t size) {
  std::vector<Buffer> taken;
  size_t used = 0;
  state.pending_bytes -= size;
  while (size > 0) {
    Buffer& front = state.pending[used];
    if (front.size() <= size) {
      size -= front.size();
      taken.push_back(std::move(front));
      ++used;
    } else {
      taken.push_back(front.slice(0, size));
      front = front.slice(size, front.size() - size);
      size = 0;
    }
  }
  state.pending.erase(state.pending.begin(), state.pending.begin() + static_cast<ptrdiff_t>(used));
  return taken;
}

Task<PartitionId> choose_home(WriterStatePtr state) {
  if (!state->target.upload.empty()) {
    const InodeId bucket = CO_TRY(co_await bind(state->core, kRootInode, state->target.bucket));
    co_return bucket.partition();
  }
  NamePath path = CO_TRY(split_key(state->target.key));
  const Place place = CO_TRY(co_await locate(state->core, state->target.bucket, std::move(path)));
  co_return place.home(*state->core->map.get());
}

Task<> write_run(WriterStatePtr state, std::shared_ptr<Run> run) {
  auto written =
      co_await stripe::write_stripes(state->core->writer, *state->home, std::move(run->data));
  run->stripes.emplace(std::move(written));
  state->slots.release();
  state->finished.notify_all();
  co_return Result<>{};
}

// Moves runs that have ended, in order, into `held`.
void harvest(WriterState& state) {
  while (!state.runs.empty() && state.runs.front()->stripes.has_value()) {
    const std::shared_ptr<Run> run = std::move(state.runs.front());
    state.runs.pop_front();
    if (!run->stripes->ok()) {
      if (!state.failure) state.failure = run->stripes->error();
      continue;
    }
    add_stripes(**run->stripes, run->offset, &state.held);
  }
}

// After Errc::stale_epoch, which is for good: the ids of `held` are of a range that has ended (the
// gateway was silent for too long, or held them too long), or its placement is of an old map. The
// shards are still there: the same bytes go into stripes of new ids.
Task<> write_again(WriterStatePtr state) {
  const proto::NewContent old = std::exchange(state->held, {});
  Core& core = *state->core;
  for (const proto::NewStripe& stripe : old.stripes())
    core.stripe_ids.forget(StripeId(stripe.id()));
  for (const proto::Extent& extent : old.extents()) {
    auto data = CO_TRY(co_await core.reader.read(extent, 0, extent.length()));
    const auto stripes =
        CO_TRY(co_await stripe::write_stripes(core.writer, *state->home, std::move(data)));
    add_stripes(stripes, extent.offset(), &state->held);
  }
  for (const proto::NewStripe& stripe : old.stripes()) CO_TRY(co_await core.writer.discard(stripe));
  co_return Result<>{};
}

Task<> append_hidden(WriterStatePtr state) {
  for (int tries = 0;; ++tries) {
    proto::AppendHiddenRequest request;
    request.set_partition(state->home->value);
    request.set_hidden_inode(state->hidden_inode);
    request.set_session(state->core->session.value);
    const proto::Extent& last = *state->held.extents().rbegin();
    state->held.set_size(last.offset() + last.length());
    *request.mutable_content() = state->held;
    const RequestId id = state->core->next_request();
    const TimePoint now = state->core->clock.now();
    auto reply = co_await state->core->partitions.call<proto::AppendHiddenReply>(
        *state->home, proto::APPEND_HIDDEN, request, {}, id, now);
    if (reply.failed_with(Errc::stale_epoch) && tries < state->core->options.stale_retries_max) {
      CO_TRY(co_await write_again(state));
      continue;
    }
    if (reply.failed_with(Errc::timeout) && state->hidden_inode == 0) {
      state->lost_hidden = HiddenDiscards::Discard{
          .home = *state->home, .made_by = id, .made_at = now, .made_with = std::move(request)};
    }
    // After a failure its stripes may be under the hidden inode or not: the end of the session
    // tells.
    state->held.Clear();
    if (!reply.ok()) co_return fail(std::move(reply).error());
    state->hidden_inode = reply->body.hidden_inode();
    co_return Result<>{};
  }
}

// Starts the first `size` pending bytes on their way; waits for a free slot.
Task<> launch(WriterStatePtr state, uint64_t size) {
  if (!state->home) state->home = CO_TRY(co_await choose_home(state));
  CO_TRY(co_await state->slots.acquire());
  harvest(*state);
  if (state->core->gate.closing()) {
    state->slots.release();
    co_return fail(Errc::closed, "the file system is stopping");
  }
  auto run = std::make_shared<Run>();
  run->offset = state->total_bytes - state->pending_bytes;
  run->data = take_front(*state, size);
  state->runs.push_back(run);
  state->core->gate.spawn("write stripes", write_run(state, run));
  if (state->failure) co_return fail(*state->failure);
  if (static_cast<size_t>(state->held.stripes_size()) >= state->core->options.stripes_held_max) {
    CO_TRY(co_await append_hidden(state));
  }
  co_return Result<>{};
}

Task<> wait_for_runs(WriterStatePtr state) {
  harvest(*state);
  while (!state->runs.empty()) {
    CO_TRY(co_await state->finished.wait());
    harvest(*state);
  }
  co_return Result<>{};
}

// The content under the hidden inode will not become an object, at the latest from `not_before` on.
void discard_hidden(WriterState& state, TimePoint not_before) {
  Core& core = *state.core;
  const auto next_request = [&core] { return core.next_request(); };
  if (state.lost_hidden) {
    core.discards.add(core.gate, next_request, std::move(*std::exchange(state.lost_hidden, {})));
  }
  if (state.hidden_inode == 0) return;
  core.discards.add(core.gate, next_request,
                    {.home = *state.home,
                     .hidden = InodeId(std::exchange(state.hidden_inode, 0)),
                     .not_before = not_before});
}

// Frees what was written for an object that will not be.
Task<> clean_up(WriterStatePtr state) {
  CO_TRY(co_await wait_for_runs(state));
  for (const proto::NewStripe& stripe : state->held.stripes()) {
    CO_TRY(co_await state->core->writer.discard(stripe));
  }
  discard_hidden(*state, state->core->clock.now());
  co_return Result<>{};
}

// Nobody knows whether the request that was received at `received` was executed, or will be. If it
// was, the hidden inode is gone and there is nothing to discard.
void give_up(WriterState& state, TimePoint received) {
  state.over = true;
  discard_hidden(state, received + meta::kRequestAgeMax + kOnTheWay);
}

struct Prepared {
  proto::NewContent content;
  Buffer payload;
};

// All bytes are durable in stripes, or in `payload`.
Task<Prepared> prepare(WriterStatePtr state) {
  Prepared prepared;
  prepared.content.set_size(state->total_bytes);
  if (!state->home && state->total_bytes <= state->core->options.inline_bytes_max) {
    prepared.content.set_inline_payload(true);
    prepared.payload = join(state->pending, state->pending_bytes);
    co_return prepared;
  }
  while (state->pending_bytes > 0) {
    const uint64_t most = state->core->writer.stripe_bytes_max();
    CO_TRY(co_await launch(state, std::min(most, state->pending_bytes)));
  }
  CO_TRY(co_await wait_for_runs(state));
  if (state->failure) co_return fail(*state->failure);
  if (state->hidden_inode != 0 && state->held.stripes_size() > 0) {
    CO_TRY(co_await append_hidden(state));
  }
  prepared.content.set_hidden_inode(state->hidden_inode);
  co_return prepared;
}

Task<ObjectInfo> commit_object(WriterStatePtr state, NewObject attributes, Conditions conditions) {
  const CorePtr core = state->core;
  const NamePath path = CO_TRY(split_key(state->target.key));
  Prepared prepared = CO_TRY(co_await prepare(state));
  const TimePoint received = core->clock.now();  // the last byte came just now
  for (int tries = 0;; ++tries) {
    const Place place = CO_TRY(co_await locate(core, state->target.bucket, path));
    proto::PutFileRequest request;
    request.set_directory(place.directory.value);
    for (const std::string& name : place.missing) request.add_path(name);
    request.add_path(place.file);
    fill_attributes(*request.mutable_attributes(), attributes, state->call.user);
    *request.mutable_content() = prepared.content;
    request.mutable_content()->mutable_extents()->CopyFrom(state->held.extents());
    request.mutable_content()->mutable_stripes()->CopyFrom(state->held.stripes());
    fill_condition(*request.mutable_condition(), conditions);
    request.set_session(core->session.value);
    const PartitionId partition = place.directory.partition();
    auto reply = co_await core->partitions.call<proto::PutFileReply>(
        partition, proto::PUT_FILE, std::move(request), prepared.payload, state->call.request,
        received, core->clock.now() - received + core->partitions.budget(partition));
    if (reply.ok()) {
      state->over = true;
      if (place.missing.size() == 1) {  // no lease came with it; good for when the parent is down
        core->bindings.put(place.directory, place.missing[0], InodeId(reply->body.parent()),
                           received);
      }
      co_return to_object_info(state->target.key, reply->body.inode());
    }
    if (reply.failed_with(Errc::stale) && tries < core->options.stale_retries_max) {
      forget(*core, place);
      continue;
    }
    if (reply.failed_with(Errc::stale_epoch) && tries < core->options.stale_retries_max) {
      CO_TRY(co_await write_again(state));
      continue;
    }
    if (reply.failed_with(Errc::timeout)) give_up(*state, received);
    if (reply.failed_with(Errc::stale)) {
      co_return fail(Errc::unavailable, "{}", reply.error().context);
    }
    co_return fail(std::move(reply).error());
  }
}

ObjectInfo to_part_info(std::string key, const proto::Part& part) {
  ObjectInfo info;
  info.key = std::move(key);
  info.inode = InodeId(part.inode());
  info.size = part.size();
  info.etag = part.etag();
  info.modified_ns = part.time_ns();
  return info;
}

Task<ObjectInfo> commit_part(WriterStatePtr state, NewObject attributes) {
  const CorePtr core = state->core;
  Prepared prepared = CO_TRY(co_await prepare(state));
  const InodeId bucket = CO_TRY(co_await bind(core, kRootInode, state->target.bucket));
  for (int tries = 0;; ++tries) {
    proto::PutPartRequest request;
    request.set_bucket(bucket.value);
    request.set_upload_id(state->target.upload);
    request.set_key(state->target.key);
    request.set_number(state->target.part_number);
    request.set_etag(attributes.etag);
    request.set_session(core->session.value);
    *request.mutable_content() = prepared.content;
    request.mutable_content()->mutable_extents()->CopyFrom(state->held.extents());
    request.mutable_content()->mutable_stripes()->CopyFrom(state->held.stripes());
    const TimePoint received = core->clock.now();
    auto reply = co_await core->partitions.call<proto::PutPartReply>(
        bucket.partition(), proto::PUT_PART, std::move(request), prepared.payload,
        state->call.request, received);
    if (reply.failed_with(Errc::stale_epoch) && tries < core->options.stale_retries_max) {
      CO_TRY(co_await write_again(state));
      continue;
    }
    if (reply.failed_with(Errc::timeout)) give_up(*state, received);
    state->over = state->over || reply.ok();
    if (!reply.ok()) co_return fail(std::move(reply).error());
    co_return to_part_info(state->target.key, reply->body.part());
  }
}

class Writer final : public ObjectWriter {
 public:
  explicit Writer(WriterStatePtr state) : state_(std::move(state)) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() override {
    if (!state_->over && state_->home) {
      state_->over = true;
      state_->core->gate.spawn("discard an object", clean_up(state_));
    }
  }

  Task<> write(Buffer data) override { return write_on(state_, std::move(data)); }
  Task<ObjectInfo> commit(NewObject attributes, Conditions conditions) override {
    if (!state_->target.upload.empty()) return commit_part(state_, std::move(attributes));
    return commit_object(state_, std::move(attributes), std::move(conditions));
  }

 private:
  static Task<> write_on(WriterStatePtr state, Buffer data) {
    if (state->failure) co_return fail(*state->failure);
    if (data.empty()) co_return Result<>{};
    state->pending_bytes += data.size();
    state->total_bytes += data.size();
    state->pending.push_back(std::move(data));
    for (;;) {
      const uint64_t size = state->core->writer.stripe_bytes_max();
      if (state->pending_bytes < size ||
          state->pending_bytes <= state->core->options.inline_bytes_max) {
        co_return Result<>{};
      }
      auto launched = co_await launch(state, size);
      if (!launched.ok()) {
        state->failure = launched.error();
        co_return fail(std::move(launched).error());
      }
    }
  }
  WriterStatePtr state_;
};

}  // namespace

std::unique_ptr<ObjectWriter> make_object_writer(CorePtr core, CallContext call,
                                                 WriteTarget target) {
  return std::make_unique<Writer>(
      std::make_shared<WriterState>(std::move(core), call, std::move(target)));
}

}  // namespace turbine::fs
