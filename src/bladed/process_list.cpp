#include "bladed/process_list.hpp"

#include "base/byte_codec.hpp"

namespace turbine::bladed {
namespace {

/// In slot 0, beside the rows of chunk, meta and replica. docs/format/metadata.md
std::string list_key() {
  return std::string("\x00\x00\xf2processes", 12);
}

}  // namespace

Result<std::vector<uint64_t>> read_process_list(kv::Kv& kv) {
  std::vector<uint64_t> processes;
  const auto value = TRY(kv.get(list_key()));
  if (!value.has_value()) return processes;
  ByteReader reader(*value);
  processes.reserve(value->size() / sizeof(uint64_t));
  while (!reader.empty()) processes.push_back(TRY(reader.le<uint64_t>()));
  return processes;
}

Result<> write_process_list(kv::Kv& kv, const std::vector<uint64_t>& processes) {
  std::string value;
  for (const uint64_t process : processes) append_le<uint64_t>(value, process);
  kv::WriteBatch batch;
  batch.put(list_key(), std::move(value));
  return kv.write(std::move(batch));
}

}  // namespace turbine::bladed
