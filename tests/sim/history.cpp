#include "sim/history.hpp"

#include <algorithm>
#include <set>

namespace turbine::sim {
namespace {

/// A way to explain what was seen so far: the state, and which of the operations that have not
/// ended took effect already.
struct Explanation {
  Version state = 0;
  std::set<size_t> done;
  auto operator<=>(const Explanation&) const = default;
};
using Explanations = std::set<Explanation>;

bool allows(const Operation& operation, Version state) {
  switch (operation.need) {
    case Need::nothing:
      return true;
    case Need::equals:
      return state == operation.need_version;
    case Need::present:
      return state != 0;
    case Need::present_but_not:
      return state != 0 && state != operation.need_version;
  }
  return false;
}

/// Extends explanations by operations that are under way, each as late as it can be.
class Search {
 public:
  explicit Search(const std::vector<Operation>& operations) : operations_(operations) {}

  void begin(size_t index) {
    pending_.insert(index);
    if (operations_[index].writes) return;
    Explanations settled;
    for (Explanation explanation : explanations_) {
      settle_reads(explanation);
      settled.insert(std::move(explanation));
    }
    explanations_ = std::move(settled);
  }

  /// False when nothing explains the operation's answer.
  bool end(size_t index) {
    Explanations out;
    seen_.clear();
    for (const Explanation& explanation : explanations_) extend(explanation, index, out);
    pending_.erase(index);
    explanations_ = std::move(out);
    return !explanations_.empty();
  }

 private:
  // What changes nothing is best done as soon as it can be.
  void settle_reads(Explanation& explanation) const {
    for (const size_t index : pending_) {
      const Operation& operation = operations_[index];
      if (!operation.writes && allows(operation, explanation.state)) explanation.done.insert(index);
    }
  }

  void extend(const Explanation& explanation, size_t index, Explanations& out) {
    if (explanation.done.contains(index)) {
      Explanation next = explanation;
      next.done.erase(index);
      out.insert(std::move(next));
      return;
    }
    if (!seen_.insert(explanation).second) return;
    for (const size_t other : pending_) {
      const Operation& operation = operations_[other];
      if (!operation.writes || explanation.done.contains(other) ||
          !allows(operation, explanation.state)) {
        continue;
      }
      Explanation next = explanation;
      next.state = operation.writes_version;
      next.done.insert(other);
      settle_reads(next);
      extend(next, index, out);
    }
  }

  const std::vector<Operation>& operations_;
  std::set<size_t> pending_;
  Explanations explanations_{Explanation{}};
  Explanations seen_;
};

std::string describe(const std::vector<Operation>& operations, size_t index) {
  std::string text = fmt::format("nothing explains '{}'; before it:", operations[index].text);
  std::vector<const Operation*> before;
  for (const Operation& operation : operations) {
    const bool later = operation.begin > operations[index].end;
    if (&operation != &operations[index] && !later) before.push_back(&operation);
  }
  std::ranges::sort(before, {}, &Operation::begin);
  constexpr size_t kShown = 14;
  if (before.size() > kShown) before.erase(before.begin(), before.end() - kShown);
  for (const Operation* operation : before) {
    text += fmt::format("\n    [{}, {}] {}", operation->begin,
                        operation->unknown ? "?" : std::to_string(operation->end), operation->text);
  }
  return text;
}

}  // namespace

bool History::may_have_existed(const std::string& key, uint64_t begin, uint64_t end) const {
  const auto found = operations_.find(key);
  if (found == operations_.end()) return false;
  const auto& operations = found->second;
  return std::ranges::any_of(operations, [&](const Operation& write) {
    if (!write.writes || write.writes_version == 0 || write.begin > end) return false;
    if (write.unknown) return true;
    return std::ranges::none_of(operations, [&](const Operation& removal) {
      return removal.writes && removal.writes_version == 0 && !removal.unknown &&
             removal.begin > write.end && removal.end < begin;
    });
  });
}

Result<> check_linearizable(const std::vector<Operation>& operations) {
  struct Moment {
    uint64_t at;
    size_t index;
    bool ends;
  };
  std::vector<Moment> moments;
  for (size_t i = 0; i < operations.size(); ++i) {
    moments.push_back({operations[i].begin, i, false});
    if (!operations[i].unknown) moments.push_back({operations[i].end, i, true});
  }
  std::ranges::sort(moments, {},
                    [](const Moment& moment) { return std::pair(moment.at, moment.ends); });
  Search search(operations);
  for (const Moment& moment : moments) {
    if (!moment.ends) {
      search.begin(moment.index);
    } else if (!search.end(moment.index)) {
      return fail(Errc::conflict, "{}", describe(operations, moment.index));
    }
  }
  return {};
}

}  // namespace turbine::sim
