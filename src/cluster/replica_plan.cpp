#include "cluster/replica_plan.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <tuple>

#include "base/check.hpp"
#include "base/hash.hpp"
#include "cluster/planner.hpp"

namespace turbine::cluster {
namespace {

/// How much the partition likes the blade: rendezvous hashing.
uint64_t weight(uint32_t partition, BladeId blade) {
  return combine_seeds(0x7265706C69636173, partition, blade.value);
}

/// Host numbers by blade: equal where two members of a partition should not meet. Empty when the
/// blades name fewer than two hosts: then every blade counts as well as any other.
std::map<BladeId, size_t> number_hosts(const std::vector<BladeHost>& blades) {
  std::map<std::string, size_t> numbers;
  std::map<BladeId, size_t> hosts;
  for (const BladeHost& blade : blades) {
    if (!blade.host.empty()) numbers.try_emplace(blade.host, numbers.size());
  }
  if (numbers.size() < 2) return {};
  size_t alone = numbers.size();
  for (const BladeHost& blade : blades) {
    hosts[blade.id] = blade.host.empty() ? alone++ : numbers.at(blade.host);
  }
  return hosts;
}

/// A blade whose host is not known stands for itself.
size_t host_of(const std::map<BladeId, size_t>& hosts, BladeId blade) {
  const auto found = hosts.find(blade);
  return found == hosts.end() ? SIZE_MAX - blade.value : found->second;
}

/// One of the members stands on the blade's host.
bool meets(const std::map<BladeId, size_t>& hosts, std::span<const BladeId> members,
           BladeId blade) {
  const size_t host = host_of(hosts, blade);
  return std::ranges::any_of(members, [&](BladeId b) { return host_of(hosts, b) == host; });
}

size_t count_hosts(const std::map<BladeId, size_t>& hosts, const Members& members) {
  size_t count = 0;
  for (size_t i = 0; i < members.size(); ++i) {
    if (!meets(hosts, std::span(members).first(i), members[i])) ++count;
  }
  return count;
}

bool contains(const Members& members, BladeId blade) {
  return std::ranges::find(members, blade) != members.end();
}

/// Spreads secondaries under given primaries. Any even spread can be reached from any other by
/// chains of steps "partition p gives up blade x for y": a shortest one from a blade with too many
/// to one with two less is looked for, until there is none.
class SecondarySpreader {
 public:
  SecondarySpreader(const std::vector<BladeHost>& blades, const std::vector<BladeId>& primaries,
                    size_t width)
      : hosts_(number_hosts(blades)), plan_(primaries.size()) {
    std::set<size_t> distinct;
    for (const auto& [blade, host] : hosts_) distinct.insert(host);
    hosts_needed_ = hosts_.empty() ? 0 : std::min(width, distinct.size());
    for (const BladeHost& blade : blades) load_[blade.id] = 0;
    for (uint32_t p = 0; p < primaries.size(); ++p) {
      plan_[p].push_back(primaries[p]);
      ++load_[primaries[p]];
    }
    for (uint32_t p = 0; p < primaries.size(); ++p) fill(p, width);
  }

  std::vector<Members> spread() {
    while (improve()) {
    }
    for (uint32_t p = 0; p < plan_.size(); ++p) {
      std::sort(plan_[p].begin() + 1, plan_[p].end(),
                [p](BladeId a, BladeId b) { return weight(p, a) > weight(p, b); });
    }
    return std::move(plan_);
  }

 private:
  struct Step {
    uint32_t partition = 0;
    BladeId from, to;
  };

  void fill(uint32_t p, size_t width) {
    while (plan_[p].size() < width) {
      const size_t hosts = count_hosts(hosts_, plan_[p]);
      BladeId best;
      for (const auto& [blade, load] : load_) {
        if (contains(plan_[p], blade)) continue;
        if (hosts < hosts_needed_ && meets(hosts_, plan_[p], blade)) continue;
        if (best == BladeId(0) || weight(p, blade) > weight(p, best)) best = blade;
      }
      add(p, best);
    }
  }

  void add(uint32_t p, BladeId blade) {
    plan_[p].push_back(blade);
    ++load_[blade];
    held_[blade].insert(p);
  }

  void apply(const Step& step) {
    std::ranges::replace(plan_[step.partition], step.from, step.to);
    --load_[step.from];
    ++load_[step.to];
    held_[step.from].erase(step.partition);
    held_[step.to].insert(step.partition);
  }

  bool allowed(const Step& step) const {
    if (contains(plan_[step.partition], step.to)) return false;
    if (hosts_.empty()) return true;
    Members changed = plan_[step.partition];
    std::ranges::replace(changed, step.from, step.to);
    return count_hosts(hosts_, changed) >= hosts_needed_;
  }

  /// For each blade not yet in `reached`, the partition of `from` that would like it best.
  std::map<BladeId, Step> steps_from(BladeId from, const std::map<BladeId, Step>& reached,
                                     const std::set<uint32_t>& used) {
    std::map<BladeId, Step> best;
    for (const uint32_t p : held_[from]) {
      if (used.contains(p)) continue;
      for (const auto& [to, load] : load_) {
        const Step step{p, from, to};
        if (reached.contains(to) || !allowed(step)) continue;
        const auto [found, fresh] = best.try_emplace(to, step);
        if (!fresh && weight(p, to) > weight(found->second.partition, to)) found->second = step;
      }
    }
    return best;
  }

  bool improve() {
    std::vector<BladeId> order;
    order.reserve(load_.size());
    for (const auto& [blade, load] : load_) order.push_back(blade);
    std::ranges::sort(order, std::greater(), [&](BladeId b) { return std::pair(load_[b], b); });
    const size_t least = load_[order.back()];
    for (const BladeId from : order) {
      if (load_[from] < least + 2) return false;
      if (relieve(from)) return true;
    }
    return false;
  }

