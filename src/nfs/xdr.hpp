// XDR (RFC 4506): reading out of received bytes, writing into a gather list. A message is a struct
// with one member, for both directions:
//
//   void xdr(this auto& self, auto& codec) { codec(self.offset, self.count); }
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.hpp"
#include "base/byte_codec.hpp"
#include "nfs/gather_list.hpp"
#include "nfs/xdr_types.hpp"

namespace turbine::nfs {

/// Takes fields off the front of a record. What does not fit, a length beyond the bytes that are
/// left, a bool that is neither 0 nor 1, an unknown value of an enum or padding that is not zero
/// make ok() false for good and all further fields zero. Memory is allocated for nothing that has
/// not arrived. Views and buffers it gives share the record.
class XdrReader {
 public:
  /// Reads `head` from byte `at`, then `tail`: the opaque data (with padding) whose length is the
  /// last word of `head`. Both must outlive the reader.
  explicit XdrReader(const Buffer& head, const Buffer* tail = nullptr, size_t at = 0)
      : rest_(head.view().subspan(at)), head_(&head), tail_(tail) {
    if (tail != nullptr && tail->empty()) tail_ = nullptr;
  }
  explicit XdrReader(ByteView bytes) : rest_(bytes) {}

  template <class... Fields>
  void operator()(Fields&... fields) {
    (field(fields), ...);
  }
  bool ok() const { return ok_; }
  /// All was read and was right.
  bool finished() const { return ok_ && rest_.empty() && tail_ == nullptr; }
  ByteView rest() const { return rest_; }
  void reject() {
    ok_ = false;
    rest_ = {};
    tail_ = nullptr;
  }

  /// opaque<max>: a view.
  ByteView opaque(size_t max);

 private:
  void field(uint32_t& value) { value = number<uint32_t>(); }
  void field(uint64_t& value) { value = number<uint64_t>(); }
  void field(bool& value);
  void field(std::string_view& value) { value = as_text(opaque(SIZE_MAX)); }
  void field(std::string& value) { value = as_text(opaque(SIZE_MAX)); }
  void field(Buffer& value);
  void field(std::vector<Buffer>& value) { field(value.emplace_back()); }
  void field(std::vector<uint32_t>& value);
  template <size_t kMax>
  void field(ShortOpaque<kMax>& value) {
    value.assign(opaque(kMax));
  }
  template <size_t kMax>
  void field(BoundedOpaque<kMax>& value) {
    value.bytes = as_text(opaque(kMax));
  }
  template <xdr_detail::Enum E>
  void field(E& value) {
    value = static_cast<E>(number<uint32_t>());
    if constexpr (xdr_detail::CheckedEnum<E>) {
      if (!is_valid(value)) reject();
    }
  }
  template <class T>
  void field(std::optional<T>& value) {
    bool there = false;
    field(there);
    value.reset();
    if (there) field(value.emplace());
  }
  template <class T>
  void field(XdrList<T>& list) {
    bool more = false;
    for (field(more); more && ok_; field(more)) field(list.items.emplace_back());
  }
  template <class T>
    requires requires(T& t, XdrReader& r) { t.xdr(r); }
  void field(T& value) {
    value.xdr(*this);
  }

  template <class T>
  T number() {
    if (rest_.size() < sizeof(T)) {
      reject();
      return {};
    }
    const T value = load_be<T>(rest_.data());
    rest_ = rest_.subspan(sizeof(T));
    return value;
  }
  void skip_padding(size_t size);

  ByteView rest_;
  const Buffer* head_ = nullptr;
  const Buffer* tail_ = nullptr;
  bool ok_ = true;
};

/// Puts fields behind each other into a gather list. Payload buffers are passed on, not copied.
class XdrWriter {
 public:
  explicit XdrWriter(GatherList& out) : out_(out) {}

  template <class... Fields>
  void operator()(const Fields&... fields) {
    (field(fields), ...);
  }
  void opaque(ByteView bytes);
  /// One record with its mark (RFC 5531 section 11) around what is written in between.
  void begin_record();
  void end_record();

 private:
  void field(uint32_t value) { number(value); }
  void field(uint64_t value) { number(value); }
  void field(bool value) { number(uint32_t{value}); }
  void field(std::string_view value) { opaque(as_bytes(value)); }
  void field(const std::string& value) { opaque(as_bytes(value)); }
  void field(const Buffer& value);
  void field(const std::vector<Buffer>& value);
  void field(const std::vector<uint32_t>& value);
  template <size_t kMax>
  void field(const ShortOpaque<kMax>& value) {
    opaque(value.view());
  }
  template <size_t kMax>
  void field(const BoundedOpaque<kMax>& value) {
    opaque(as_bytes(value.bytes));
  }
  template <xdr_detail::Enum E>
  void field(E value) {
    number(static_cast<uint32_t>(value));
  }
  template <class T>
  void field(const std::optional<T>& value) {
    number(uint32_t{value.has_value()});
    if (value.has_value()) field(*value);
  }
  template <class T>
  void field(const XdrList<T>& list) {
    for (const T& item : list.items) {
      number(uint32_t{1});
      field(item);
    }
    number(uint32_t{0});
  }
  template <class T>
    requires requires(const T& t, XdrWriter& w) { t.xdr(w); }
  void field(const T& value) {
    value.xdr(*this);
  }

  template <class T>
  void number(T value) {
    store_le(out_.extend(sizeof(T)), std::byteswap(value));
  }
  void pad(size_t size);

  GatherList& out_;
  std::byte* mark_ = nullptr;
  uint64_t mark_at_ = 0;
};

}  // namespace turbine::nfs
