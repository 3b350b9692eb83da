// MemNetwork: a network inside one process whose links delay, lose, duplicate, reorder and cut
// messages, from a seed. For simulation and for tests above rpc.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/async.hpp"
#include "base/rng.hpp"
#include "rpc/rpc.hpp"

namespace turbine::rpc {

/// What a link does to each message, one direction. Delays are drawn evenly, so messages overtake
/// each other as soon as max > min.
struct LinkFaults {
  Duration delay_min{};
  Duration delay_max{};
  uint32_t loss_per_million = 0;       // the caller learns at its deadline, or from a broken link
  uint32_t duplicate_per_million = 0;  // a request is executed twice
};

/// How often each fault really happened.
struct NetworkCounters {
  uint64_t delivered = 0;
  uint64_t delayed = 0;  // by more than the least delay of its link
  uint64_t lost = 0;
  uint64_t duplicated = 0;
  uint64_t reordered = 0;
  uint64_t cut = 0;
  uint64_t held = 0;          // by a pause
  uint64_t killed_calls = 0;  // ended by the death of the peer
};

/// One reactor thread. Outlives its transports. Only the order of calls, the clock and the seed
/// decide what happens.
class MemNetwork {
 public:
  MemNetwork(Clock& clock, Rng rng) : clock_(clock), rng_(rng) {}
  MemNetwork(const MemNetwork&) = delete;
  MemNetwork& operator=(const MemNetwork&) = delete;
  ~MemNetwork();

  /// A transport for the node `name`; the node's earlier one must be killed or stopped. Listens on
  /// "mem:anything".
  std::unique_ptr<Transport> attach(std::string name);
  /// The process dies: its calls end with Errc::closed, calls to it with Errc::timeout, new ones
  /// with Errc::unavailable. Its objects still want their stop(); nothing they do gets out.
  void kill(const std::string& name);

  void set_faults(LinkFaults faults) { default_faults_ = faults; }
  void set_faults(const std::string& from, const std::string& to, LinkFaults faults) {
    link_faults_[{from, to}] = faults;
  }
  /// One direction. What is on its way is lost too.
  void cut(const std::string& from, const std::string& to) { cuts_.insert({from, to}); }
  /// Both directions between `name` and everybody.
  void isolate(const std::string& name) { isolated_.insert(name); }
  void end_cut(const std::string& from, const std::string& to) { cuts_.erase({from, to}); }
  void end_isolation(const std::string& name) { isolated_.erase(name); }
  /// Messages to and from `name` wait until resume(), as if the process were stopped.
  void pause(const std::string& name) { paused_[name]; }
  void resume(const std::string& name);
  /// Ends cuts, isolations and pauses; faults stay as set.
  void heal();

  const NetworkCounters& counters() const { return counters_; }

 private:
  friend class MemTransport;
  friend class MemChannel;
  friend class MemListener;
  struct Call {
    OneShot<Reply> reply;
    uint64_t life = 0;  // of the caller
    std::string from;
    Address to;
  };
  struct Message {
    std::string from, to;  // nodes
    uint64_t number = 0;   // in order of sending
    std::move_only_function<void()> deliver;
  };

  Task<Reply> call(std::string from, uint64_t life, Address to, Request request,
                   TimePoint deadline);
  void send_request(uint64_t id, const Request& request);
  void send(std::string from, std::string to, std::move_only_function<void()> deliver);
  void arrive(Message message);
  bool is_cut(const std::string& from, const std::string& to) const;
  void break_calls_to(const Address& address);
  std::shared_ptr<PeerLink> link(uint64_t caller, uint64_t listener);
  void lose_links(uint64_t life);
  void end_call(uint64_t id, Result<Reply> result);
  /// Ends the call after the link's delay with an error that no fault touches.
  void end_call_later(uint64_t id, Error error);
  const LinkFaults& faults(const std::string& from, const std::string& to) const;
  Duration draw_delay(const LinkFaults& faults);
  bool living(uint64_t life) const { return lives_.contains(life); }

  Clock& clock_;
  Rng rng_;
  LinkFaults default_faults_;
  std::map<std::pair<std::string, std::string>, LinkFaults> link_faults_;
  std::set<std::pair<std::string, std::string>> cuts_;
  std::set<std::string> isolated_;
  std::map<std::string, std::vector<Message>> paused_;
  std::map<std::pair<std::string, std::string>, uint64_t> last_delivered_;
  std::map<Address, class MemListener*> listeners_;
  /// By the lives of caller and listener.
  std::map<std::pair<uint64_t, uint64_t>, std::shared_ptr<PeerLink>> links_;
  std::map<uint64_t, std::string> lives_;  // of attached transports, to node names
  std::map<uint64_t, Call> calls_;
  std::set<TimerId> timers_;
  uint64_t next_life_ = 1, next_call_ = 1, next_message_ = 1;
  NetworkCounters counters_;
};

}  // namespace turbine::rpc
