// RandomXdr: a codec that fills messages with random values, for tests of their encoding.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "nfs/mount3.hpp"
#include "nfs/nfs3_types.hpp"
#include "nfs/nlm4.hpp"
#include "nfs/nsm1.hpp"

namespace turbine::test {

/// Views that it puts into messages live as long as it does. Strings hold no NUL, which the strings
/// of C can't.
class RandomXdr {
 public:
  explicit RandomXdr(uint64_t seed) : rng_(seed) {}

  template <class... Fields>
  void operator()(Fields&... fields) {
    (field(fields), ...);
  }

 private:
  void field(uint32_t& value) { value = static_cast<uint32_t>(rng_.next()); }
  void field(uint64_t& value) { value = rng_.next(); }
  void field(bool& value) { value = rng_.chance(1, 2); }
  void field(std::string& value) {
    value.resize(rng_.below(40));
    for (char& c : value) c = static_cast<char>(1 + rng_.below(255));
  }
  void field(std::string_view& value) { field(strings_.emplace_back()), value = strings_.back(); }
  void field(Buffer& value) {
    value = Buffer::allocate(rng_.below(rng_.chance(1, 20) ? 70000 : 50));
    rng_.fill(value.mutable_view());
  }
  void field(std::vector<Buffer>& value) {
    value.resize(1);
    field(value[0]);
  }
  void field(std::vector<uint32_t>& value) {
    value.resize(rng_.below(5));
    for (uint32_t& item : value) field(item);
  }
  template <size_t kMax>
  void field(nfs::ShortOpaque<kMax>& value) {
    value.size = static_cast<uint32_t>(rng_.below(kMax + 1));
    rng_.fill({value.bytes.data(), value.size});
  }
  template <size_t kMax>
  void field(nfs::BoundedOpaque<kMax>& value) {
    field(value.bytes);
  }
  void field(nfs::Nlm4Stats& value) { value = static_cast<nfs::Nlm4Stats>(rng_.below(10)); }
  void field(nfs::Fsh4Mode& value) { value = static_cast<nfs::Fsh4Mode>(rng_.below(4)); }
  void field(nfs::Fsh4Access& value) { value = static_cast<nfs::Fsh4Access>(rng_.below(4)); }
  void field(nfs::NsmRes& value) { value = static_cast<nfs::NsmRes>(rng_.below(2)); }
  void field(nfs::Nfsstat3& value) {
    constexpr nfs::Nfsstat3 kSome[] = {nfs::Nfsstat3::noent, nfs::Nfsstat3::jukebox};
    value = rng_.chance(3, 4) ? nfs::Nfsstat3::ok : kSome[rng_.below(2)];
  }
  void field(nfs::Mountstat3& value) {
    value = rng_.chance(3, 4) ? nfs::Mountstat3::ok : nfs::Mountstat3::acces;
  }
  void field(nfs::Ftype3& value) { value = static_cast<nfs::Ftype3>(1 + rng_.below(7)); }
  void field(nfs::TimeHow& value) { value = static_cast<nfs::TimeHow>(rng_.below(3)); }
  void field(nfs::StableHow& value) { value = static_cast<nfs::StableHow>(rng_.below(3)); }
  void field(nfs::Createmode3& value) { value = static_cast<nfs::Createmode3>(rng_.below(3)); }
  template <class T>
  void field(std::optional<T>& value) {
    value.reset();
    if (rng_.chance(2, 3)) field(value.emplace());
  }
  template <class T>
  void field(nfs::XdrList<T>& list) {
    list.items.resize(rng_.below(5));
    for (T& item : list.items) field(item);
  }
  template <class T>
    requires requires(T& t, RandomXdr& r) { t.xdr(r); }
  void field(T& value) {
    value.xdr(*this);
  }

  Rng rng_;
  std::deque<std::string> strings_;
};

}  // namespace turbine::test
