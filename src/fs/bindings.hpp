// Bindings: which inode a directory's name stands for, remembered for the length of a lease.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "base/ids.hpp"

namespace turbine::fs {

/// One reactor thread. Bounded, least recently used out first.
///
/// An expired binding is kept, for use when the parent's partition can't be asked: the directory
/// itself knows where it is, and tells whether the binding still holds. A rename is answered when
/// no lease on the old place runs any more.
class Bindings {
 public:
  explicit Bindings(size_t count_max) : count_max_(count_max) {}

  struct Binding {
    InodeId inode;
    bool fresh = false;  // the lease runs
  };
  std::optional<Binding> find(InodeId parent, const std::string& name, TimePoint now);
  void put(InodeId parent, const std::string& name, InodeId inode, TimePoint expires);
  void drop(InodeId parent, const std::string& name);
  size_t size() const { return entries_.size(); }

 private:
  using Key = std::pair<InodeId, std::string>;
  struct Entry {
    InodeId inode;
    TimePoint expires;
    std::list<const Key*>::iterator place;
  };
  size_t count_max_;
  std::map<Key, Entry> entries_;
  std::list<const Key*> used_;  // front: last
};

}  // namespace turbine::fs
