// Contents: bytes that follow from a number, so that a reader knows what it must see.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/buffer.hpp"
#include "base/rng.hpp"
#include "sim/history.hpp"

namespace turbine::sim {

/// Every content that was ever written, by version. An etag is the version in hex, so a listing
/// tells which content it saw.
class Contents {
 public:
  /// A fresh version whose bytes are `parts` runs, each drawn from a seed of its own.
  Version add(std::vector<Buffer> parts) {
    parts_[++last_] = std::move(parts);
    return last_;
  }
  const std::vector<Buffer>& parts(Version version) const { return parts_.at(version); }
  bool known(Version version) const { return parts_.contains(version); }
  uint64_t size(Version version) const {
    uint64_t size = 0;
    for (const Buffer& part : parts_.at(version)) size += part.size();
    return size;
  }
  /// Compares bytes [offset, …) of the version with `seen`.
  bool same(Version version, uint64_t offset, const std::vector<Buffer>& seen) const;

  static std::string etag(Version version) { return fmt::format("{:016x}", version); }
  /// 0 when it is none of ours.
  Version version_of(const std::string& etag) const;

 private:
  Version last_ = 0;
  std::map<Version, std::vector<Buffer>> parts_;
};

Buffer random_bytes(Rng& rng, size_t size);

}  // namespace turbine::sim
