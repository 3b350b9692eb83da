#include "fs/hidden_discards.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/log.hpp"
#include "proto/rpc.pb.h"

namespace turbine::fs {
namespace {

constexpr Duration kPause = std::chrono::seconds(1);

}  // namespace

void HiddenDiscards::add(Gate& gate, std::function<RequestId()> next_request, Discard discard) {
  if (stopped_ || gate.closing()) return;
  waiting_.push_back(std::move(discard));
  if (std::exchange(running_, true)) return;
  gate.spawn("discard hidden inodes", run(std::move(next_request)));
}

void HiddenDiscards::stop() {
  stopped_ = true;
  if (sleep_) sleep_->set({});
}

Task<> HiddenDiscards::run(std::function<RequestId()> next_request) {
  while (!stopped_ && !waiting_.empty()) {
    std::vector<Discard> left;
    for (Discard& each : std::exchange(waiting_, {})) {
      if (stopped_) break;
      if (each.not_before > clock_.now() || !CO_TRY(co_await discard(each, next_request()))) {
        left.push_back(std::move(each));
      }
    }
    std::ranges::move(left, std::back_inserter(waiting_));
    if (waiting_.empty() || stopped_) break;
    sleep_.emplace(clock_.executor());
    (void)co_await sleep_->wait_until(clock_, clock_.now() + kPause);
    sleep_.reset();
  }
  running_ = false;
  co_return Result<>{};
}

Task<bool> HiddenDiscards::discard(Discard& what, RequestId request) {
  if (what.hidden == InodeId{}) {
    const auto made = co_await partitions_.call<proto::AppendHiddenReply>(
        what.home, proto::APPEND_HIDDEN, what.made_with, {}, what.made_by, what.made_at);
    if (!made.ok()) {
      // Too old to be executed: it was not, or only the end of the session tells.
      co_return clock_.now() >= what.made_at + meta::kRequestAgeMax;
    }
    what.hidden = InodeId(made->body.hidden_inode());
  }
  proto::AppendHiddenRequest message;
  message.set_partition(what.home.value);
  message.set_hidden_inode(what.hidden.value);
  message.set_session(session_.value);
  message.set_discard(true);
  const auto gone = co_await partitions_.call<proto::AppendHiddenReply>(
      what.home, proto::APPEND_HIDDEN, std::move(message), {}, request, clock_.now());
  if (gone.ok()) co_return true;
  log::debug("hidden inode {} is not discarded yet: {}", what.hidden, gone.error().text());
  co_return false;
}

}  // namespace turbine::fs
