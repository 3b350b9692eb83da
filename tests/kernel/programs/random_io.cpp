// Random reads, writes, truncations, mappings and flushes on a few files, checked against a model
// in memory; in the spirit of fsx.
//
//   random_io [--seed=N] [--operations=N | --seconds=S | --until=PATH] [--files=N]
//             [--bytes-max=N] [--direct] [--sync]
//
// Files are random_io.0 and so on in the working directory. The same seed and options give the same
// operations.
#include <memory>
#include <vector>

#include "checked_file.hpp"

int main(int argc, char** argv) {
  using namespace turbine::kernel_test;
  Dice dice(seed_option(argc, argv));
  const Bound bound(argc, argv, 2000);
  const CheckedFile::Options options{
      .bytes_max = number_option(argc, argv, "bytes-max", 1 << 20),
      .direct = number_option(argc, argv, "direct", 0) != 0,
      .sync = number_option(argc, argv, "sync", 0) != 0,
  };
  if (options.bytes_max == 0) fail("--bytes-max must not be 0");
  const uint64_t count = number_option(argc, argv, "files", 3);
  if (count == 0) fail("--files must not be 0");
  std::vector<std::unique_ptr<CheckedFile>> files;
  files.reserve(count);
  for (uint64_t i = 0; i < count; ++i)
    files.push_back(std::make_unique<CheckedFile>(fmt::format("random_io.{}", i), options));
  Progress progress;
  while (!bound.reached(progress.done())) {
    files[below(dice, count)]->step(dice);
    progress.add();
  }
  for (auto& file : files) file->verify();
  say("{} operations on {} files, no difference", progress.done(), count);
}
