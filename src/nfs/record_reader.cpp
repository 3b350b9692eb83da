#include "nfs/record_reader.hpp"

#include <algorithm>

#include "base/byte_codec.hpp"

namespace turbine::nfs {
namespace {

constexpr size_t kMarkBytes = 4;
constexpr size_t kSmallWindow = kPageBytes;
constexpr size_t kLargeWindow = size_t{32} << 10;
// A record up to this long is put together in the window.
constexpr size_t kWindowRecordMax = size_t{16} << 10;
// Enough of a record to find its payload: call header with two full credentials, WRITE's arguments.
constexpr size_t kPrefixBytes = 1024;
constexpr size_t kReadBytesMin = 512;

bool shared(const Buffer& buffer) {
  return __atomic_load_n(&buffer.storage()->references, __ATOMIC_ACQUIRE) > 1;
}

}  // namespace

Result<RecordReader::Mark> RecordReader::check_mark() {
  const auto word = load_be<uint32_t>(input());
  const Mark mark{word & 0x7FFFFFFFU, (word & 0x80000000U) != 0};
  if (mark.size == 0 && !mark.last)
    return fail(Errc::invalid, "an empty fragment that is not last");
  if (fragments_ + 1 > limits_.fragments_max) {
    return fail(Errc::invalid, "a record of more than {} fragments", limits_.fragments_max);
  }
  const size_t before = assembling_ ? body_used_ : 0;
  if (mark.size > limits_.record_bytes_max - before) {
    return fail(Errc::invalid, "a record of more than {} bytes", limits_.record_bytes_max);
  }
  return mark;
}

Result<std::optional<Record>> RecordReader::next() {
  if (wanted_ > 0) return std::nullopt;
  if (assembling_) {
    if (TRY(assemble())) return finish();
    return std::nullopt;
  }
  if (available() < kMarkBytes) return std::nullopt;
  const Mark mark = TRY(check_mark());
  const size_t have = available() - kMarkBytes;
  if (mark.last && have >= mark.size) {
    Record record;
    record.head = window_.slice(begin_ + kMarkBytes, mark.size);
    begin_ += kMarkBytes + mark.size;
    return record;
  }
  if (mark.last && mark.size <= kWindowRecordMax) return std::nullopt;
  if (mark.last && have < kPrefixBytes) return std::nullopt;
  begin_ += kMarkBytes;
  begin_fragment(mark);
  if (wanted_ > 0) return std::nullopt;
  if (TRY(assemble())) return finish();
  return std::nullopt;
}

void RecordReader::begin_fragment(Mark mark) {
  ++fragments_;
  last_fragment_ = mark.last;
  fragment_left_ = mark.size;
  if (!assembling_) {
    assembling_ = true;
    body_used_ = 0;
    if (mark.last) {
      const ByteView prefix(input(), std::min(available(), mark.size));
      const auto at = find_payload_(prefix);
      if (at && *at <= prefix.size()) {
        record_.head = window_.slice(begin_, *at);
        begin_ += *at;
        fragment_left_ -= *at;
      }
    }
  }
  // All at once: records that hold a part and wait for more could wait for each other.
  if (fragments_ == 1) wanted_ = mark.last ? fragment_left_ : limits_.record_bytes_max;
}

void RecordReader::grant() {
  body_ = Buffer::allocate(wanted_);
  record_.reserved = wanted_;
  wanted_ = 0;
}

Result<bool> RecordReader::assemble() {
  for (;;) {
    const size_t take = std::min(fragment_left_, available());
    if (take > 0) {
      std::memcpy(body_.data() + body_used_, input(), take);
      body_used_ += take;
      fragment_left_ -= take;
      begin_ += take;
    }
    if (fragment_left_ > 0) return false;
    if (last_fragment_) return true;
    if (available() < kMarkBytes) return false;
    const Mark mark = TRY(check_mark());
    begin_ += kMarkBytes;
    begin_fragment(mark);
    if (wanted_ > 0) return false;
  }
}

std::optional<Record> RecordReader::finish() {
  body_.resize(body_used_);
  if (record_.head.storage() == nullptr) {
    record_.head = std::move(body_);
  } else {
    record_.payload = std::move(body_);
  }
  body_ = Buffer();
  assembling_ = false;
  body_used_ = 0;
  fragments_ = 0;
  return std::exchange(record_, Record{});
}

MutableByteView RecordReader::room() {
  CHECK(wanted_ == 0);
  if (assembling_ && fragment_left_ > 0 && available() == 0) {
    return {body_.data() + body_used_, fragment_left_};
  }
  const size_t have = available();
  size_t needed = have + kReadBytesMin;
  if (!assembling_ && have >= kMarkBytes) {
    const size_t size = load_be<uint32_t>(input()) & 0x7FFFFFFFU;
    if (size <= kWindowRecordMax) needed = std::max(needed, kMarkBytes + size);
  }
  const bool large = needed > kSmallWindow || last_read_bytes_ >= kSmallWindow;
  const size_t size = large ? kLargeWindow : kSmallWindow;
  const bool reusable = window_.storage() != nullptr && window_.size() == size && !shared(window_);
  const bool fits = window_.size() - begin_ >= needed && (have > 0 || window_.size() == size);
  if (fits && !(reusable && have == 0)) return window_.mutable_view().subspan(end_);
  if (reusable) {
    std::memmove(window_.data(), window_.data() + begin_, have);
  } else {
    Buffer fresh = Buffer::allocate(size);
    if (have > 0) std::memcpy(fresh.data(), input(), have);
    window_ = std::move(fresh);
  }
  begin_ = 0;
  end_ = have;
  return window_.mutable_view().subspan(end_);
}

void RecordReader::received(size_t bytes) {
  if (assembling_ && fragment_left_ > 0 && available() == 0) {
    body_used_ += bytes;
    fragment_left_ -= bytes;
    return;
  }
  last_read_bytes_ = bytes;
  end_ += bytes;
}

}  // namespace turbine::nfs
