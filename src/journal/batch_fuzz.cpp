// Arbitrary bytes as a batch, as they are and with a right checksum, so that records are reached.
#include <cstdlib>
#include <cstring>

#include "base/byte_codec.hpp"
#include "base/hash.hpp"
#include "journal/batch.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace turbine;
  using namespace turbine::journal;
  constexpr uint64_t kSeed = 1;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (size >= kBatchHeaderBytes) {
    const auto claimed = load_le<uint32_t>(bytes.data() + 56);
    const uint64_t position = load_le<uint64_t>(bytes.data() + 24);
    std::memcpy(bytes.data() + 8, "TURBTCH1", 8);
    if (claimed >= kBatchHeaderBytes && claimed <= size) {
      store_le<uint64_t>(bytes.data(), hash64(as_bytes(bytes).subspan(8, claimed - 8), kSeed));
    }
    const auto header = parse_batch(as_bytes(bytes), position, kSeed);
    if (header.ok()) {
      const auto body =
          as_bytes(bytes).subspan(kBatchHeaderBytes, header->bytes - kBatchHeaderBytes);
      size_t total = 0;
      const auto parsed = parse_records(body, header->record_count, [&](Record record, size_t) {
        total += record_bytes(record);
      });
      if (parsed.ok() && total != body.size()) std::abort();
    }
  }
  std::ignore = parse_records({reinterpret_cast<const std::byte*>(data), size}, 1000,
                              [](const Record&, size_t) {});
  return 0;
}
