// MapClient: a blade's or gateway's side of the manager: registers, reports, follows the map.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/async.hpp"
#include "cluster/cluster_map.hpp"
#include "rpc/typed.hpp"

namespace turbine::cluster {

struct MapClientOptions {
  // Of the manager; of several the addresses, with commas between.
  std::string manager;
  Duration heartbeat = std::chrono::milliseconds(250);
  Duration call_timeout = std::chrono::milliseconds(1000);
  Duration poll = std::chrono::seconds(1);  // stop() waits for the last one
};

/// The addresses of a list such as "tcp:a:7000,tcp:b:7000"; a comma in a path is no end.
std::vector<rpc::Address> manager_addresses(const std::string& list);

/// One reactor thread. Asks the manager that answers, and the next of them when it does not or does
/// not lead. While none does, the last map stays in use and everything is tried again. Register
/// first, then start().
class MapClient {
 public:
  MapClient(rpc::Transport& transport, Clock& clock, MapHolder& holder, MapClientOptions options);

  /// Tries until the manager answers; returns its refusal (Errc::denied) as it came.
  /// Errc::closed after stop().
  Task<proto::RegisterBladeReply> register_blade(proto::RegisterBladeRequest request);
  Task<proto::RegisterGatewayReply> register_gateway(proto::RegisterGatewayRequest request);

  /// Of a registered blade: asks for other configurations of partitions, once, in its session. The
  /// map in the holder tells what was done. Errc::denied: the session has ended; unavailable, busy:
  /// nothing was done; timeout, and closed while stopping: the outcome is not known.
  Task<proto::ChangePartitionsReply> change_partitions(std::vector<proto::PartitionChange> changes);

  /// What a blade's heartbeats say; id, session and epoch are filled in here.
  void report_with(std::function<proto::BladeHeartbeatRequest()> report) {
    report_ = std::move(report);
  }
  /// Called when the manager had declared this blade dead and it was registered again: `session` is
  /// the new one, the map in the holder has the new terms.
  void on_new_session(std::function<void(uint64_t session)> callback) {
    on_new_session_ = std::move(callback);
  }
  /// Called when a blade that had registered is refused for good (Errc::denied) at a later time.
  void on_refused(std::function<void(Error)> callback) { on_refused_ = std::move(callback); }
  /// Begins heartbeats and long polls.
  void start();
  /// Ends them; a blade tells the manager that it leaves.
  Task<> stop();

  uint64_t session() const { return session_; }
  uint32_t blade_id() const { return blade_ ? blade_->blade_id() : 0; }
  /// Returns when a map with a plan (partitions) is in the holder; Errc::timeout.
  Task<> wait_for_plan(TimePoint deadline);

 private:
  Task<> heartbeat_loop();
  Task<> poll_loop();
  Task<> beat(bool leaving);
  Task<> beat_blade(bool leaving);
  Task<> beat_gateway();
  /// Sleeps, but not past stop().
  Task<> pause(Duration duration);
  template <class Reply, class Request>
  Task<Reply> ask(int type, Request request, Duration timeout);
  template <class Reply, class Request>
  Task<Reply> ask_until_answered(int type, Request request);

  rpc::Transport& transport_;
  Clock& clock_;
  MapHolder& holder_;
  const MapClientOptions options_;
  Gate gate_;
  std::vector<std::shared_ptr<rpc::Channel>> managers_;
  size_t current_ = 0;  // index of the one that is asked
  bool stopping_ = false;
  uint64_t session_ = 0;
  std::optional<proto::RegisterBladeRequest> blade_;  // to register again
  std::optional<proto::RegisterGatewayRequest> gateway_;
  std::function<proto::BladeHeartbeatRequest()> report_;
  std::function<void(uint64_t)> on_new_session_;
  std::function<void(Error)> on_refused_;
  Event wake_;
};

}  // namespace turbine::cluster
