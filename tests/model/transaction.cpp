#include "model/transaction.hpp"

namespace turbine::model {
namespace {

using State = TransactionState;
using Step = TransactionStep;

bool sent(const State& state, Message message) {
  return state.sent[static_cast<int>(message)] != 0;
}
void send(State& state, Message message) {
  state.sent[static_cast<int>(message)] = 1;
}

const char* broken_invariant(const State& state) {
  const CoordinatorState& coordinator = state.coordinator;
  const ParticipantState& participant = state.participant;
  if (participant.half > 1) return "a half is applied twice";
  if (participant.half > 0 && !coordinator.own_half)
    return "only the participant's half is applied";
  // `ended` without a half: nothing will apply it any more.
  if (coordinator.own_half && participant.half == 0 && (participant.refused || participant.ended)) {
    return "only the coordinator's half is applied";
  }
  if (state.told_client && !coordinator.own_half)
    return "a client was told of a commit that is not";
  return nullptr;
}

void go(const State& next, Step step, const TransactionModel::Emit& emit, Verdict verdict = {}) {
  emit(next, {step, static_cast<uint8_t>(verdict), 0}, broken_invariant(next));
}

}  // namespace

State TransactionModel::initial() const {
  State state;
  send(state, Message::request);
  return state;
}

void TransactionModel::successors(const State& state, const Emit& emit) const {
  coordinator(state, emit);
  answer(state, emit);
  participant(state, emit);
  fail_over(state, emit);
}

void TransactionModel::coordinator(const State& state, const Emit& emit) const {
  const CoordinatorState& self = state.coordinator;
  const bool free = self.logging == Verdict::none;
  const bool may_start = bounds_.retry_joins || self.failovers == 0;
  const bool recorded = self.record != Verdict::none && !without(Rule::record_blocks_decision);
  if (!self.active && free && may_start && !self.replied && !recorded) {
    // A coordinator that gave up under one id takes a fresh one, too.
    if (bounds_.retry_joins || !sent(state, Message::prepare)) {
      State next = state;
      next.coordinator.active = 1;
      send(next, Message::prepare);
      go(next, Step::start, emit);
    }
  }
  if (self.active && free) {
    State next = state;
    next.coordinator.active = 0;
    if (bounds_.retry_joins && !without(Rule::abort_tombstone)) {
      next.coordinator.logging = Verdict::abort;  // told when it is committed
    } else {
      send(next, Message::finish_abort);
    }
    go(next, Step::give_up, emit);
  }
  if (self.active && free && sent(state, Message::vote) && !recorded) {
    State next = state;
    next.coordinator.logging = Verdict::commit;
    if (without(Rule::decision_committed_first)) {
      send(next, Message::finish_commit);
      next.told_client = 1;
    }
    go(next, Step::take_vote, emit);
  }
  if (!free) {
    State next = state;
    record_logged(next);
    go(next, Step::record_logged, emit, self.logging);
  }
  if (self.record == Verdict::commit && !sent(state, Message::finish_commit)) {
    State next = state;
    send(next, Message::finish_commit);
    go(next, Step::finish, emit);
  }
  const bool known = sent(state, Message::known) || without(Rule::decision_kept_until_known);
  if (self.record == Verdict::commit && free && known) {
    State next = state;
    next.coordinator.record = Verdict::none;
    go(next, Step::forget_record, emit);
  }
}

void TransactionModel::record_logged(State& state) const {
  CoordinatorState& self = state.coordinator;
  const Verdict verdict = self.logging;
  self.logging = Verdict::none;
  self.record = verdict;
  if (verdict == Verdict::commit) {
    self.own_half = self.replied = 1;
    self.active = 0;
    state.told_client = 1;
  } else if (self.answer_owed) {
    send(state, Message::outcome_abort);
    self.answer_owed = 0;
  } else {
    send(state, Message::finish_abort);
  }
}

// A participant in doubt asks. No record means abort, and the tombstone keeps it so.
void TransactionModel::answer(const State& state, const Emit& emit) const {
  const CoordinatorState& self = state.coordinator;
  if (!sent(state, Message::question)) return;
  State next = state;
  if (self.record != Verdict::none) {
    send(next, self.record == Verdict::commit ? Message::outcome_commit : Message::outcome_abort);
    go(next, Step::answer, emit, self.record);
    return;
  }
  const bool busy = self.active || self.logging != Verdict::none;
  if (busy && !without(Rule::outcome_waits_for_decision)) return;
  // Behind a record on its way a tombstone would come too late to count.
  if (self.logging != Verdict::none || without(Rule::outcome_tombstone)) {
    send(next, Message::outcome_abort);
  } else {
    next.coordinator.active = 0;
    next.coordinator.logging = Verdict::abort;
    next.coordinator.answer_owed = 1;
    if (without(Rule::tombstone_committed_first)) send(next, Message::outcome_abort);
  }
  go(next, Step::answer, emit, Verdict::abort);
}

void TransactionModel::participant(const State& state, const Emit& emit) const {
  const ParticipantState& self = state.participant;
  const bool logging = self.logging_intent || self.logging_end != Verdict::none;
  if (sent(state, Message::prepare) && !logging) {
    State next = state;
    if (self.intent) {
      send(next, Message::vote);
      go(next, Step::prepare, emit);
    } else if (!self.ended || without(Rule::ended_blocks_prepare)) {
      next.participant.logging_intent = 1;
      if (without(Rule::intent_committed_first)) send(next, Message::vote);
      go(next, Step::prepare, emit);
    }
  }
  if (self.logging_intent) {
    State next = state;
    next.participant.logging_intent = 0;
    next.participant.intent = 1;
    send(next, Message::vote);
    go(next, Step::intent_logged, emit);
  }
  if (self.intent && !logging && !sent(state, Message::question)) {
    State next = state;
    send(next, Message::question);
    go(next, Step::ask, emit);
  }
  const bool commit = sent(state, Message::finish_commit) || sent(state, Message::outcome_commit);
  const bool abort = sent(state, Message::finish_abort) || sent(state, Message::outcome_abort) ||
                     (self.intent && without(Rule::in_doubt_asks));
  for (const Verdict verdict : {Verdict::commit, Verdict::abort}) {
    if (logging || !(verdict == Verdict::commit ? commit : abort)) continue;
    State next = state;
    if (self.intent || !self.ended) {
      next.participant.logging_end = verdict;
    } else {
      send(next, Message::known);  // a repeated finish
    }
    go(next, Step::take_verdict, emit, verdict);
  }
  if (self.logging_end != Verdict::none) {
    State next = state;
    end_logged(next);
    go(next, Step::end_logged, emit, self.logging_end);
  }
}

void TransactionModel::end_logged(State& state) const {
  ParticipantState& self = state.participant;
  const bool commit = self.logging_end == Verdict::commit;
  if (self.intent && commit) ++self.half;
  if (self.intent && !commit) self.refused = 1;
  self.intent = 0;
  self.logging_end = Verdict::none;
  self.ended = commit ? 2 : 1;
  if (commit) send(state, Message::known);
}

void TransactionModel::fail_over(const State& state, const Emit& emit) const {
  if (state.coordinator.failovers < bounds_.coordinator_failovers) {
    State next = state;
    next.coordinator.logging = Verdict::none;  // kept: the step record_logged, then this one
    next.coordinator.active = next.coordinator.answer_owed = 0;
    ++next.coordinator.failovers;
    go(next, Step::coordinator_fails_over, emit);
  }
  if (state.participant.failovers < bounds_.participant_failovers) {
    State next = state;
    next.participant.logging_intent = 0;
    next.participant.logging_end = Verdict::none;
    if (without(Rule::ended_in_log)) next.participant.ended = 0;
    ++next.participant.failovers;
    go(next, Step::participant_fails_over, emit);
  }
}

std::string TransactionModel::describe(Move<Step> how) {
  const auto verdict = static_cast<Verdict>(how.a);
  const std::string word = verdict == Verdict::commit ? "commit" : "abort";
  switch (how.step) {
    case Step::start:
      return "the coordinator starts and sends prepare";
    case Step::give_up:
      return "the coordinator gives up";
    case Step::take_vote:
      return "the coordinator has the vote and logs commit";
    case Step::record_logged:
      return "the coordinator's record is committed: " + word;
    case Step::finish:
      return "the coordinator tells the participant to commit";
    case Step::answer:
      return "the coordinator answers a question, or logs for it: " + word;
    case Step::forget_record:
      return "the coordinator deletes its record";
    case Step::prepare:
      return "the participant is sent prepare";
    case Step::intent_logged:
      return "the participant's intent is committed, it votes";
    case Step::ask:
      return "the participant asks for the outcome";
    case Step::take_verdict:
      return "the participant is told, or logs: " + word;
    case Step::end_logged:
      return "the participant's end is committed: " + word;
    case Step::coordinator_fails_over:
      return "the coordinator fails over";
    case Step::participant_fails_over:
      return "the participant fails over";
    case Step::count:
      break;
  }
  return "?";
}

}  // namespace turbine::model
