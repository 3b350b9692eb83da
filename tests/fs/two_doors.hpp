// TwoDoors: an array with two gateways, a model of its namespace, and what compares them.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fs/file_system.hpp"
#include "support/files_fixture.hpp"
#include "support/namespace_model.hpp"

namespace turbine::fs {

using test::code_of;
using test::ModelFile;
using test::ModelFilePtr;
using test::ModelName;

struct TwoDoors : test::FilesFixture {
  test::NamespaceModel model;
  const uint64_t seed;
  Rng rng{seed};
  std::unique_ptr<rpc::Transport> other_transport = array.network.attach("gateway-2");
  std::unique_ptr<ArrayFileSystem> other = make_file_system(
      array.clock, Rng(98), *other_transport, array.map, SessionId(1001), FileSystemOptions{});
  std::deque<std::string> log;  // of the last operations
  std::vector<std::pair<std::weak_ptr<ModelFile>, InodeId>> known;
  uint64_t etags_made = 0;

  explicit TwoDoors(uint64_t with_seed) : seed(with_seed) {
    EXPECT_TRUE(run(other->start()).ok());
    EXPECT_TRUE(make_directory(files.root(), "bucket-2", root, 0777).ok());
    for (const char* name : {"bucket", "bucket-2"}) {
      ModelFile directory;
      directory.type = FileType::directory;
      directory.mode = 0777;
      directory.parent = &model.root;
      model.root.entries[std::string(name) + '/'] = std::make_shared<ModelFile>(directory);
    }
  }
  ~TwoDoors() override {
    if (HasFailure()) {
      for (const std::string& line : log) fmt::print(stderr, "  {}\n", line);
      fmt::print(stderr, "seed {}\n", seed);
    }
    EXPECT_TRUE(run(other->stop()).ok());
    array.clock.run_until_idle();
    other.reset();
    EXPECT_TRUE(run(other_transport->stop()).ok());
  }

  // Choices. ------------------------------------------------------------------------------------

  ArrayFileSystem& gateway() { return rng.chance(1, 2) ? *array.files : *other; }
  std::string any_bucket() { return rng.chance(2, 3) ? "bucket" : "bucket-2"; }
  template <class... Args>
  void note(fmt::format_string<Args...> format, Args&&... args) {
    log.push_back(fmt::format(format, std::forward<Args>(args)...));
    if (log.size() > 60) log.pop_front();
  }
  std::string any_component();
  std::string any_key(const std::string& bucket);
  static void collect(ModelFile* directory, std::vector<ModelFile*>* all);
  std::vector<ModelFile*> directories();
  ModelFile* any_directory();
  /// A name that may be given, as it would be shown.
  std::string new_name();
  std::optional<ModelName> any_entry();
  std::string any_bytes();

  // What the array calls things. ----------------------------------------------------------------

  void learn(const ModelFilePtr& file, InodeId id);
  InodeId id_of(ModelFile* file, ModelFile* in = nullptr);
  /// Of a long name only the array knows how it shows it.
  std::string shown(const ModelName& name);
  bool is_unknown(InodeId id) const {
    return std::ranges::none_of(known, [&](const auto& file) { return file.second == id; });
  }
  /// A second long name of one file in a directory can't be told from the first.
  bool is_ambiguous(const ModelName& name);

  /// Does it, and now and then sends it a second time, which must change nothing.
  template <class F>
  auto twice(F mutation) {
    CallContext once = call();
    auto result = run(mutation(gateway().files(), once));
    if (rng.chance(1, 12)) {
      once.received = array.clock.now();
      const auto again = run(mutation(gateway().files(), once));
      EXPECT_EQ(code_of(again), code_of(result)) << "of the same request";
    }
    return result;
  }

  // Comparisons. --------------------------------------------------------------------------------

  void expect_object(const std::string& key, const ModelFilePtr& file, const ObjectInfo& info);
  void expect_same_get(const std::string& bucket, const std::string& key);
  void expect_same_stat(ModelFile* file, const FileStat& stat);
  void expect_same_read(ModelFile* file, uint64_t offset, uint32_t count);
  void expect_same_directory(ModelFile* directory);
  static void add_directories(ModelFile* directory, const std::string& path,
                              const ListRequest& request,
                              std::map<std::string, ModelFilePtr>* keys);
  static std::vector<std::pair<std::string, ModelFilePtr>> list_of(
      const std::map<std::string, ModelFilePtr>& keys, const ListRequest& request, bool* truncated);
  void expect_same_list(const std::string& bucket, const ListRequest& request);
  void expect_same_tree();
};

}  // namespace turbine::fs
