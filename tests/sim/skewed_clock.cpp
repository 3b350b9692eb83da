#include "sim/skewed_clock.hpp"

namespace turbine::sim {
namespace {

constexpr int64_t kPartsPerMillion = 1'000'000;

class SkewedChannel final : public rpc::Channel {
 public:
  SkewedChannel(std::shared_ptr<rpc::Channel> inner, const SkewedClock& clock)
      : inner_(std::move(inner)), clock_(clock) {}
  Task<rpc::Reply> call(rpc::Request request, TimePoint deadline) override {
    return inner_->call(std::move(request), clock_.base_time(deadline));
  }
  const rpc::Address& address() const override { return inner_->address(); }

 private:
  std::shared_ptr<rpc::Channel> inner_;
  const SkewedClock& clock_;
};

class SkewedTransport final : public rpc::Transport {
 public:
  SkewedTransport(std::unique_ptr<rpc::Transport> inner, const SkewedClock& clock)
      : inner_(std::move(inner)), clock_(clock) {}
  std::shared_ptr<rpc::Channel> channel(const rpc::Address& address) override {
    if (auto known = channels_[address].lock()) return known;
    auto made = std::make_shared<SkewedChannel>(inner_->channel(address), clock_);
    channels_[address] = made;
    return made;
  }
  Result<std::unique_ptr<rpc::Listener>> listen(const rpc::Address& address,
                                                rpc::Handler handler) override {
    return inner_->listen(address, std::move(handler));
  }
  Task<> stop() override { return inner_->stop(); }

 private:
  std::unique_ptr<rpc::Transport> inner_;
  const SkewedClock& clock_;
  std::map<rpc::Address, std::weak_ptr<SkewedChannel>> channels_;
};

}  // namespace

TimePoint SkewedClock::now() const {
  const int64_t base = base_.now().time_since_epoch().count();
  return TimePoint(
      Duration(base / kPartsPerMillion * (kPartsPerMillion + ppm_) +
               base % kPartsPerMillion * (kPartsPerMillion + ppm_) / kPartsPerMillion));
}

TimePoint SkewedClock::base_time(TimePoint at) const {
  const int64_t rate = kPartsPerMillion + ppm_;
  const int64_t wanted = at.time_since_epoch().count();
  if (wanted / rate >= Duration::max().count() / kPartsPerMillion) return TimePoint::max();
  return TimePoint(Duration(wanted / rate * kPartsPerMillion +
                            (wanted % rate * kPartsPerMillion + rate - 1) / rate));
}

std::unique_ptr<rpc::Transport> make_skewed_transport(std::unique_ptr<rpc::Transport> inner,
                                                      const SkewedClock& clock) {
  return std::make_unique<SkewedTransport>(std::move(inner), clock);
}

}  // namespace turbine::sim