  bool relieve(BladeId start) {
    std::map<BladeId, Step> reached{{start, {}}};
    std::deque<BladeId> queue{start};
    while (!queue.empty()) {
      const BladeId blade = queue.front();
      queue.pop_front();
      const std::vector<Step> path = path_to(start, blade, reached);
      // A partition changes once in a chain, or its steps would not be independent.
      std::set<uint32_t> used;
      for (const Step& step : path) used.insert(step.partition);
      std::optional<Step> last;
      for (const auto& [to, step] : steps_from(blade, reached, used)) {
        reached[to] = step;
        queue.push_back(to);
        if (!last || load_[to] < load_[last->to]) last = step;
      }
      if (!last || load_[last->to] + 2 > load_[start]) continue;
      apply(*last);
      for (const Step& step : path) apply(step);
      return true;
    }
    return false;
  }

  static std::vector<Step> path_to(BladeId start, BladeId blade,
                                   const std::map<BladeId, Step>& reached) {
    std::vector<Step> path;  // the last step first
    for (BladeId at = blade; at != start; at = reached.at(at).from) path.push_back(reached.at(at));
    return path;
  }

  const std::map<BladeId, size_t> hosts_;
  size_t hosts_needed_ = 0;
  std::vector<Members> plan_;
  std::map<BladeId, size_t> load_;              // replicas, primaries among them
  std::map<BladeId, std::set<uint32_t>> held_;  // partitions by secondary
};

}  // namespace

std::vector<Members> plan_replicas(uint32_t partition_count, const std::vector<BladeHost>& blades,
                                   int replica_count) {
  CHECK(!blades.empty() && replica_count >= 1);
  std::vector<BladeId> ids;
  ids.reserve(blades.size());
  for (const BladeHost& blade : blades) ids.push_back(blade.id);
  std::ranges::sort(ids);
  const size_t width = std::min(blades.size(), static_cast<size_t>(replica_count));
  return SecondarySpreader(blades, plan_partitions(partition_count, ids), width).spread();
}

namespace {

class Replacer {
 public:
  explicit Replacer(const ReplicaSituation& now) : now_(now), hosts_(number_hosts(now.live)) {
    for (const BladeHost& blade : now.live) load_[blade.id] = 0;
  }

  std::vector<Members> replace() {
    std::vector<Members> wanted(now_.home.size());
    std::vector<Members> gone(now_.home.size());  // to be replaced
    for (size_t p = 0; p < wanted.size(); ++p) split(p, wanted[p], gone[p]);
    for (const auto* chosen : {&now_.replicas, &now_.before}) {
      for (size_t p = 0; p < wanted.size(); ++p) keep(chosen->at(p), wanted[p], gone[p]);
    }
    for (size_t p = 0; p < wanted.size(); ++p) {
      while (!gone[p].empty()) {
        const BladeId best = choose(static_cast<uint32_t>(p), wanted[p]);
        if (best == BladeId(0)) break;
        add(wanted[p], gone[p], best);
      }
      // Nobody can replace them: they keep their places.
      if (!gone[p].empty()) restore(p, wanted[p], gone[p]);
    }
    return wanted;
  }

 private:
  void split(size_t p, Members& wanted, Members& gone) {
    const auto lives = [this](BladeId blade) { return load_.contains(blade); };
    const auto in_sync = std::ranges::count_if(
        now_.replicas[p], [this](BladeId blade) { return !now_.dead.contains(blade); });
    for (const BladeId blade : now_.home[p]) {
      const auto dead = now_.dead.find(blade);
      const bool late = dead == now_.dead.end() || dead->second >= now_.replan_delay;
      if (!lives(blade) && in_sync > 0 && (in_sync == 1 || late)) {
        gone.push_back(blade);
      } else {
        wanted.push_back(blade);
        if (lives(blade)) ++load_[blade];
      }
    }
  }

  void add(Members& wanted, Members& gone, BladeId blade) {
    wanted.push_back(blade);
    ++load_[blade];
    gone.pop_back();
  }

  void keep(const Members& chosen, Members& wanted, Members& gone) {
    for (const BladeId blade : chosen) {
      if (gone.empty()) return;
      if (load_.contains(blade) && !contains(wanted, blade)) add(wanted, gone, blade);
    }
  }

  BladeId choose(uint32_t p, const Members& wanted) const {
    BladeId best;
    std::tuple<bool, size_t, uint64_t> best_rank;
    for (const auto& [blade, load] : load_) {
      if (contains(wanted, blade)) continue;
      const std::tuple rank(meets(hosts_, wanted, blade), load, ~weight(p, blade));
      if (best != BladeId(0) && best_rank <= rank) continue;
      best = blade;
      best_rank = rank;
    }
    return best;
  }

  void restore(size_t p, Members& wanted, const Members& gone) const {
    const Members& home = now_.home[p];
    Members kept;
    for (const BladeId blade : home) {
      if (contains(wanted, blade) || contains(gone, blade)) kept.push_back(blade);
    }
    for (const BladeId blade : wanted) {
      if (!contains(home, blade)) kept.push_back(blade);
    }
    wanted = std::move(kept);
  }

  const ReplicaSituation& now_;
  const std::map<BladeId, size_t> hosts_;
  std::map<BladeId, size_t> load_;  // of live blades
};

}  // namespace

std::vector<Members> wanted_now(const ReplicaSituation& situation) {
  CHECK(situation.replicas.size() == situation.home.size());
  CHECK(situation.before.size() == situation.home.size());
  return Replacer(situation).replace();
}

}  // namespace turbine::cluster
