// Looking things up in a cluster map that is being changed.
#pragma once

#include "proto/cluster.pb.h"

namespace turbine::cluster {

/// Serving: neither dead nor out of the array.
inline bool is_up(proto::BladeState state) {
  return state == proto::BLADE_HEALTHY || state == proto::BLADE_SUSPECT ||
         state == proto::BLADE_DRAINING || state == proto::BLADE_JOINING;
}

/// Null when there is none.
inline proto::Blade* find_blade(proto::ClusterMap& map, uint32_t id) {
  for (proto::Blade& blade : *map.mutable_blades()) {
    if (blade.id() == id) return &blade;
  }
  return nullptr;
}
inline const proto::Blade* find_blade(const proto::ClusterMap& map, uint32_t id) {
  return find_blade(const_cast<proto::ClusterMap&>(map), id);
}

}  // namespace turbine::cluster
