#include "sim/file_world.hpp"

namespace turbine::sim {
namespace {

constexpr uint32_t kFileClients = 2;

}  // namespace

FileWorld::FileWorld(SimArray& array, uint64_t seed) : array_(array) {
  Rng rng(seed ^ 0xF11E5);
  for (uint32_t i = 0; i < kFileClients; ++i) {
    clients_.push_back(std::make_unique<FileClient>(array, counters_, i + 1, rng.next()));
  }
}

Task<> FileWorld::set_up() {
  const auto gateway = array_.gateway(0);
  fs::FileSystem& files = *gateway->files;
  const auto bucket = CO_TRY(co_await files.create_bucket(files.begin(1), kFilesBucket));
  bucket_ = bucket.inode;
  fs::NewFileRequest request;
  request.directory = bucket_;
  request.name = "shared";
  request.attributes.mode = 0755;
  const auto shared = CO_TRY(
      co_await gateway->files->files().make_directory(files.begin(1), {}, std::move(request)));
  for (const auto& client : clients_) CO_TRY(co_await client->set_up(bucket_, shared.file.id));
  co_return Result<>{};
}

void FileWorld::spawn(Gate& gate, const bool& stop) {
  for (const auto& client : clients_) gate.spawn("client of files", client->run(stop));
}

Task<> FileWorld::check_all() {
  for (const auto& client : clients_) CO_TRY(co_await client->check_all());
  co_return Result<>{};
}

Task<> FileWorld::remove_all() {
  for (const auto& client : clients_) CO_TRY(co_await client->remove_all());
  const auto gateway = array_.gateway(0);
  fs::Files& files = gateway->files->files();
  const auto call = [&] { return gateway->files->begin(1); };
  CO_TRY(co_await files.remove_directory(call(), {}, bucket_, "shared"));
  const auto left =
      CO_TRY(co_await files.list({}, {.directory = bucket_, .count = 10, .with_stat = false}));
  for (const auto& entry : left.entries) array_.trace.complain("'{}' is left", entry.name);
  CO_TRY(co_await files.remove_directory(call(), {}, files.root(), kFilesBucket));
  co_return Result<>{};
}

}  // namespace turbine::sim
