#include "rpc/mem_transport.hpp"

#include "base/log.hpp"

namespace turbine::rpc {

namespace {

constexpr size_t kFrameBytesMax = size_t{8} << 20;
constexpr uint64_t kMillion = 1'000'000;

}  // namespace

class MemListener final : public Listener {
 public:
  MemListener(MemNetwork& network, std::string node, uint64_t life, Address address,
              Handler handler)
      : network_(network),
        node_(std::move(node)),
        life_(life),
        address_(std::move(address)),
        handler_(std::move(handler)),
        gate_(network.clock_.executor()) {}
  ~MemListener() override { forget(); }

  const Address& address() const override { return address_; }
  Task<> stop() override {
    // After a kill the address may be another process's already.
    if (forget()) network_.break_calls_to(address_);
    co_return co_await gate_.close();
  }
  const std::string& node() const { return node_; }
  uint64_t life() const { return life_; }
  void take(uint64_t call, Request request) {
    gate_.spawn("request", serve(call, std::move(request)));
  }
  bool forget() {
    const auto found = network_.listeners_.find(address_);
    if (found == network_.listeners_.end() || found->second != this) return false;
    network_.listeners_.erase(found);
    return true;
  }

 private:
  Task<> serve(uint64_t call, Request request) {
    Result<Reply> reply = co_await handler_(std::move(request));
    const auto found = network_.calls_.find(call);
    if (found == network_.calls_.end() || !network_.living(life_)) co_return Result<>{};
    MemNetwork& network = network_;
    network.send(node_, found->second.from, [&network, call, reply = std::move(reply)]() mutable {
      network.end_call(call, std::move(reply));
    });
    co_return Result<>{};
  }

  MemNetwork& network_;
  const std::string node_;
  const uint64_t life_;
  const Address address_;
  const Handler handler_;
  Gate gate_;
};

class MemChannel final : public Channel {
 public:
  MemChannel(MemNetwork& network, std::string node, uint64_t life, Address address)
      : network_(network), node_(std::move(node)), life_(life), address_(std::move(address)) {}
  Task<Reply> call(Request request, TimePoint deadline) override {
    return network_.call(node_, life_, address_, std::move(request), deadline);
  }
  const Address& address() const override { return address_; }

 private:
  MemNetwork& network_;
  const std::string node_;
  const uint64_t life_;
  const Address address_;
};

class MemTransport final : public Transport {
 public:
  MemTransport(MemNetwork& network, std::string node, uint64_t life)
      : network_(network), node_(std::move(node)), life_(life) {}
  ~MemTransport() override { leave(); }

  std::shared_ptr<Channel> channel(const Address& address) override {
    if (auto known = channels_[address].lock()) return known;
    auto made = std::make_shared<MemChannel>(network_, node_, life_, address);
    channels_[address] = made;
    return made;
  }
  Result<std::unique_ptr<Listener>> listen(const Address& address, Handler handler) override {
    if (!address.starts_with("mem:")) {
      return fail(Errc::invalid, "{}: an in-memory address starts with mem:", address);
    }
    if (network_.listeners_.contains(address)) {
      return fail(Errc::exists, "{} is in use by node {}", address,
                  network_.listeners_[address]->node());
    }
    auto made = std::make_unique<MemListener>(network_, node_, life_, address, std::move(handler));
    network_.listeners_[address] = made.get();
    return made;
  }
  Task<> stop() override {
    leave();
    co_return Result<>{};
  }

