// A manager in one thread under a virtual clock, and blades and gateways as it sees them.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "cluster/manager.hpp"
#include "cluster/map_client.hpp"
#include "io/sim_clock.hpp"
#include "rpc/mem_transport.hpp"

namespace turbine::cluster {

/// A blade or gateway as the manager sees it.
struct Peer {
  std::unique_ptr<rpc::Transport> transport;
  MapHolder holder;
  std::unique_ptr<MapClient> client;
  proto::BladeHeartbeatRequest report;
};

class ManagerTest : public testing::Test {
 protected:
  ManagerTest() {
    options_.expected_blades = 3;
    options_.partition_count = 16;
  }
  void SetUp() override { start_manager(); }
  void TearDown() override {
    for (auto& [name, peer] : peers_) EXPECT_TRUE(clock_.run(peer.client->stop()).ok());
    stop_manager();
    for (auto& [name, peer] : peers_) EXPECT_TRUE(clock_.run(peer.transport->stop()).ok());
    peers_.clear();
  }

  void start_manager() {
    options_.random = [this] { return rng_.next(); };
    manager_ = std::make_unique<Manager>(store_, clock_, options_);
    ASSERT_TRUE(clock_.run(manager_->start()).ok());
    dispatcher_ = std::make_unique<rpc::Dispatcher>();
    manager_->serve(*dispatcher_);
    transport_ = network_.attach("manager");
    listener_ = transport_
                    ->listen("mem:manager",
                             [this](rpc::Request request) {
                               return dispatcher_->dispatch(std::move(request));
                             })
                    .value();
  }
  void stop_manager() {
    EXPECT_TRUE(clock_.run(manager_->stop()).ok());
    EXPECT_TRUE(clock_.run(listener_->stop()).ok());
    EXPECT_TRUE(clock_.run(transport_->stop()).ok());
    listener_.reset();
    manager_.reset();
  }

  Peer& peer(const std::string& name) {
    Peer& made = peers_[name];
    made.transport = network_.attach(name);
    made.client = std::make_unique<MapClient>(*made.transport, clock_, made.holder,
                                              MapClientOptions{.manager = "mem:manager"});
    made.client->report_with([&made] { return made.report; });
    return made;
  }
  static proto::RegisterBladeRequest blade_request(uint64_t incarnation, uint32_t id = 0,
                                                   std::string array = "") {
    proto::RegisterBladeRequest request;
    request.set_incarnation(incarnation);
    request.set_address(fmt::format("mem:blade-{}", incarnation));
    request.set_blade_id(id);
    request.set_array_id(std::move(array));
    return request;
  }
  Peer& blade(int number) {
    Peer& made = peer(fmt::format("blade-{}", number));
    auto reply =
        clock_.run(made.client->register_blade(blade_request(static_cast<uint64_t>(number))));
    EXPECT_TRUE(reply.ok()) << reply.error().text();
    EXPECT_EQ(reply->blade_id(), static_cast<uint32_t>(number));
    made.client->start();
    return made;
  }
  Peer& gateway() {
    Peer& made = peer("gateway-1");
    proto::RegisterGatewayRequest request;
    request.set_name("gateway-1");
    request.set_address("mem:gateway-1");
    EXPECT_TRUE(clock_.run(made.client->register_gateway(std::move(request))).ok());
    made.client->start();
    return made;
  }
  proto::BladeState state(uint32_t id) { return manager_->map()->blade(BladeId(id))->state(); }
  std::string array_id() { return manager_->map()->record().array_id(); }
  void kill(const std::string& name) {
    network_.kill(name);
    EXPECT_TRUE(clock_.run(peers_[name].client->stop()).ok());
  }

  io::SimClock clock_;
  Rng rng_{11};
  rpc::MemNetwork network_{clock_, Rng(5)};
  MemStore store_;
  ManagerOptions options_;  // of the next start_manager()
  std::unique_ptr<Manager> manager_;
  std::unique_ptr<rpc::Dispatcher> dispatcher_;
  std::unique_ptr<rpc::Transport> transport_;
  std::unique_ptr<rpc::Listener> listener_;
  std::map<std::string, Peer> peers_;
};

}  // namespace turbine::cluster
