#include "io/faulty_device.hpp"

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <charconv>
#include <cstring>
#include <deque>
#include <vector>

#include "base/async.hpp"
#include "base/log.hpp"

namespace turbine::io {
namespace {

struct UnsyncedWrite {
  uint64_t sequence;
  uint64_t offset;
  Buffer data;
};

Result<uint64_t> parse_plan_number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(Errc::invalid, "TURBINE_POWER_CUT wants SEED[:IO][,lie], not '{}'", text);
  }
  return value;
}

/// Copies the part of `write` that lies in [offset, offset + out.size()) over `out`.
void overlay(const UnsyncedWrite& write, uint64_t offset, MutableByteView out) {
  const uint64_t begin = std::max(offset, write.offset);
  const uint64_t end = std::min(offset + out.size(), write.offset + write.data.size());
  if (begin >= end) return;
  std::memcpy(out.data() + (begin - offset), write.data.data() + (begin - write.offset),
              end - begin);
}

}  // namespace

Result<PowerCutPlan> parse_power_cut(std::string_view text) {
  PowerCutPlan plan;
  constexpr std::string_view kLie = ",lie";
  plan.lie = text.ends_with(kLie);
  if (plan.lie) text.remove_suffix(kLie.size());
  const size_t colon = text.find(':');
  plan.seed = TRY(parse_plan_number(text.substr(0, colon)));
  if (colon != std::string_view::npos) plan.at_io = TRY(parse_plan_number(text.substr(colon + 1)));
  return plan;
}

/// Shared with the coroutines of the calls, which may unwind after the device is gone.
struct PowerCutDevice::State {
  State(Executor e, std::unique_ptr<Device> i, PowerCutPlan p)
      : executor(e), inner(std::move(i)), plan(p) {}
  Executor executor;
  std::unique_ptr<Device> inner;
  PowerCutPlan plan;
  std::move_only_function<void()> exit;
  std::deque<UnsyncedWrite> unsynced;
  uint64_t io_count = 0;
  uint64_t written = 0;
  uint64_t durable = 0;
  bool cut = false;
  bool failed = false;
  std::vector<OneShot<>> never;  // calls that hang once the power is cut
};

PowerCutDevice::PowerCutDevice(Executor executor, std::unique_ptr<Device> inner, PowerCutPlan plan,
                               std::move_only_function<void()> exit)
    : state_(std::make_shared<State>(executor, std::move(inner), plan)) {
  state_->exit = exit ? std::move(exit) : [] { ::_exit(137); };
}

PowerCutDevice::~PowerCutDevice() {
  for (auto& call : state_->never) call.set(fail(Errc::closed, "the power was cut"));
}

uint64_t PowerCutDevice::size_bytes() const {
  return state_->inner->size_bytes();
}
uint64_t PowerCutDevice::durable_sequence() const {
  return state_->durable;
}
Buffer PowerCutDevice::allocate(size_t size) {
  return state_->inner->allocate(size);
}
Task<> PowerCutDevice::prepare(uint64_t offset, uint64_t size) {
  return state_->inner->prepare(offset, size);
}
Task<> PowerCutDevice::discard(uint64_t offset, uint64_t size) {
  return state_->inner->discard(offset, size);
}
void PowerCutDevice::cut_power() {
  cut(state_);
}

/// True when the power fails at this I/O.
bool PowerCutDevice::count_io(const std::shared_ptr<State>& state) {
  if (!state->cut && ++state->io_count == state->plan.at_io) cut(state);
  return state->cut;
}

void PowerCutDevice::cut(const std::shared_ptr<State>& state) {
  if (std::exchange(state->cut, true)) return;
  log::warn("power cut at I/O {} with {} unsynced writes", state->io_count, state->unsynced.size());
  if (state->plan.seed == 0) {
    state->exit();
    return;
  }
  asio::co_spawn(state->executor, tear(state), [state](std::exception_ptr, Result<> result) {
    if (!result.ok()) log::error("power cut: {}", result.error().text());
    state->exit();
  });
}

Task<> PowerCutDevice::tear(std::shared_ptr<State> state) {
  Rng rng(state->plan.seed);
  for (const auto& write : state->unsynced) {
    if (rng.chance(1, 3)) continue;  // lost as a whole
    Buffer bytes = CO_TRY(co_await state->inner->read(write.offset, write.data.size()));
    for (size_t at = 0; at < bytes.size(); at += kSectorBytes) {
      if (rng.chance(1, 4)) continue;
      std::memcpy(bytes.data() + at, write.data.data() + at, kSectorBytes);
    }
    CO_TRY(co_await state->inner->write(write.offset, std::move(bytes)));
  }
  co_return co_await state->inner->flush();
}

Task<WriteTicket> PowerCutDevice::write(uint64_t offset, Buffer data) {
  return do_write(state_, offset, std::move(data));
}

Task<WriteTicket> PowerCutDevice::do_write(std::shared_ptr<State> state, uint64_t offset,
                                           Buffer data) {
  if (count_io(state)) {
    OneShot<> never = state->never.emplace_back(state->executor);
    CO_TRY(co_await never.wait());
  }
  if (state->failed) co_return fail(Errc::io, "the device has failed");
  state->unsynced.push_back({++state->written, offset, std::move(data)});
  co_return WriteTicket{state->written};
}

Task<Buffer> PowerCutDevice::read(uint64_t offset, size_t size) {
  return do_read(state_, offset, size);
}

Task<Buffer> PowerCutDevice::do_read(std::shared_ptr<State> state, uint64_t offset, size_t size) {
  // What is unsynced now covers the read even if a flush takes it away meanwhile.
  const std::deque<UnsyncedWrite> unsynced = state->unsynced;
  Buffer data = CO_TRY(co_await state->inner->read(offset, size));
  for (const auto& write : unsynced) overlay(write, offset, data.mutable_view());
  co_return data;
}

Task<> PowerCutDevice::flush() {
  return do_flush(state_);
}

Task<> PowerCutDevice::do_flush(std::shared_ptr<State> state) {
  if (count_io(state)) {
    OneShot<> never = state->never.emplace_back(state->executor);
    CO_TRY(co_await never.wait());
  }
  const uint64_t covers = state->written;
  if (state->plan.lie) {
    state->durable = covers;
    co_return Result<>{};
  }
  std::vector<Task<WriteTicket>> writes;
  for (const auto& write : state->unsynced) {
    writes.push_back(state->inner->write(write.offset, write.data));
  }
  for (auto& result : co_await when_all(std::move(writes))) {
    if (!result.ok()) state->failed = true;
  }
  if (!state->failed && !(co_await state->inner->flush()).ok()) state->failed = true;
  if (state->failed) co_return fail(Errc::io, "the device has failed");
  if (state->cut) {
    OneShot<> never = state->never.emplace_back(state->executor);
    CO_TRY(co_await never.wait());
  }
  while (!state->unsynced.empty() && state->unsynced.front().sequence <= covers) {
    state->unsynced.pop_front();
  }
  state->durable = std::max(state->durable, covers);
  co_return Result<>{};
}

}  // namespace turbine::io
