// Writes batches to a RocksDB store until it is killed: batch n sets ten keys to n. Prints n after
// a flush that covers it. Started by rocks_kv_test.
#include <unistd.h>

#include <string>

#include "io/reactor.hpp"
#include "kv/rocks_kv.hpp"

namespace turbine::kv {
namespace {

Task<> write_for_ever(Kv& kv) {
  for (uint64_t n = 1;; ++n) {
    WriteBatch batch;
    batch.remove_range("key", "kez");
    for (int i = 0; i < 10; ++i) {
      batch.put("key" + std::to_string(i), std::to_string(n) + std::string(size_t{500} * i, '.'));
    }
    CO_TRY(kv.write(std::move(batch)));
    if (n % 7 != 0) continue;
    CO_TRY(co_await kv.flush());
    const std::string line = std::to_string(n) + "\n";
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) co_return Result<>{};
  }
}

}  // namespace
}  // namespace turbine::kv

int main(int, char** argv) {
  turbine::io::Reactor reactor;
  auto kv = turbine::kv::open_rocks_kv(reactor.executor(), reactor.pool(),
                                       {.directory = argv[1], .write_buffer_bytes = 128 << 10});
  if (!kv.ok()) return 1;
  return reactor.run(turbine::kv::write_for_ever(**kv)).ok() ? 0 : 1;
}
