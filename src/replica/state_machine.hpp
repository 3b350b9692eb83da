// StateMachine: what a replica applies its log to. The partition of the metadata is one.
#pragma once

#include <memory>
#include <string>

#include "replica/log.hpp"

namespace turbine::replica {

class Replica;

class StateMachine {
 public:
  virtual ~StateMachine() = default;
  virtual Lsn applied_lsn() const = 0;
  /// In which the entry applied_lsn() was made; 0 when there is none.
  virtual Term applied_term() const = 0;
  /// Applies the committed entry after applied_lsn(). A failure stops the blade.
  virtual Result<> apply(const Entry& entry) = 0;
  /// All that was committed is applied and this replica is the primary: serve. Once: it goes on
  /// through the terms in which it stays the primary.
  virtual Result<> lead(Replica& replica) = 0;
  /// Another is the primary, or this one must find out: serve nobody, for good. What is not
  /// answered has an unknown outcome.
  virtual void step_down(const Error& why) = 0;
  /// The first and the end key of its rows in the Kv; the first two bytes are the slot.
  virtual std::pair<std::string, std::string> rows() const = 0;
};

}  // namespace turbine::replica
