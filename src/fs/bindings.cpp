#include "fs/bindings.hpp"

namespace turbine::fs {

std::optional<Bindings::Binding> Bindings::find(InodeId parent, const std::string& name,
                                                TimePoint now) {
  const auto found = entries_.find({parent, name});
  if (found == entries_.end()) return std::nullopt;
  used_.splice(used_.begin(), used_, found->second.place);
  return Binding{found->second.inode, now < found->second.expires};
}

void Bindings::put(InodeId parent, const std::string& name, InodeId inode, TimePoint expires) {
  const auto [place, added] = entries_.try_emplace({parent, name});
  if (added) {
    used_.push_front(&place->first);
    place->second.place = used_.begin();
  }
  place->second.inode = inode;
  place->second.expires = expires;
  if (entries_.size() <= count_max_) return;
  const Key oldest = *used_.back();
  drop(oldest.first, oldest.second);
}

void Bindings::drop(InodeId parent, const std::string& name) {
  const auto found = entries_.find({parent, name});
  if (found == entries_.end()) return;
  used_.erase(found->second.place);
  entries_.erase(found);
}

}  // namespace turbine::fs
