// History: what clients asked of one key and were told, and whether one order explains it all.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace turbine::sim {

/// Names a content that was written once; 0: the key does not exist.
using Version = uint64_t;

/// What an operation demands of the state in which it takes effect.
enum class Need : uint8_t {
  nothing,
  equals,  // the state is `need_version`
  present,
  present_but_not,  // present, and not `need_version`
};

/// One operation on one key. It took effect at one moment between its begin and its end; one whose
/// outcome is unknown may have done so at any moment after its begin, or never.
struct Operation {
  uint64_t begin = 0;
  uint64_t end = 0;
  bool unknown = false;
  Need need = Need::nothing;
  Version need_version = 0;
  bool writes = false;
  Version writes_version = 0;
  std::string text;  // for people
};

class History {
 public:
  /// Moments, in the order in which things happened at the clients.
  uint64_t tick() { return ++now_; }
  void add(const std::string& key, Operation operation) {
    operations_[key].push_back(std::move(operation));
  }
  const std::map<std::string, std::vector<Operation>>& operations() const { return operations_; }
  /// Whether the key may have existed at some moment of [begin, end]; never wrong when it says no.
  bool may_have_existed(const std::string& key, uint64_t begin, uint64_t end) const;

 private:
  uint64_t now_ = 0;
  std::map<std::string, std::vector<Operation>> operations_;
};

/// Errc::conflict: no order of the operations explains the answers; the context names the one that
/// can't be explained. The key does not exist at the beginning.
Result<> check_linearizable(const std::vector<Operation>& operations);

}  // namespace turbine::sim
