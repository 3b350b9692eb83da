// What the load generator's objects hold: random bytes that differ from object to object and can
// be told right from wrong by another run.
#pragma once

#include <cstdint>

#include "base/buffer.hpp"
#include "base/rng.hpp"

namespace turbine::bench {

/// An object is a header of 32 bytes (mark, key index, nonce, size) and a piece of a pool of random
/// bytes; the nonce decides where in the pool the piece begins. The pool is the same in every run,
/// the nonces are not: no two objects are equal, though only 64 MiB were ever drawn.
class ContentPool {
 public:
  static constexpr size_t kHeaderBytes = 32;

  explicit ContentPool(uint64_t object_bytes_max);

  struct Content {
    Buffer head;    // the first min(size, 32) bytes
    ByteView rest;  // in the pool
  };
  Content make(uint64_t index, uint64_t nonce, uint64_t size) const;

  /// Compares a body with what make() gave for `index`, as it arrives in pieces.
  class Check {
   public:
    Check(const ContentPool& pool, uint64_t index) : pool_(pool), index_(index) {}
    void feed(ByteView piece);
    /// `size` bytes came, all of them right.
    bool good(uint64_t size) const;

   private:
    const ContentPool& pool_;
    uint64_t index_, seen_ = 0, start_ = 0;
    std::byte head_[kHeaderBytes] = {};
    bool wrong_ = false;
  };

 private:
  uint64_t place(uint64_t nonce) const;
  Buffer pool_;
  uint64_t places_;
};

}  // namespace turbine::bench
