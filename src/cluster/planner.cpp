#include "cluster/planner.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "base/check.hpp"
#include "base/hash.hpp"

namespace turbine::cluster {
namespace {

using Subset = std::vector<size_t>;  // indexes of blades, ascending

/// All subsets of `width` of `count` when there are at most `limit` of them; else nothing.
std::vector<Subset> all_subsets(size_t count, size_t width, size_t limit) {
  std::vector<Subset> subsets;
  Subset subset(width);
  std::iota(subset.begin(), subset.end(), size_t{0});
  for (;;) {
    if (subsets.size() == limit) return {};
    subsets.push_back(subset);
    size_t i = width;
    while (i > 0 && subset[i - 1] == count - width + i - 1) --i;
    if (i == 0) return subsets;
    ++subset[i - 1];
    for (size_t j = i; j < width; ++j) subset[j] = subset[j - 1] + 1;
  }
}

/// Least loaded blades first; hashing breaks ties.
Subset least_loaded(const std::vector<size_t>& load, size_t width, uint64_t seed) {
  Subset order(load.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::vector<uint64_t> tie(load.size());
  for (size_t i = 0; i < load.size(); ++i) tie[i] = combine_seeds(seed, i);
  std::ranges::sort(order, [&](size_t a, size_t b) {
    return std::pair(load[a], tie[a]) < std::pair(load[b], tie[b]);
  });
  order.resize(width);
  std::ranges::sort(order);
  return order;
}

/// True when some subset avoids each pair (each blade, when they are only one wider).
bool avoids_all(const std::vector<Subset>& subsets, size_t count, size_t width) {
  std::set<std::pair<size_t, size_t>> avoided;
  for (const Subset& subset : subsets) {
    std::vector<size_t> outside;
    for (size_t i = 0; i < count; ++i) {
      if (!std::ranges::binary_search(subset, i)) outside.push_back(i);
    }
    for (const size_t a : outside) {
      for (const size_t b : outside) {
        if (a < b || (a == b && width + 1 == count)) avoided.insert({a, b});
      }
    }
  }
  if (width >= count) return true;
  return avoided.size() == (width + 1 == count ? count : count * (count - 1) / 2);
}

std::vector<Subset> choose_subsets(size_t count, size_t width, size_t limit) {
  std::vector<Subset> all = all_subsets(count, width, limit);
  if (!all.empty()) {
    // Whole rounds only: then every blade is in equally many groups.
    const size_t rounds = limit / all.size();
    std::vector<Subset> subsets;
    for (size_t round = 0; round < rounds; ++round) {
      subsets.insert(subsets.end(), all.begin(), all.end());
    }
    return subsets;
  }
  std::vector<Subset> subsets;
  for (uint64_t salt = 0; salt < 64; ++salt) {
    subsets.clear();
    std::vector<size_t> load(count, 0);
    for (size_t i = 0; i < limit; ++i) {
      subsets.push_back(least_loaded(load, width, combine_seeds(salt, i, count, width)));
      for (const size_t blade : subsets.back()) ++load[blade];
    }
    if (avoids_all(subsets, count, width)) break;
  }
  return subsets;
}

/// Gives the blades of a subset their shard positions: each position to the one of those left that
/// stood there least often.
std::vector<size_t> place(const Subset& subset, uint64_t seed,
                          std::vector<std::vector<size_t>>& stood) {
  Subset left = subset;
  std::vector<size_t> placed(subset.size());
  for (size_t step = 0; step < subset.size(); ++step) {
    const size_t position = (step + seed) % subset.size();
    const auto best = std::ranges::min_element(left, {}, [&](size_t blade) {
      return std::pair(stood[blade][position], combine_seeds(seed, blade, position));
    });
    placed[position] = *best;
    ++stood[*best][position];
    left.erase(best);
  }
  return placed;
}

proto::Layout plan_layout(const std::vector<BladeId>& blades, Shape shape, uint32_t id,
                          int group_count) {
  const auto width = static_cast<size_t>(shape.width());
  const std::vector<Subset> subsets =
      choose_subsets(blades.size(), width, static_cast<size_t>(group_count));
  proto::Layout layout;
  layout.set_id(id);
  layout.set_data_count(static_cast<uint32_t>(shape.data_count));
  layout.set_parity_count(static_cast<uint32_t>(shape.parity_count));
  std::vector<std::vector<size_t>> stood(blades.size(), std::vector<size_t>(width, 0));
  for (size_t i = 0; i < subsets.size(); ++i) {
    proto::Group* group = layout.add_groups();
    group->set_version(1);
    for (const size_t blade : place(subsets[i], i, stood)) group->add_blades(blades[blade].value);
  }
  return layout;
}

}  // namespace

Shape shape_for(int blades) {
  CHECK(blades >= 1);
  if (blades == 1) return {1, 0};
  if (blades == 2) return {1, 1};
  if (blades == 3) return {2, 1};
  return {std::min(blades - 2, 8), 2};
}

std::vector<proto::Layout> plan_layouts(const std::vector<BladeId>& blades, uint32_t first_id,
                                        int groups_per_layout) {
  std::vector<Shape> shapes;
  const int count = static_cast<int>(blades.size());
  for (int width = count; width >= std::max(1, count - 2); --width) {
    const Shape shape = shape_for(width);
    if (std::ranges::find(shapes, shape) == shapes.end()) shapes.push_back(shape);
  }
  std::vector<proto::Layout> layouts;
  layouts.reserve(shapes.size());
  for (const Shape& shape : shapes) {
    layouts.push_back(plan_layout(blades, shape, first_id++, groups_per_layout));
  }
  if (!layouts.empty()) layouts.front().set_preferred(true);
  return layouts;
}

std::vector<BladeId> plan_partitions(uint32_t partition_count, const std::vector<BladeId>& blades) {
  CHECK(!blades.empty());
  const auto weight = [](uint32_t partition, BladeId blade) {
    return combine_seeds(0x7061727469746E73, partition, blade.value);
  };
  std::vector<BladeId> plan(partition_count);
  std::map<BladeId, std::vector<uint32_t>> held;
  for (const BladeId blade : blades) held[blade];
  for (uint32_t p = 0; p < partition_count; ++p) {
    plan[p] = *std::ranges::max_element(blades, {}, [&](BladeId b) { return weight(p, b); });
    held[plan[p]].push_back(p);
  }
  const auto size_of = [](const auto& entry) { return entry.second.size(); };
  for (;;) {
    const auto most = std::ranges::max_element(held, {}, size_of);
    const auto least = std::ranges::min_element(held, {}, size_of);
    if (most->second.size() <= least->second.size() + 1) return plan;
    // The partition that likes its new blade best.
    const auto moved = std::ranges::max_element(
        most->second, {}, [&](uint32_t p) { return weight(p, least->first); });
    plan[*moved] = least->first;
    least->second.push_back(*moved);
    most->second.erase(moved);
  }
}

}  // namespace turbine::cluster
