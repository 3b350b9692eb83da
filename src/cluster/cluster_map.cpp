#include "cluster/cluster_map.hpp"

#include <algorithm>

#include "base/hash.hpp"
#include "cluster/map_record.hpp"

namespace turbine::cluster {
namespace {

/// For new shards: not full, and not on its way out.
bool takes_shards(const proto::Blade& blade) {
  return !blade.full() &&
         (blade.state() == proto::BLADE_HEALTHY || blade.state() == proto::BLADE_SUSPECT);
}

}  // namespace

ClusterMap::ClusterMap(proto::ClusterMap record) : record_(std::move(record)) {
  for (int i = 0; i < record_.blades_size(); ++i) blades_[record_.blades(i).id()] = i;
  for (int i = 0; i < record_.keys_size(); ++i) keys_[record_.keys(i).access_key()] = i;
  for (int i = 0; i < record_.layouts_size(); ++i) {
    const proto::Layout& layout = record_.layouts(i);
    by_width_.push_back(i);
    for (int g = 0; g < layout.groups_size(); ++g) {
      GroupView view;
      view.id = make_group_id(layout.id(), static_cast<uint32_t>(g));
      view.data_count = static_cast<int>(layout.data_count());
      view.parity_count = static_cast<int>(layout.parity_count());
      view.version = layout.groups(g).version();
      for (const uint32_t blade : layout.groups(g).blades()) view.blades.emplace_back(blade);
      groups_.emplace(view.id.value, std::move(view));
    }
  }
  std::ranges::sort(by_width_, [this](int a, int b) {
    const auto rank = [this](int i) {
      const proto::Layout& layout = record_.layouts(i);
      return std::tuple(!layout.preferred(),
                        -static_cast<int>(layout.data_count() + layout.parity_count()), i);
    };
    return rank(a) < rank(b);
  });
}

BladeId ClusterMap::primary(PartitionId partition) const {
  if (partition.value >= partition_count()) return BladeId(0);
  const BladeId id(record_.partitions(static_cast<int>(partition.value)).primary());
  return alive(id) ? id : BladeId(0);
}

const proto::Partition* ClusterMap::partition(PartitionId partition) const {
  if (partition.value >= partition_count()) return nullptr;
  return &record_.partitions(static_cast<int>(partition.value));
}

bool ClusterMap::is_replica(PartitionId id, BladeId blade) const {
  const proto::Partition* found = partition(id);
  return found != nullptr &&
         std::ranges::find(found->replicas(), blade.value) != found->replicas().end();
}

size_t ClusterMap::live_replicas(PartitionId id) const {
  const proto::Partition* found = partition(id);
  if (found == nullptr) return 0;
  return static_cast<size_t>(std::ranges::count_if(
      found->replicas(), [this](uint32_t blade) { return alive(BladeId(blade)); }));
}

const proto::Blade* ClusterMap::blade(BladeId id) const {
  const auto found = blades_.find(id.value);
  return found == blades_.end() ? nullptr : &record_.blades(found->second);
}

bool ClusterMap::alive(BladeId id) const {
  const proto::Blade* found = blade(id);
  return found != nullptr && is_up(found->state());
}

size_t ClusterMap::alive_count() const {
  return static_cast<size_t>(std::ranges::count_if(
      record_.blades(), [](const proto::Blade& blade) { return is_up(blade.state()); }));
}

const GroupView* ClusterMap::group(GroupId id) const {
  const auto found = groups_.find(id.value);
  return found == groups_.end() ? nullptr : &found->second;
}

const proto::Layout* ClusterMap::preferred_layout() const {
  for (const proto::Layout& layout : record_.layouts()) {
    if (layout.preferred()) return &layout;
  }
  return nullptr;
}

const GroupView* ClusterMap::choose_group(uint64_t pick, const std::vector<BladeId>& avoid) const {
  const auto usable = [&](BladeId id) {
    const proto::Blade* found = blade(id);
    return found != nullptr && takes_shards(*found) && std::ranges::find(avoid, id) == avoid.end();
  };
  for (const int i : by_width_) {
    const proto::Layout& layout = record_.layouts(i);
    const auto count = static_cast<uint32_t>(layout.groups_size());
    for (uint32_t probe = 0; probe < count; ++probe) {
      const auto index = static_cast<uint32_t>((pick + probe) % count);
      const GroupView* view = group(make_group_id(layout.id(), index));
      if (std::ranges::all_of(view->blades, usable)) return view;
    }
  }
  return nullptr;
}

bool ClusterMap::full() const {
  return std::ranges::any_of(record_.blades(), &proto::Blade::full) &&
         choose_group(0, {}) == nullptr;
}

const proto::AccessKey* ClusterMap::access_key(const std::string& id) const {
  const auto found = keys_.find(id);
  return found == keys_.end() ? nullptr : &record_.keys(found->second);
}

const proto::User* ClusterMap::user(uint64_t id) const {
  for (const proto::User& user : record_.users()) {
    if (user.id() == id) return &user;
  }
  return nullptr;
}

PartitionId ClusterMap::partition_for(InodeId parent, std::string_view name) const {
  CHECK(partition_count() > 0);
  return PartitionId(static_cast<uint32_t>(hash64(name, parent.value) % partition_count()));
}

void MapHolder::update(proto::ClusterMap record) {
  if (map_ && record.epoch() <= map_->record().epoch()) return;
  map_ = std::make_shared<const ClusterMap>(std::move(record));
  const auto observers = observers_;  // one may add another
  for (const auto& observer : observers) observer(map_);
}

}  // namespace turbine::cluster
