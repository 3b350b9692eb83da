// One question of a primary to another blade.
#pragma once

#include <utility>

#include "replica/options.hpp"

namespace turbine::replica {

/// The seams outlive the call.
template <class Reply, class Request>
Task<Reply> ask(const Seams& seams, BladeId blade, int type, Request request, Duration patience) {
  rpc::Request message;
  message.type = static_cast<uint16_t>(type);
  message.body = request.SerializeAsString();
  const rpc::Reply answer =
      CO_TRY(co_await seams.call(blade, std::move(message), seams.clock.now() + patience));
  Reply reply;
  if (!reply.ParseFromString(answer.body)) {
    co_return fail(Errc::corrupt, "the answer of blade {} to message {} does not parse", blade,
                   type);
  }
  co_return reply;
}

}  // namespace turbine::replica
