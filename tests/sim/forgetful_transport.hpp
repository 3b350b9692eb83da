// ForgetfulTransport: a planted mistake of gateways. Each try of a call on names has an id of its
// own, so that one that comes twice is executed twice.
#pragma once

#include <memory>
#include <utility>

#include "proto/rpc.pb.h"
#include "rpc/rpc.hpp"

namespace turbine::sim {

class ForgetfulTransport final : public rpc::Transport {
 public:
  explicit ForgetfulTransport(std::unique_ptr<rpc::Transport> inner) : inner_(std::move(inner)) {}

  std::shared_ptr<rpc::Channel> channel(const rpc::Address& address) override {
    return std::make_shared<Channel>(inner_->channel(address));
  }
  Result<std::unique_ptr<rpc::Listener>> listen(const rpc::Address& address,
                                                rpc::Handler handler) override {
    return inner_->listen(address, std::move(handler));
  }
  Task<> stop() override { return inner_->stop(); }

 private:
  class Channel final : public rpc::Channel {
   public:
    explicit Channel(std::shared_ptr<rpc::Channel> inner) : inner_(std::move(inner)) {}
    Task<rpc::Reply> call(rpc::Request request, TimePoint deadline) override {
      const bool on_names = request.type == proto::CREATE_FILE || request.type == proto::RENAME ||
                            request.type == proto::LINK_FILE;
      if (on_names) request.id.sequence ^= ++tries_ << 40U;
      return inner_->call(std::move(request), deadline);
    }
    const rpc::Address& address() const override { return inner_->address(); }

   private:
    std::shared_ptr<rpc::Channel> inner_;
    uint64_t tries_ = 0;
  };

  std::unique_ptr<rpc::Transport> inner_;
};

}  // namespace turbine::sim
