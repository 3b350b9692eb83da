#include "chunk/scrubber.hpp"

#include <utility>

namespace turbine::chunk {

Scrubber::Scrubber(Clock& clock, ChunkStore& store, ScrubOptions options, Report report)
    : clock_(clock),
      store_(store),
      options_(options),
      report_(std::move(report)),
      gate_(clock.executor()) {}

void Scrubber::start() {
  gate_.spawn("scrub", run());
}

Task<> Scrubber::stop() {
  stopped_ = true;
  if (wake_) std::exchange(wake_, nullptr)();
  co_return co_await gate_.close();
}

Task<> Scrubber::pause(Duration duration) {
  if (!stopped_) {
    OneShot<> woken(clock_.executor());
    wake_ = [woken]() mutable { woken.set({}); };
    // A time-out is the ordinary end of a pause.
    const Result<> ended = co_await woken.wait_until(clock_, clock_.now() + duration);
    if (ended.failed_with(Errc::timeout)) wake_ = nullptr;
  }
  if (stopped_) co_return fail(Errc::closed, "the scrubber was stopped");
  co_return Result<>{};
}

Task<uint64_t> Scrubber::run_once() {
  uint64_t bad = 0;
  std::optional<ShardId> after;
  for (;;) {
    const std::vector<ShardInfo> shards = store_.list(after, 1);
    if (shards.empty()) break;
    const ShardInfo& shard = shards.front();
    after = shard.shard;
    const Result<> sound = co_await store_.verify(shard.shard);
    bytes_verified_ += shard.bytes;
    if (sound.failed_with(Errc::corrupt) || sound.failed_with(Errc::io)) {
      ++bad;
      report_(shard, sound.error());
    }
    const uint64_t ns = uint64_t{shard.bytes} * 1'000'000'000 / options_.bytes_per_second;
    CO_TRY(co_await pause(Duration(ns)));
  }
  ++rounds_;
  co_return bad;
}

Task<> Scrubber::run() {
  for (;;) {
    CO_TRY(co_await run_once());
    CO_TRY(co_await pause(options_.pause_between_rounds));
  }
}

}  // namespace turbine::chunk
