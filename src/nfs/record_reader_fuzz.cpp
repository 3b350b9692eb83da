// Record marking: the records of a stream never depend on where its pieces end, nor on whether a
// payload is split off, and none breaks the limits.
#include "base/check.hpp"
#include "nfs/record_reader.hpp"

namespace turbine::nfs {
namespace {

constexpr RecordLimits kLimits{.record_bytes_max = 40'000, .fragments_max = 4};

std::optional<size_t> never(ByteView) {
  return std::nullopt;
}
std::optional<size_t> behind_16(ByteView prefix) {
  return prefix.size() < 16 ? std::nullopt : std::optional<size_t>(16);
}

std::string records_of(std::string_view stream, size_t piece, PayloadFinder finder) {
  RecordReader reader(kLimits, finder);
  std::string out;
  for (;;) {
    auto next = reader.next();
    if (!next.ok()) return out + "cut: " + next.error().context;
    if (next->has_value()) {
      const Record& record = **next;
      CHECK(record.head.size() + record.payload.size() <= kLimits.record_bytes_max);
      out += fmt::format("{}:", record.head.size() + record.payload.size());
      out += record.head.text();
      out += record.payload.text();
      continue;
    }
    if (reader.wanted() > 0) {
      CHECK(reader.wanted() <= kLimits.record_bytes_max);
      reader.grant();
      continue;
    }
    if (stream.empty()) return out + (reader.partial() ? "partial" : "whole");
    const MutableByteView room = reader.room();
    const size_t size = std::min({piece, room.size(), stream.size()});
    CHECK(size > 0);
    std::memcpy(room.data(), stream.data(), size);
    reader.received(size);
    stream.remove_prefix(size);
  }
}

}  // namespace
}  // namespace turbine::nfs

/// The first byte says how the stream is cut; the second repeats the rest, for long records out of
/// short inputs.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace turbine::nfs;
  if (size < 2) return 0;
  const size_t piece = data[0] + size_t{1};
  const std::string_view once(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::string stream(once);
  for (int i = 0; i < data[1] && stream.size() < 100'000; ++i) stream += once;
  const std::string whole = records_of(stream, stream.size() + 1, never);
  CHECK(records_of(stream, piece, never) == whole);
  CHECK(records_of(stream, piece, behind_16) == whole);
  return 0;
}
