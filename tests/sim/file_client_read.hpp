// FileClient::read: asking gateways until one answers.
#pragma once

#include "sim/file_client.hpp"

namespace turbine::sim {

/// What NFS clients see as "later".
bool may_ask_again(Errc code);

template <class T>
Task<T> FileClient::read(std::function<Task<T>(GatewayProcess&)> ask, std::string what) {
  const int tries_max = calm_ ? 100 : 4;
  Error error{Errc::unavailable, "no gateway runs"};
  for (int tries = 0; tries < tries_max; ++tries) {
    if (tries > 0) CO_TRY(co_await pause(1 + static_cast<int>(rng_.below(200))));
    if (!take_gateway()) continue;
    auto answer = co_await ask(*gateway_);
    array_.trace.note("files {}: {} by {} -> {}", number_, what, gateway_->name,
                      answer.ok() ? "done" : answer.error().text());
    if (answer.ok() && !gateway_->dead) co_return answer;
    if (!answer.ok()) error = answer.error();
    if (!gateway_->dead && !may_ask_again(error.code)) co_return fail(std::move(error));
  }
  if (calm_) complain("{}: {}", what, error.text());
  co_return fail(Errc::unavailable, "{}", error.context);
}

}  // namespace turbine::sim
