// Faults: what goes wrong between processes.
#include <algorithm>

#include "sim/faults.hpp"

namespace turbine::sim {

using std::chrono::milliseconds;

void Faults::apply_link_faults() {
  array_.network.set_faults(link_);
}

Task<bool> Faults::hold_link_faults(const uint64_t& counter, Duration time) {
  const uint64_t before = counter;
  apply_link_faults();
  CO_TRY(co_await array_.clock.sleep_for(time));
  if (counter == before) CO_TRY(co_await wait_until_grown(counter));
  co_return counter > before;
}

Task<bool> Faults::delay_messages() {
  link_.delay_max = milliseconds(5 + rng_.below(300));
  auto struck =
      co_await hold_link_faults(array_.network.counters().reordered, some_time(500, 4000));
  link_.delay_max = std::chrono::microseconds(300);
  apply_link_faults();
  co_return struck;
}

Task<bool> Faults::lose_messages() {
  link_.loss_per_million = 10'000 + static_cast<uint32_t>(rng_.below(150'000));
  auto struck = co_await hold_link_faults(array_.network.counters().lost, some_time(500, 8000));
  link_.loss_per_million = 0;
  apply_link_faults();
  co_return struck;
}

Task<bool> Faults::repeat_messages() {
  link_.duplicate_per_million = 50'000 + static_cast<uint32_t>(rng_.below(400'000));
  auto struck =
      co_await hold_link_faults(array_.network.counters().duplicated, some_time(500, 8000));
  link_.duplicate_per_million = 0;
  apply_link_faults();
  co_return struck;
}

Task<bool> Faults::cut_link() {
  std::vector<std::string> nodes = {"manager", "gateway-1", "gateway-2"};
  for (const SimArray::Blade* blade : array_.blades()) nodes.push_back(blade->name);
  const std::string from = nodes[rng_.below(nodes.size())];
  std::string to = some_blade().name;
  if (from == to) to = "gateway-1";
  array_.trace.note("cut from {} to {}", from, to);
  const uint64_t before = array_.network.counters().cut;
  array_.network.cut(from, to);
  CO_TRY(co_await array_.clock.sleep_for(some_time(200, 4000)));
  if (array_.network.counters().cut == before) {
    CO_TRY(co_await wait_until_grown(array_.network.counters().cut));
  }
  array_.network.end_cut(from, to);
  co_return array_.network.counters().cut > before;
}

Task<bool> Faults::isolate_blade() {
  const std::string name = some_blade().name;
  array_.trace.note("{} is cut off", name);
  const uint64_t before = array_.network.counters().cut;
  array_.network.isolate(name);
  CO_TRY(co_await array_.clock.sleep_for(some_time(200, 5000)));
  if (array_.network.counters().cut == before) {
    CO_TRY(co_await wait_until_grown(array_.network.counters().cut));
  }
  array_.network.end_isolation(name);
  co_return array_.network.counters().cut > before;
}

Task<bool> Faults::hold_cuts(Links links, Duration time) {
  const uint64_t before = array_.network.counters().cut;
  for (const auto& [one, other] : links) {
    array_.network.cut(one, other);
    array_.network.cut(other, one);
  }
  CO_TRY(co_await array_.clock.sleep_for(time));
  if (array_.network.counters().cut == before) {
    CO_TRY(co_await wait_until_grown(array_.network.counters().cut));
  }
  for (const auto& [one, other] : links) {
    array_.network.end_cut(one, other);
    array_.network.end_cut(other, one);
  }
  co_return array_.network.counters().cut > before;
}

Task<bool> Faults::cut_from_manager() {
  const std::string name = some_blade().name;
  array_.trace.note("{} and the manager are cut from each other", name);
  co_return co_await hold_cuts({{name, "manager"}}, some_time(500, 15'000));
}

// Whoever is on the smaller side goes on with clients of its own there.
Task<bool> Faults::split_network() {
  std::vector<std::string> larger = {"manager", "gateway-1", "gateway-2"};
  std::vector<std::string> smaller;
  for (const SimArray::Blade* blade : array_.blades()) larger.push_back(blade->name);
  const uint64_t count = 1 + rng_.below(3);
  while (smaller.size() < count) {
    const auto chosen = std::ranges::find(larger, some_blade().name);
    if (chosen == larger.end()) continue;
    smaller.push_back(*chosen);
    larger.erase(chosen);
  }
  if (rng_.chance(3, 4)) smaller.push_back(std::exchange(larger[1], larger.back()));
  if (rng_.chance(1, 4)) smaller.push_back(std::exchange(larger[0], larger.back()));
  Links links;
  for (const std::string& one : smaller) {
    for (const std::string& other : larger) {
      if (std::ranges::find(smaller, other) == smaller.end()) links.emplace_back(one, other);
    }
  }
  array_.trace.note("cut off with each other: {}", fmt::join(smaller, ", "));
  co_return co_await hold_cuts(std::move(links), some_time(300, 8000));
}

Task<bool> Faults::pause_node() {
  const uint64_t which = rng_.below(kBlades + 2);
  std::string name = which < kBlades    ? array_.blade(static_cast<uint32_t>(which) + 1).name
                     : which == kBlades ? "manager"
                                        : "gateway-1";
  array_.trace.note("{} pauses", name);
  const uint64_t before = array_.network.counters().held;
  const TimePoint end = array_.clock.now() + some_time(100, 4000);
  const TimePoint latest = array_.clock.now() + kStrikeTimeMax;
  while (array_.clock.now() < end ||
         (array_.network.counters().held == before && array_.clock.now() < latest)) {
    array_.network.pause(name);  // again, should it have died meanwhile
    CO_TRY(co_await array_.clock.sleep_for(kPoll));
  }
  array_.network.resume(name);
  co_return array_.network.counters().held > before;
}

}  // namespace turbine::sim
