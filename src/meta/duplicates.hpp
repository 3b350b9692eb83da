// Duplicates: which requests run, and what was answered without an entry in the log.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/async.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"

namespace turbine::meta {

/// The answer of a mutation, as a later copy of the request gets it.
struct Outcome {
  std::optional<Error> error;
  std::string reply;  // serialised, when there is no error
};

/// Answers that are in the log have a replay record. Those that changed nothing (a DELETE of no
/// object, a failed condition) have none, and a copy of the request that comes late would do today
/// what it did not do when the client got its answer. They are remembered in memory: no message
/// outlives the process that it was sent to.
class Duplicates {
 public:
  /// `kept`: longer than a message can be on its way.
  Duplicates(Clock& clock, Duration kept) : clock_(clock), kept_(kept) {}

  /// A request that runs; a copy waits for `ended` and takes `outcome`, or, where there is none,
  /// what the log says of it.
  struct Running {
    explicit Running(Executor executor) : ended(executor) {}
    Event ended;
    std::optional<Outcome> outcome;
  };
  std::shared_ptr<Running> running(RequestId id) const;
  void begin(RequestId id);
  /// The log has the answer, or nobody needs it.
  void end(RequestId id);
  /// `remember`: for the copies to come, as well as for those that wait.
  void end(RequestId id, Outcome outcome, bool remember);

  /// The remembered outcome; null when there is none.
  const Outcome* answered(RequestId id) const;

 private:
  std::shared_ptr<Running> take(RequestId id);
  void forget_old(TimePoint now);

  Clock& clock_;
  const Duration kept_;
  std::map<RequestId, std::shared_ptr<Running>> running_;
  std::map<RequestId, Outcome> answered_;
  std::deque<std::pair<TimePoint, RequestId>> order_;
};

}  // namespace turbine::meta
