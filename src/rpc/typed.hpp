// Typed calls: protobuf bodies on top of Channel and Handler.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "rpc/rpc.hpp"

namespace turbine::rpc {

/// A protobuf body with its raw payload.
template <class Body>
struct With {
  Body body;
  Buffer payload;
};

struct CallOptions {
  TimePoint deadline{};
  RequestId id{};
  uint32_t age_ms = 0;
  Epoch epoch{};
};

/// auto reply = CO_TRY(co_await call<GetMapReply>(channel, type, request, {}, {.deadline = …}));
template <class ReplyBody, class RequestBody>
Task<With<ReplyBody>> call(std::shared_ptr<Channel> channel, int type, RequestBody body,
                           Buffer payload, CallOptions options) {
  Request request;
  request.type = static_cast<uint16_t>(type);
  request.id = options.id;
  request.age_ms = options.age_ms;
  request.epoch = options.epoch;
  request.body = body.SerializeAsString();
  request.payload = std::move(payload);
  Reply reply = CO_TRY(co_await channel->call(std::move(request), options.deadline));
  With<ReplyBody> result;
  if (!result.body.ParseFromString(reply.body)) {
    co_return fail(Errc::corrupt, "reply of type {} from {} does not parse", type,
                   channel->address());
  }
  result.payload = std::move(reply.payload);
  co_return result;
}

/// What a typed handler sees of the message besides its body.
struct CallInfo {
  RequestId id{};
  uint32_t age_ms = 0;
  Epoch epoch{};
  Buffer payload;
  std::shared_ptr<PeerLink> link;
};

/// Handlers by message type; one table per listener.
class Dispatcher {
 public:
  template <class RequestBody, class ReplyBody>
  void on(int type, std::function<Task<With<ReplyBody>>(RequestBody, CallInfo)> handler) {
    handlers_[static_cast<uint16_t>(type)] =
        [handler = std::move(handler)](Request request) -> Task<Reply> {
      return serve<RequestBody, ReplyBody>(handler, std::move(request));
    };
  }
  /// Errc::unsupported for a type nobody handles.
  Task<Reply> dispatch(Request request) const {
    const auto found = handlers_.find(request.type);
    if (found == handlers_.end()) return refuse(request.type);
    return found->second(std::move(request));
  }

 private:
  template <class RequestBody, class ReplyBody>
  static Task<Reply> serve(
      const std::function<Task<With<ReplyBody>>(RequestBody, CallInfo)>& handler, Request request) {
    RequestBody body;
    if (!body.ParseFromString(request.body)) {
      co_return fail(Errc::invalid, "request of type {} does not parse", request.type);
    }
    CallInfo info{request.id, request.age_ms, request.epoch, std::move(request.payload),
                  std::move(request.link)};
    With<ReplyBody> result = CO_TRY(co_await handler(std::move(body), std::move(info)));
    co_return Reply{result.body.SerializeAsString(), std::move(result.payload)};
  }
  static Task<Reply> refuse(uint16_t type) {
    co_return fail(Errc::unsupported, "message type {} is not implemented here", type);
  }
  std::unordered_map<uint16_t, Handler> handlers_;
};

}  // namespace turbine::rpc
