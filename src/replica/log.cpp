#include "replica/log.hpp"

#include "base/check.hpp"

namespace turbine::replica {

void Log::reset(Lsn applied) {
  entries_.clear();
  bytes_ = 0;
  last_ = applied;
}

void Log::append(Entry entry) {
  CHECK(entry.lsn.value == last_.value + 1);
  bytes_ += entry.payload->size();
  last_ = entry.lsn;
  entries_.push_back(std::move(entry));
}

void Log::cut(Lsn after) {
  while (!entries_.empty() && entries_.back().lsn > after) {
    bytes_ -= entries_.back().payload->size();
    entries_.pop_back();
    --last_.value;
  }
}

void Log::trim(Lsn applied, Lsn needed) {
  while (bytes_ > kKeptBytes && !entries_.empty() && entries_.front().lsn <= applied &&
         entries_.front().lsn < needed) {
    bytes_ -= entries_.front().payload->size();
    entries_.pop_front();
  }
}

}  // namespace turbine::replica
