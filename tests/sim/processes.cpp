#include "sim/processes.hpp"

#include "sim/forgetful_transport.hpp"

namespace turbine::sim {
namespace {

constexpr auto kStoreWrite = std::chrono::microseconds(200);
constexpr auto kStoreFlush = std::chrono::microseconds(300);

}  // namespace

Task<uint64_t> SimStore::run(std::shared_ptr<State> state,
                             std::vector<cluster::StoreCompare> compares,
                             std::vector<cluster::StorePut> puts) {
  CO_TRY(co_await state->clock.sleep_for(kStoreWrite));
  if (!state->alive) co_return fail(Errc::io, "the manager has died");
  auto revision = co_await state->disk.txn(std::move(compares), std::move(puts));
  CO_TRY(co_await state->clock.sleep_for(kStoreFlush));
  if (!state->alive) co_return fail(Errc::io, "the manager has died");
  co_return revision;
}

BladeProcess::BladeProcess(io::SimClock& clock_in, rpc::MemNetwork& network,
                           const std::string& name, io::SimDisk& disk, kv::MemKvDisk& kv_disk,
                           uint64_t seed, int32_t clock_ppm, bladed::BladeOptions options,
                           std::function<void(Error)> fatal)
    : rng(seed),
      clock(clock_in, clock_ppm),
      device(disk, clock_in),
      kv(kv::open_mem_kv(clock_in, kv_disk)),
      transport(make_skewed_transport(network.attach(name), clock)),
      blade(bladed::BladeSeams{.clock = clock,
                               .rng = rng,
                               .device = options.skip_flush_for_test
                                             ? static_cast<io::Device&>(credulous)
                                             : static_cast<io::Device&>(device),
                               .kv = *kv,
                               .transport = *transport,
                               .fatal = std::move(fatal)},
            options),
      start_ended(clock.executor()) {}

ManagerProcess::ManagerProcess(io::SimClock& clock, rpc::MemNetwork& network,
                               cluster::MemStore& disk, cluster::ManagerOptions options)
    : store(clock, disk),
      transport(network.attach("manager")),
      manager(store, clock, std::move(options)),
      start_ended(clock.executor()) {}

Task<> ManagerProcess::start() {
  CO_TRY(co_await manager.start());
  manager.serve(dispatcher);
  listener = CO_TRY(transport->listen(kManagerAddress, [this](rpc::Request request) {
    return dispatcher.dispatch(std::move(request));
  }));
  co_return Result<>{};
}

Task<> ManagerProcess::stop() {
  CO_TRY(co_await manager.stop());
  if (listener) CO_TRY(co_await listener->stop());
  co_return co_await transport->stop();
}

namespace {

std::unique_ptr<rpc::Transport> attach_gateway(rpc::MemNetwork& network, const std::string& name,
                                               bool forget_ids) {
  auto transport = network.attach(name);
  if (!forget_ids) return transport;
  return std::make_unique<ForgetfulTransport>(std::move(transport));
}

}  // namespace

GatewayProcess::GatewayProcess(io::SimClock& clock_in, rpc::MemNetwork& network,
                               const std::string& name_in, uint64_t seed, bool forget_ids)
    : clock(clock_in),
      rng(seed),
      name(name_in),
      transport(attach_gateway(network, name_in, forget_ids)),
      map_client(*transport, clock, map, {.manager = kManagerAddress}),
      start_ended(clock.executor()) {}

Task<> GatewayProcess::start(fs::FileSystemOptions options) {
  proto::RegisterGatewayRequest request;
  request.set_name(name);
  request.set_address("mem:" + name);
  const auto reply = CO_TRY(co_await map_client.register_gateway(std::move(request)));
  map_client.start();
  CO_TRY(co_await map_client.wait_for_plan(clock.now() + std::chrono::seconds(60)));
  files = fs::make_file_system(clock, Rng(rng.next()), *transport, map, SessionId(reply.session()),
                               options);
  co_return co_await files->start();
}

Task<> GatewayProcess::stop() {
  if (files) CO_TRY(co_await files->stop());
  CO_TRY(co_await map_client.stop());
  co_return co_await transport->stop();
}

}  // namespace turbine::sim
