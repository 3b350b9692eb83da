// HiddenDiscards: content that was gathered under a hidden inode and will not become an object.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "base/async.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/task.hpp"
#include "meta/partition_client.hpp"
#include "proto/meta.pb.h"

namespace turbine::fs {

/// Partitions free hidden inodes of a session when it ends, and a gateway's lasts for months. So
/// what a failed PUT leaves is asked for until its partition has answered. One reactor thread; in
/// the gateway's memory only.
class HiddenDiscards {
 public:
  struct Discard {
    PartitionId home{};
    InodeId hidden{};        // {}: the answer that named it was lost, `made_by` finds out
    TimePoint not_before{};  // until then a request that takes the content over may be executed
    RequestId made_by{};
    TimePoint made_at{};
    proto::AppendHiddenRequest made_with{};
  };

  HiddenDiscards(Clock& clock, meta::PartitionClient& partitions, SessionId session)
      : clock_(clock), partitions_(partitions), session_(session) {}

  /// `next_request`: makes the id of a request. Runs under `gate`.
  void add(Gate& gate, std::function<RequestId()> next_request, Discard discard);
  /// What is left goes with the session.
  void stop();
  size_t size() const { return waiting_.size(); }

 private:
  Task<> run(std::function<RequestId()> next_request);
  /// False: to be asked again.
  Task<bool> discard(Discard& what, RequestId request);

  Clock& clock_;
  meta::PartitionClient& partitions_;
  const SessionId session_;
  std::vector<Discard> waiting_;
  std::optional<OneShot<>> sleep_;
  bool running_ = false;
  bool stopped_ = false;
};

}  // namespace turbine::fs
