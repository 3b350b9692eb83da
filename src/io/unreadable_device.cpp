#include "io/unreadable_device.hpp"

#include <charconv>

namespace turbine::io {

Result<DeviceRange> parse_device_range(std::string_view text) {
  DeviceRange range;
  const char* const end = text.data() + text.size();
  const auto offset = std::from_chars(text.data(), end, range.offset);
  if (offset.ec == std::errc() && offset.ptr != end && *offset.ptr == ':') {
    const auto bytes = std::from_chars(offset.ptr + 1, end, range.bytes);
    if (bytes.ec == std::errc() && bytes.ptr == end) return range;
  }
  return fail(Errc::invalid, "TURBINE_UNREADABLE wants OFFSET:BYTES, not '{}'", text);
}

Task<Buffer> UnreadableDevice::read(uint64_t offset, size_t size) {
  const bool touches = offset < range_.offset + range_.bytes && range_.offset < offset + size;
  return failing_ && touches ? refuse(offset, size) : inner_->read(offset, size);
}

Task<Buffer> UnreadableDevice::refuse(uint64_t offset, size_t size) {
  co_return fail(Errc::io, "read of {} bytes at {} failed, as a test has asked for", size, offset);
}

}  // namespace turbine::io
