#include "io/unreadable_device.hpp"

#include <algorithm>
#include <charconv>

namespace turbine::io {

namespace {

Result<uint64_t> parse_range_number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  return fail(Errc::invalid, "TURBINE_UNREADABLE wants OFFSET:BYTES, not '{}'", text);
}

}  // namespace

Result<DeviceRange> parse_device_range(std::string_view text) {
  const size_t colon = std::min(text.find(':'), text.size());
  DeviceRange range;
  range.offset = TRY(parse_range_number(text.substr(0, colon)));
  range.bytes = TRY(parse_range_number(text.substr(std::min(colon + 1, text.size()))));
  return range;
}

Task<Buffer> UnreadableDevice::read(uint64_t offset, size_t size) {
  const bool touches = offset < range_.offset + range_.bytes && range_.offset < offset + size;
  return failing_ && touches ? refuse(offset, size) : inner_->read(offset, size);
}

Task<Buffer> UnreadableDevice::refuse(uint64_t offset, size_t size) {
  co_return fail(Errc::io, "read of {} bytes at {} failed, as a test has asked for", size, offset);
}

}  // namespace turbine::io
