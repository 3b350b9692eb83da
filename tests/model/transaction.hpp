// One transaction over two partitions: two-phase commit, where either partition may fail over, that
// is lose all but its log, at any step. An entry on its way into a log then stays or is lost.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "model/explorer.hpp"
#include "model/rules.hpp"

namespace turbine::model {

struct TransactionBounds {
  int coordinator_failovers = 2;
  int participant_failovers = 2;
  /// A client's retry goes on under the same id after a fail-over. Otherwise each start takes a
  /// fresh id, so that a coordinator that forgot a transaction never takes it up again.
  bool retry_joins = true;
};

enum class Verdict : uint8_t { none, commit, abort };

/// Messages are bits: once sent, one may be delivered at any later time, any number of times.
enum class Message : uint8_t {
  request,
  prepare,
  vote,
  finish_commit,
  finish_abort,
  known,  // the participant's answer to a finish
  question,
  outcome_commit,
  outcome_abort,
  count
};

struct CoordinatorState {
  Verdict record = Verdict::none;   // in the log: the decision, or the abort's tombstone
  Verdict logging = Verdict::none;  // a record on its way into the log
  uint8_t answer_owed = 0;          // memory: a question waits for the tombstone's commit
  uint8_t active = 0;               // memory: it waits for the vote, or for its decision
  uint8_t own_half = 0;             // applied, with the decision
  uint8_t replied = 0;              // in the log: the client's request was carried out
  uint8_t failovers = 0;
};

struct ParticipantState {
  uint8_t intent = 0;          // in the log
  uint8_t logging_intent = 0;  // on its way into the log
  Verdict logging_end = Verdict::none;
  uint8_t ended = 0;    // 1: an abort or nothing was ended, 2: a commit was
  uint8_t half = 0;     // how often its half was applied
  uint8_t refused = 0;  // an intent was ended by an abort
  uint8_t failovers = 0;
};

struct TransactionState {
  CoordinatorState coordinator;
  ParticipantState participant;
  uint8_t sent[static_cast<int>(Message::count)] = {};
  uint8_t told_client = 0;  // that the transaction is committed
};

enum class TransactionStep : uint8_t {
  start,
  give_up,
  take_vote,
  record_logged,
  finish,
  answer,
  forget_record,
  prepare,
  intent_logged,
  ask,
  take_verdict,
  end_logged,
  coordinator_fails_over,
  participant_fails_over,
  count
};

class TransactionModel {
 public:
  using State = TransactionState;
  using Step = TransactionStep;
  using Emit = std::function<void(const State&, Move<Step>, const char* violation)>;

  TransactionModel(TransactionBounds bounds, Rules rules) : bounds_(bounds), rules_(rules) {}
  State initial() const;
  void successors(const State& state, const Emit& emit) const;
  static std::string describe(Move<Step> move);

 private:
  bool without(Rule rule) const { return rules_.without(rule); }
  void coordinator(const State& state, const Emit& emit) const;
  void answer(const State& state, const Emit& emit) const;
  void record_logged(State& state) const;
  void participant(const State& state, const Emit& emit) const;
  void end_logged(State& state) const;
  void fail_over(const State& state, const Emit& emit) const;

  TransactionBounds bounds_;
  Rules rules_;
};

}  // namespace turbine::model
