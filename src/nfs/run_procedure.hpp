// From a typed procedure to a row of a program's table.
#pragma once

#include "nfs/procedure.hpp"

namespace turbine::nfs {

/// Queues the reply to `call`.
template <class Outcome>
void reply(const RpcCall& call, AcceptStat stat, const Outcome& outcome) {
  XdrWriter writer(call.sink->replies());
  writer.begin_record();
  write_accepted(writer, call.header.xid, stat);
  outcome.xdr(writer);
  writer.end_record();
  call.sink->replied(call);
}
struct NoResult {
  void xdr(auto&) const {}
};

namespace run_detail {

template <class Outcome>
void count(const Environment& env, const RpcCall& call, const NfsResult<Outcome>& outcome) {
  CallCounters& counters = *call.counters;
  bool failed = !outcome.has_value();
  if constexpr (requires { outcome->status; }) {
    failed = failed || static_cast<uint32_t>(outcome->status) != 0;
  }
  if constexpr (requires { outcome->count; }) {
    if (!failed) counters.bytes += outcome->count;
  }
  ++counters.count;
  if (failed) ++counters.errors;
  counters.latency.add(env.clock.now() - call.received);
}

template <auto kHandler>
struct Run;

template <class Args, class Outcome, NfsTask<Outcome> (*kHandler)(Request, Args)>
struct Run<kHandler> {
  static Task<> run(Environment& env, RpcCall call) {
    Args args;
    XdrReader reader(call.record.head, &call.record.payload, call.arguments_at);
    reader(args);
    if (!reader.finished()) {
      count<Outcome>(env, call, nfs_fail(Nfsstat3::inval));
      reply(call, AcceptStat::garbage_args, NoResult{});
      co_return Result<>{};
    }
    auto outcome = co_await kHandler(Request{env, call}, std::move(args));
    count(env, call, outcome);
    if (outcome.has_value()) {
      reply(call, AcceptStat::success, *outcome);
    } else if constexpr (requires(Outcome failed) { failed.status = Nfsstat3::io; }) {
      if (outcome.error().outcome_unknown) {
        // After JUKEBOX clients ask under another xid, which would be another call.
        ReplySink& sink = *call.sink;
        sink.dropped(call);
        sink.hang_up();
        co_return Result<>{};
      }
      Outcome failed;
      failed.status = outcome.error().status;
      reply(call, AcceptStat::success, failed);
    } else if (outcome.error().status == Nfsstat3::jukebox) {
      call.sink->dropped(call);
    } else {
      reply(call, AcceptStat::system_err, NoResult{});
    }
    co_return Result<>{};
  }
};

}  // namespace run_detail

/// A row's `run`: decodes what `kHandler` takes, calls it and answers with what it gives. An error
/// becomes a result of its status, or SYSTEM_ERR where results have none. Results without a status
/// have no word for "later" either: then there is no reply, and the client asks again.
template <auto kHandler>
inline constexpr auto kRun = &run_detail::Run<kHandler>::run;

}  // namespace turbine::nfs
