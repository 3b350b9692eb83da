// Breadth-first exploration of all states that a model can reach, with the shortest counterexample.
//
// A model has `State` (bytes only, no padding), `Step` (an enum that ends in `count`), initial(),
// and successors(state, emit), which calls emit(next, Move{step, a, b}, violation) for every step
// that can be taken; `violation` is the invariant that the step broke, or nullptr.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

namespace turbine::model {

/// A step and whom it concerns; what `a` and `b` are is the step's business.
template <class Step>
struct Move {
  Step step{};
  uint8_t a = 0;
  uint8_t b = 0;
};

template <class Model>
struct Outcome {
  using Step = typename Model::Step;
  size_t states = 0;
  size_t transitions = 0;
  int depth = 0;
  bool complete = false;            // every reachable state was visited
  const char* violation = nullptr;  // the invariant that was broken first
  std::vector<Move<Step>> path;     // the shortest way there; only when it was asked for
  std::bitset<static_cast<size_t>(Step::count)> taken;
};

/// A set of 64-bit hashes, eight bytes a slot: two states that share a hash count as one.
class HashSet {
 public:
  HashSet() : slots_(size_t{1} << 16) {}
  size_t size() const { return size_; }

  /// False: it was there.
  bool insert(uint64_t hash) {
    if (hash == 0) hash = 1;  // an empty slot is 0
    if (size_ * 10 >= slots_.size() * 7) grow();
    uint64_t& slot = slots_[place(hash)];
    if (slot == hash) return false;
    slot = hash;
    ++size_;
    return true;
  }

 private:
  size_t place(uint64_t hash) const {
    size_t at = hash & (slots_.size() - 1);
    while (slots_[at] != 0 && slots_[at] != hash) at = (at + 1) & (slots_.size() - 1);
    return at;
  }
  void grow() {
    std::vector<uint64_t> old(slots_.size() * 2);
    old.swap(slots_);
    for (const uint64_t hash : old) {
      if (hash != 0) slots_[place(hash)] = hash;
    }
  }
  std::vector<uint64_t> slots_;
  size_t size_ = 0;
};

template <class State>
uint64_t hash_of(const State& state) {
  static_assert(std::has_unique_object_representations_v<State>);
  const auto* bytes = reinterpret_cast<const unsigned char*>(&state);
  uint64_t hash = 0x9e3779b97f4a7c15ull;
  for (size_t at = 0; at < sizeof(State); at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes + at, sizeof(State) - at < 8 ? sizeof(State) - at : 8);
    hash = (hash ^ word) * 0xff51afd7ed558ccdull;
    hash ^= hash >> 32;
  }
  hash *= 0xc4ceb9fe1a85ec53ull;
  return hash ^ (hash >> 29);
}

/// Stops at the first violation, or when `states_max` states were seen (then not `complete`).
/// `keep_path` remembers how each state was reached, which costs about ten times the memory.
template <class Model>
Outcome<Model> explore(const Model& model, size_t states_max, bool keep_path) {
  using State = typename Model::State;
  using Step = typename Model::Step;
  struct Reached {
    uint64_t from = 0;
    Move<Step> by;
  };
  Outcome<Model> out;
  HashSet seen;
  std::unordered_map<uint64_t, Reached> reached;
  std::deque<State> waiting{model.initial()};
  seen.insert(hash_of(waiting.front()));
  size_t left_in_layer = 1;
  while (!waiting.empty() && seen.size() <= states_max && out.violation == nullptr) {
    const State state = waiting.front();
    waiting.pop_front();
    const uint64_t from = keep_path ? hash_of(state) : 0;
    model.successors(state, [&](const State& next, Move<Step> move, const char* violation) {
      if (out.violation != nullptr) return;
      ++out.transitions;
      out.taken.set(static_cast<size_t>(move.step));
      if (violation != nullptr) {
        out.violation = violation;
        if (!keep_path) return;
        out.path.push_back(move);
        for (auto at = reached.find(from); at != reached.end(); at = reached.find(at->second.from))
          out.path.insert(out.path.begin(), at->second.by);
        return;
      }
      const uint64_t hash = hash_of(next);
      if (!seen.insert(hash)) return;
      waiting.push_back(next);
      if (keep_path) reached[hash] = {from, move};
    });
    if (--left_in_layer == 0) {
      left_in_layer = waiting.size();
      ++out.depth;
    }
  }
  out.states = seen.size();
  out.complete = waiting.empty() && out.violation == nullptr;
  return out;
}

}  // namespace turbine::model
