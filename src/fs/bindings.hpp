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
/// An expired binding is kept, for use when the parent's partition can't be asked. That is safe:
/// while the partition is down nobody can change its names, and a binding that changed earlier,
/// after its lease, leads to an inode that is gone. Inode numbers are never used again, so that
/// inode's partition answers Errc::stale and the name is looked up anew, or the call fails with
/// Errc::unavailable; never does it reach another directory. (Renaming a directory keeps its inode;
/// it must therefore reach every gateway's bindings, expired ones included, before it is answered.)
/// Once the partition answers again an expired binding is worth no more than none.
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
