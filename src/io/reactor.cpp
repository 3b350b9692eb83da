#include "io/reactor.hpp"

namespace turbine::io {

Reactor::Reactor(size_t pool_threads_max)
    : clock_(make_system_clock(context_.get_executor())),
      pool_(context_.get_executor(), pool_threads_max) {}

Reactor::~Reactor() = default;

void Reactor::run() {
  context_.restart();
  const auto work = asio::make_work_guard(context_);
  context_.run();
}

void Reactor::stop() {
  context_.stop();
}

void Reactor::on_signal(std::initializer_list<int> signals,
                        std::move_only_function<void(int)> callback) {
  auto& hook = signal_hooks_.emplace_back(executor(), std::move(callback));
  for (const int signal : signals) hook.signals.add(signal);
  wait_for_signal(hook);
}

void Reactor::wait_for_signal(SignalHook& hook) {
  hook.signals.async_wait([this, &hook](const boost::system::error_code& error, int signal) {
    if (error) return;
    wait_for_signal(hook);
    hook.callback(signal);
  });
}

}  // namespace turbine::io
