#include "sim/file_client.hpp"

#include <algorithm>

namespace turbine::sim {
namespace {

constexpr int kDirectories = 3;  // of each client, to begin with
constexpr uint64_t kNames = 5;   // in one directory
constexpr size_t kFilesMax = 14;
constexpr size_t kDirectoriesMax = 9;
constexpr uint64_t kFileBytesMax = 400'000;

}  // namespace

FileClient::FileClient(SimArray& array, FileCounters& counters, uint32_t number, uint64_t seed)
    : array_(array), counters_(counters), number_(number), rng_(seed) {}

Task<> FileClient::set_up(InodeId bucket, InodeId shared) {
  bucket_ = bucket;
  shared_ = shared;
  const auto gateway = array_.gateway(0);
  fs::NewFileRequest request;
  request.directory = bucket;
  request.name = fmt::format("c{}", number_);
  request.attributes.mode = 0755;
  const auto home = CO_TRY(co_await gateway->files->files().make_directory(gateway->files->begin(1),
                                                                           {}, std::move(request)));
  tree_.add_top(home.file.id, fmt::format("c{}", number_));
  tree_.add_top(shared, "shared");
  for (int i = 0; i < kDirectories; ++i) {
    CO_TRY(co_await perform({.kind = Kind::make_directory,
                             .directory = home.file.id,
                             .name = fmt::format("n{}", i),
                             .mode = 0755}));
  }
  co_return Result<>{};
}

Task<> FileClient::run(const bool& stop) {
  stop_ = &stop;
  calm_ = false;
  while (!stop) {
    if (!settled()) {
      CO_TRY(co_await settle());
    } else if (take_gateway()) {
      CO_TRY(co_await one_step());
    }
    gateway_.reset();
    CO_TRY(co_await pause(1 + static_cast<int>(rng_.below(60))));
  }
  co_return Result<>{};
}

Task<> FileClient::one_step() {
  const uint64_t dice = rng_.below(100);
  if (dice < 70) co_return co_await perform(some_operation());
  if (dice < 77) {
    const auto file = some_file();
    if (file) co_return co_await look_at_file(*file);
  }
  const InodeId directory = some_directory();
  if (dice < 82) co_return co_await look_up(directory, some_name(directory));
  if (dice < 90) co_return co_await list_directory(directory);
  if (dice < 95) {
    co_return co_await look_at_object(tree_.key(directory, some_name(directory)));
  }
  if (dice < 99) co_return co_await list_objects(directory);
  const auto seen = co_await see_all();
  std::map<InodeId, InodeId> found;
  const std::string wrong = seen.ok() ? difference(tree_, *seen, &found) : "";
  if (!wrong.empty()) complain("the tree: {}", wrong);
  co_return Result<>{};
}

FileOperation FileClient::some_operation() {
  const size_t files = static_cast<size_t>(std::ranges::count_if(
      tree_.nodes(), [](const auto& node) { return !node.second.is_directory; }));
  FileOperation op;
  op.directory = some_directory();
  op.name = some_name(op.directory);
  op.mode = 0644;
  const uint64_t dice = rng_.below(100);
  const auto file = some_file();
  if (dice < 24 && files < kFilesMax) {
    op.kind = Kind::create;
    if (dice < 8 && !tree_.is_directory_at(op.directory, op.name)) {
      op.kind = Kind::put_object;
      op.version = ++last_version_;
      op.bytes = some_bytes(rng_.below(rng_.chance(1, 4) ? 300'000 : 20'000));
    }
  } else if (dice < 31 && tree_.nodes().size() - files < kDirectoriesMax) {
    op.kind = Kind::make_directory;
    op.mode = 0755;
  } else if (dice < 54) {
    op.kind = Kind::rename;
    op.to = some_directory();
    op.to_name = some_name(op.to);
  } else if (dice < 62 && file) {
    op.kind = Kind::link;
    op.file = *file;
  } else if (dice < 85 && file) {
    return some_change(*file);
  } else if (dice < 90) {
    op.kind = Kind::remove_directory;
  } else {
    op.kind = rng_.chance(1, 4) ? Kind::delete_object : Kind::remove;
  }
  return op;
}

FileOperation FileClient::some_change(InodeId file) {
  const uint64_t size = tree_.node(file).bytes->size();
  const uint64_t dice = rng_.below(10);
  FileOperation op;
  op.file = file;
  if (dice == 0) {
    op.kind = Kind::set_mode;
    op.mode = 0600 + static_cast<uint32_t>(rng_.below(0100));
  } else if (dice < 3) {
    op.kind = Kind::set_size;
    op.size = rng_.chance(1, 3) ? 0 : rng_.below(size + 20'000);
    if (op.size == size) ++op.size;
  } else {
    op.kind = Kind::write;
    op.offset = rng_.below(size + (rng_.chance(1, 4) ? 30'000 : 1));
    const size_t length = 1 + rng_.below(rng_.chance(1, 4) ? 100'000 : 6'000);
    op.offset = std::min(op.offset, kFileBytesMax - length);
    op.bytes = some_bytes(length);
  }
  return op;
}

InodeId FileClient::some_directory() {
  std::vector<InodeId> directories;
  for (const auto& [id, node] : tree_.nodes()) {
    if (node.is_directory) directories.push_back(id);
  }
  return directories[rng_.below(directories.size())];
}

std::optional<InodeId> FileClient::some_file() {
  std::vector<InodeId> files;
  for (const auto& [id, node] : tree_.nodes()) {
    if (!node.is_directory) files.push_back(id);
  }
  if (files.empty()) return std::nullopt;
  return files[rng_.below(files.size())];
}

std::string FileClient::some_name(InodeId directory) {
  const uint64_t number = rng_.below(kNames);
  if (directory == shared_) return fmt::format("c{}-{}", number_, number);
  return fmt::format("n{}", number);
}

std::string FileClient::some_bytes(size_t size) {
  std::string bytes(size, '\0');
  rng_.fill(std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

bool FileClient::is_mine(InodeId directory, const std::string& name) const {
  return directory != shared_ || name.starts_with(fmt::format("c{}-", number_));
}

bool FileClient::take_gateway() {
  const auto first = static_cast<uint32_t>(rng_.below(kGateways));
  gateway_ = array_.gateway(first);
  if (!gateway_) gateway_ = array_.gateway((first + 1) % kGateways);
  return gateway_ != nullptr;
}

// --- when all is over ------------------------------------------------------------------------

Task<> FileClient::check_all() {
  calm_ = true;
  if (!settled()) CO_TRY(co_await settle());
  const SeenTree seen = CO_TRY(co_await see_all());
  std::map<InodeId, InodeId> found;
  const std::string wrong = difference(tree_, seen, &found);
  if (!wrong.empty()) complain("the tree at the end: {}", wrong);
  for (const auto& [top, path] : tree_.tops()) CO_TRY(co_await list_objects(top));
  for (const auto& [key, id] : tree_.objects()) {
    if (!tree_.node(id).is_directory) CO_TRY(co_await look_at_object(key));
  }
  co_return Result<>{};
}

Task<> FileClient::remove_all() {
  const auto objects = tree_.objects();  // what is in a directory comes behind it
  for (auto object = objects.rbegin(); object != objects.rend(); ++object) {
    std::string path = object->first;
    if (path.ends_with('/')) path.pop_back();
    FileOperation op;
    op.name = path.substr(path.rfind('/') + 1);
    op.kind = rng_.chance(1, 2) ? Kind::delete_object : Kind::remove;
    if (tree_.node(object->second).is_directory) op.kind = Kind::remove_directory;
    path.resize(path.rfind('/'));
    for (const auto& [id, node] : tree_.nodes()) {
      if (node.is_directory && tree_.path(id) == path) op.directory = id;
    }
    CO_TRY(co_await perform(std::move(op)));
  }
  CHECK(take_gateway());
  const auto removed = co_await gateway_->files->files().remove_directory(
      gateway_->files->begin(1), {}, bucket_, fmt::format("c{}", number_));
  if (!removed.ok()) complain("the removal of its directory: {}", removed.error().text());
  co_return Result<>{};
}

}  // namespace turbine::sim
