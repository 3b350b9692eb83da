#include "nfs/xdr.hpp"

namespace turbine::nfs {
namespace {

constexpr size_t kCopiedPieceBytes = 2048;

bool all_zero(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

void XdrReader::field(bool& value) {
  const auto read = number<uint32_t>();
  if (read > 1) reject();
  value = read == 1;
}

ByteView XdrReader::opaque(size_t max) {
  const auto size = number<uint32_t>();
  if (size > max || size > rest_.size()) {
    reject();
    return {};
  }
  const ByteView bytes = rest_.first(size);
  rest_ = rest_.subspan(size);
  skip_padding(size);
  return ok_ ? bytes : ByteView{};
}

void XdrReader::skip_padding(size_t size) {
  const size_t padding = xdr_padded(size) - size;
  if (rest_.size() < padding || !all_zero(rest_.first(padding))) {
    reject();
    return;
  }
  rest_ = rest_.subspan(padding);
}

void XdrReader::field(Buffer& value) {
  if (tail_ != nullptr && rest_.size() == sizeof(uint32_t)) {
    const auto size = number<uint32_t>();
    if (tail_->size() != xdr_padded(size) || !all_zero(tail_->view().subspan(size))) {
      reject();
      return;
    }
    value = tail_->slice(0, size);
    tail_ = nullptr;
    return;
  }
  const ByteView bytes = opaque(SIZE_MAX);
  if (bytes.empty()) return;
  value = head_ == nullptr
              ? Buffer::copy_of(bytes)
              : head_->slice(static_cast<size_t>(bytes.data() - head_->data()), bytes.size());
}

void XdrReader::field(std::vector<uint32_t>& value) {
  const auto count = number<uint32_t>();
  if (count > rest_.size() / sizeof(uint32_t)) {
    reject();
    return;
  }
  value.resize(count);
  for (uint32_t& item : value) field(item);
}

void XdrWriter::opaque(ByteView bytes) {
  number(static_cast<uint32_t>(bytes.size()));
  const size_t size = bytes.size();
  while (!bytes.empty()) {
    const ByteView piece = bytes.first(std::min(bytes.size(), kCopiedPieceBytes));
    std::memcpy(out_.extend(piece.size()), piece.data(), piece.size());
    bytes = bytes.subspan(piece.size());
  }
  pad(size);
}

void XdrWriter::pad(size_t size) {
  const size_t padding = xdr_padded(size) - size;
  if (padding > 0) std::memset(out_.extend(padding), 0, padding);
}

void XdrWriter::field(const Buffer& value) {
  number(static_cast<uint32_t>(value.size()));
  out_.append(value);
  pad(value.size());
}

void XdrWriter::field(const std::vector<Buffer>& value) {
  size_t size = 0;
  for (const Buffer& buffer : value) size += buffer.size();
  number(static_cast<uint32_t>(size));
  for (const Buffer& buffer : value) out_.append(buffer);
  pad(size);
}

void XdrWriter::field(const std::vector<uint32_t>& value) {
  number(static_cast<uint32_t>(value.size()));
  for (const uint32_t item : value) number(item);
}

void XdrWriter::begin_record() {
  mark_ = out_.extend(sizeof(uint32_t));
  mark_at_ = out_.appended();
}

void XdrWriter::end_record() {
  const auto size = static_cast<uint32_t>(out_.appended() - mark_at_);
  store_le(mark_, std::byteswap(size | 0x80000000U));
}

}  // namespace turbine::nfs
