#include "cluster/map_client.hpp"

#include "base/log.hpp"
#include "base/tick.hpp"
#include "proto/rpc.pb.h"

namespace turbine::cluster {
namespace {

using std::chrono::milliseconds;

constexpr auto kRetryPause = milliseconds(50);

}  // namespace

MapClient::MapClient(rpc::Transport& transport, Clock& clock, MapHolder& holder,
                     MapClientOptions options)
    : transport_(transport),
      clock_(clock),
      holder_(holder),
      options_(std::move(options)),
      gate_(clock.executor()),
      wake_(clock.executor()) {
  for (const rpc::Address& each : manager_addresses(options_.manager)) {
    managers_.push_back(transport_.channel(each));
  }
}

std::vector<rpc::Address> manager_addresses(const std::string& list) {
  std::vector<rpc::Address> addresses;
  size_t begin = 0;
  for (size_t i = 0; i <= list.size(); ++i) {
    const std::string_view rest = std::string_view(list).substr(std::min(i + 1, list.size()));
    const bool end = i == list.size() ||
                     (list[i] == ',' && (rest.starts_with("tcp:") || rest.starts_with("unix:") ||
                                         rest.starts_with("mem:")));
    if (!end) continue;
    addresses.push_back(list.substr(begin, i - begin));
    begin = i + 1;
  }
  return addresses;
}

template <class Reply, class Request>
Task<Reply> MapClient::ask(int type, Request request, Duration timeout) {
  rpc::CallOptions options;
  options.deadline = clock_.now() + timeout;
  const size_t asked = current_;
  Result<rpc::With<Reply>> reply = co_await rpc::call<Reply>(
      managers_[asked], type, std::move(request), Buffer(), std::move(options));
  if (reply.ok()) co_return std::move(reply->body);
  const Errc code = reply.error().code;
  const bool away = code == Errc::unavailable || code == Errc::timeout || code == Errc::closed;
  if (away && current_ == asked) current_ = (asked + 1) % managers_.size();
  co_return fail(std::move(reply).error());
}

template <class Reply, class Request>
Task<Reply> MapClient::ask_until_answered(int type, Request request) {
  bool said = false;
  while (!stopping_) {
    Result<Reply> reply = co_await ask<Reply>(type, request, options_.call_timeout);
    if (reply.ok()) co_return reply;
    const Errc code = reply.error().code;
    if (code != Errc::unavailable && code != Errc::timeout && code != Errc::busy) co_return reply;
    if (!std::exchange(said, true)) log::warn("waiting for the manager: {}", reply.error().text());
    CO_TRY(co_await pause(kRetryPause));
  }
  co_return fail(Errc::closed, "stopping");
}

Task<proto::RegisterBladeReply> MapClient::register_blade(proto::RegisterBladeRequest request) {
  auto reply = CO_TRY(
      co_await ask_until_answered<proto::RegisterBladeReply>(proto::REGISTER_BLADE, request));
  session_ = reply.session();
  request.set_blade_id(reply.blade_id());
  request.set_array_id(reply.array_id());
  request.set_damaged(false);  // the manager knows; what it gets from now on is not
  request.clear_journal_position();
  request.clear_starting();  // from here on it leads and acknowledges
  request.clear_logs();
  blade_ = std::move(request);
  holder_.update(reply.map());
  co_return reply;
}

Task<proto::RegisterGatewayReply> MapClient::register_gateway(
    proto::RegisterGatewayRequest request) {
  auto reply = CO_TRY(
      co_await ask_until_answered<proto::RegisterGatewayReply>(proto::REGISTER_GATEWAY, request));
  session_ = reply.session();
  gateway_ = std::move(request);
  holder_.update(reply.map());
  co_return reply;
}

Task<proto::ChangePartitionsReply> MapClient::change_partitions(
    std::vector<proto::PartitionChange> changes) {
  CHECK(blade_);
  proto::ChangePartitionsRequest request;
  request.set_blade_id(blade_->blade_id());
  request.set_session(session_);
  for (proto::PartitionChange& change : changes) *request.add_changes() = std::move(change);
  Result<proto::ChangePartitionsReply> reply = co_await ask<proto::ChangePartitionsReply>(
      proto::CHANGE_PARTITIONS, std::move(request), options_.call_timeout);
  // An answer that can't be read may have said yes, and a manager that stops may have done it.
  if (reply.failed_with(Errc::corrupt) || (reply.failed_with(Errc::closed) && !stopping_)) {
    co_return fail(Errc::timeout, "{}", reply.error().context);
  }
  if (reply.ok()) holder_.update(reply->map());
  co_return reply;
}

void MapClient::start() {
  CHECK(blade_ || gateway_);
  gate_.spawn("heartbeats", heartbeat_loop());
  gate_.spawn("map updates", poll_loop());
}

Task<> MapClient::stop() {
  if (stopping_) co_return co_await gate_.close();
  stopping_ = true;
  wake_.notify_all();
  if (blade_ && session_ != 0) {
    Result<> told = co_await beat_blade(true);
    if (!told.ok()) log::info("left without telling the manager: {}", told.error().text());
  }
  co_return co_await gate_.close();
}

Task<> MapClient::pause(Duration duration) {
  const TimePoint until = clock_.now() + duration;
  const TimerId timer = clock_.call_at(until, [this] { wake_.notify_all(); });
  while (!stopping_ && clock_.now() < until) CO_TRY(co_await wake_.wait());
  clock_.cancel(timer);
  co_return Result<>{};
}

Task<> MapClient::wait_for_plan(TimePoint deadline) {
  while (!stopping_) {
    const MapPtr map = holder_.get();
    if (map && map->partition_count() > 0) co_return Result<>{};
    if (clock_.now() >= deadline) {
      co_return fail(Errc::timeout, "not all expected blades have registered with the manager");
    }
    CO_TRY(co_await pause(std::min<Duration>(milliseconds(10), deadline - clock_.now())));
  }
  co_return fail(Errc::closed, "stopping");
}

// --- heartbeats ------------------------------------------------------------------------------

Task<> MapClient::heartbeat_loop() {
  while (!stopping_) {
    const TimePoint next = next_tick(clock_.now(), options_.heartbeat);
    Result<> done = co_await beat(false);
    if (!done.ok()) log::debug("heartbeat: {}", done.error().text());
    if (next > clock_.now()) CO_TRY(co_await pause(next - clock_.now()));
  }
  co_return Result<>{};
}

Task<> MapClient::beat(bool leaving) {
  if (blade_) co_return co_await beat_blade(leaving);
  co_return co_await beat_gateway();
}

Task<> MapClient::beat_blade(bool leaving) {
  proto::BladeHeartbeatRequest request;
  if (report_) request = report_();
  request.set_blade_id(blade_->blade_id());
  request.set_session(session_);
  request.set_leaving(leaving);
  if (const MapPtr map = holder_.get()) request.set_map_epoch(map->record().epoch());
  const auto reply = CO_TRY(co_await ask<proto::BladeHeartbeatReply>(
      proto::BLADE_HEARTBEAT, std::move(request), options_.call_timeout));
  if (!reply.fenced() || leaving || stopping_) co_return Result<>{};
  log::warn("the manager had declared this blade dead; registering again");
  const auto again = co_await register_blade(*blade_);
  if (again.failed_with(Errc::denied) && on_refused_) on_refused_(again.error());
  const auto registered = CO_TRY(again);
  if (on_new_session_) on_new_session_(registered.session());
  co_return Result<>{};
}

Task<> MapClient::beat_gateway() {
  proto::GatewayHeartbeatRequest request;
  request.set_session(session_);
  request.set_name(gateway_->name());
  request.set_address(gateway_->address());
  request.set_nfs_address(gateway_->nfs_address());
  if (const MapPtr map = holder_.get()) request.set_map_epoch(map->record().epoch());
  CO_TRY(co_await ask<proto::GatewayHeartbeatReply>(proto::GATEWAY_HEARTBEAT, std::move(request),
                                                    options_.call_timeout));
  co_return Result<>{};
}

Task<> MapClient::poll_loop() {
  while (!stopping_) {
    proto::GetMapRequest request;
    if (const MapPtr map = holder_.get()) request.set_newer_than_epoch(map->record().epoch());
    request.set_wait_ms(static_cast<uint32_t>(options_.poll / milliseconds(1)));
    request.set_keys(gateway_.has_value());
    Result<proto::GetMapReply> reply = co_await ask<proto::GetMapReply>(
        proto::GET_MAP, std::move(request), options_.poll + options_.call_timeout);
    if (reply.ok() && !reply->unchanged()) {
      holder_.update(std::move(*reply->mutable_map()));
    } else if (!reply.ok()) {
      CO_TRY(co_await pause(kRetryPause));
    }
  }
  co_return Result<>{};
}

}  // namespace turbine::cluster