 private:
  void leave() {
    network_.lives_.erase(life_);
    network_.lose_links(life_);
    for (const auto& [id, call] : network_.calls_) {
      if (call.life == life_) {
        network_.end_call(id, fail(Errc::closed, "node {} is stopping", node_));
      }
    }
  }
  MemNetwork& network_;
  const std::string node_;
  const uint64_t life_;
  std::map<Address, std::weak_ptr<MemChannel>> channels_;
};

// --- network ---------------------------------------------------------------------------------

MemNetwork::~MemNetwork() {
  for (const TimerId timer : timers_) clock_.cancel(timer);
}

std::unique_ptr<Transport> MemNetwork::attach(std::string name) {
  const uint64_t life = next_life_++;
  lives_.emplace(life, name);
  return std::make_unique<MemTransport>(*this, std::move(name), life);
}

void MemNetwork::kill(const std::string& name) {
  std::set<Address> dead_addresses;
  for (const auto& [address, listener] : listeners_) {
    if (listener->node() == name) dead_addresses.insert(address);
  }
  for (const Address& address : dead_addresses) listeners_.erase(address);
  std::vector<uint64_t> ended;
  for (const auto& [life, node] : lives_) {
    if (node == name) ended.push_back(life);
  }
  for (const uint64_t life : ended) {
    lives_.erase(life);
    lose_links(life);
  }
  paused_.erase(name);
  for (const auto& [id, call] : calls_) {
    if (call.from == name) end_call(id, fail(Errc::closed, "node {} was killed", name));
  }
  for (const Address& address : dead_addresses) break_calls_to(address);
}

std::shared_ptr<PeerLink> MemNetwork::link(uint64_t caller, uint64_t listener) {
  auto& found = links_[{caller, listener}];
  if (!found) found = std::make_shared<PeerLink>();
  return found;
}

void MemNetwork::lose_links(uint64_t life) {
  std::vector<std::shared_ptr<PeerLink>> lost;
  for (const auto& [ends, link] : links_) {
    if (ends.first == life || ends.second == life) lost.push_back(link);
  }
  std::erase_if(links_, [life](const auto& entry) {
    return entry.first.first == life || entry.first.second == life;
  });
  for (const auto& link : lost) link->lose();
}

void MemNetwork::break_calls_to(const Address& address) {
  for (const auto& [id, call] : calls_) {
    if (call.to != address) continue;
    ++counters_.killed_calls;
    end_call_later(
        id, {Errc::timeout, fmt::format("{}: connection lost; the outcome is not known", address)});
  }
}

void MemNetwork::resume(const std::string& name) {
  auto node = paused_.extract(name);
  if (node.empty()) return;
  for (Message& message : node.mapped()) arrive(std::move(message));
}

void MemNetwork::heal() {
  cuts_.clear();
  isolated_.clear();
  std::vector<std::string> names;
  for (const auto& [name, messages] : paused_) names.push_back(name);
  for (const std::string& name : names) resume(name);
}

bool MemNetwork::is_cut(const std::string& from, const std::string& to) const {
  return isolated_.contains(from) || isolated_.contains(to) || cuts_.contains({from, to});
}

const LinkFaults& MemNetwork::faults(const std::string& from, const std::string& to) const {
  const auto found = link_faults_.find({from, to});
  return found == link_faults_.end() ? default_faults_ : found->second;
}

Duration MemNetwork::draw_delay(const LinkFaults& faults) {
  if (faults.delay_max <= faults.delay_min) return faults.delay_min;
  const auto span = static_cast<uint64_t>((faults.delay_max - faults.delay_min).count());
  const Duration extra(static_cast<int64_t>(rng_.below(span + 1)));
  if (extra > Duration(0)) ++counters_.delayed;
  return faults.delay_min + extra;
}

Task<Reply> MemNetwork::call(std::string from, uint64_t life, Address to, Request request,
                             TimePoint deadline) {
  if (!living(life)) co_return fail(Errc::closed, "node {} is stopping", from);
  if (clock_.now() >= deadline) {
    co_return fail(Errc::unavailable, "{}: not sent: deadline passed", to);
  }
  if (request.body.size() + request.payload.size() > kFrameBytesMax) {
    co_return fail(Errc::too_large, "request of {} + {} bytes is larger than a frame",
                   request.body.size(), request.payload.size());
  }
  const uint64_t id = next_call_++;
  OneShot<Reply> reply(clock_.executor());
  calls_.emplace(id, Call{reply, life, from, to});
  send_request(id, request);
  Result<Reply> result = co_await reply.wait_until(clock_, deadline);
  calls_.erase(id);
  if (result.failed_with(Errc::timeout) && result.error().context == "deadline passed") {
    result = fail(Errc::timeout, "{}: no answer before the deadline; the outcome is not known", to);
  }
  co_return result;
}

void MemNetwork::send_request(uint64_t id, const Request& request) {
  const Call& call = calls_.find(id)->second;
  const auto target = listeners_.find(call.to);
  if (target == listeners_.end()) {
    end_call_later(id, {Errc::unavailable, fmt::format("{}: nobody listens there", call.to)});
    return;
  }
  const std::string node = target->second->node();
  if (is_cut(call.from, node)) {
    ++counters_.cut;
    // Half of the time there was no connection yet, and its set-up fails.
    if (rng_.chance(1, 2)) {
      end_call_later(id, {Errc::unavailable, fmt::format("{}: can't connect", call.to)});
    }
    return;
  }
  const LinkFaults& link = faults(call.from, node);
  const bool twice = rng_.chance(link.duplicate_per_million, kMillion);
  if (twice) ++counters_.duplicated;
  const uint64_t life = target->second->life();
  for (int copy = 0; copy < (twice ? 2 : 1); ++copy) {
    send(call.from, node, [this, id, life, address = call.to, request = request]() mutable {
      const auto listener = listeners_.find(address);
      // The connection was to the process that lived when the call was made.
      if (listener == listeners_.end() || listener->second->life() != life) return;
      const auto call = calls_.find(id);
      if (call != calls_.end()) request.link = this->link(call->second.life, life);
      listener->second->take(id, std::move(request));
    });
  }
}

void MemNetwork::send(std::string from, std::string to, std::move_only_function<void()> deliver) {
  const LinkFaults& link = faults(from, to);
  if (is_cut(from, to)) {
    ++counters_.cut;
    return;
  }
  if (rng_.chance(link.loss_per_million, kMillion)) {
    ++counters_.lost;
    return;
  }
  const TimePoint at = clock_.now() + draw_delay(link);
  auto message = std::make_shared<Message>(
      Message{std::move(from), std::move(to), next_message_++, std::move(deliver)});
  auto timer = std::make_shared<TimerId>();
  *timer = clock_.call_at(at, [this, message, timer] {
    timers_.erase(*timer);
    arrive(std::move(*message));
  });
  timers_.insert(*timer);
}

void MemNetwork::arrive(Message message) {
  if (is_cut(message.from, message.to)) {
    ++counters_.cut;
    return;
  }
  for (const std::string* name : {&message.from, &message.to}) {
    if (const auto held = paused_.find(*name); held != paused_.end()) {
      ++counters_.held;
      held->second.push_back(std::move(message));
      return;
    }
  }
  uint64_t& last = last_delivered_[{message.from, message.to}];
  if (message.number < last) ++counters_.reordered;
  last = std::max(last, message.number);
  ++counters_.delivered;
  message.deliver();
}

void MemNetwork::end_call(uint64_t id, Result<Reply> result) {
  const auto found = calls_.find(id);
  if (found != calls_.end()) found->second.reply.set(std::move(result));
}

void MemNetwork::end_call_later(uint64_t id, Error error) {
  auto timer = std::make_shared<TimerId>();
  const TimePoint at = clock_.now() + draw_delay(default_faults_);
  *timer = clock_.call_at(at, [this, id, timer, error = std::move(error)]() mutable {
    timers_.erase(*timer);
    end_call(id, fail(std::move(error)));
  });
  timers_.insert(*timer);
}

}  // namespace turbine::rpc
