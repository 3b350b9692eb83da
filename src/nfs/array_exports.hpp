// ArrayExports: the exports of an array: its buckets, and their rules in the cluster map.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/async.hpp"
#include "cluster/cluster_map.hpp"
#include "cluster/export_rules.hpp"
#include "fs/fs.hpp"
#include "nfs/exports.hpp"

namespace turbine::nfs {

/// One reactor thread; files, map and clock outlive it, and no map arrives after its end. start()
/// once, stop() before the destruction.
///
/// Rules hold from the moment their map arrives. Which bucket an inode is, is looked up once and
/// looked at again once a second as long as somebody is connected, since a bucket may be renamed;
/// while the array can't answer that, the last answer holds. Removed buckets stay removed: inode
/// numbers are used once.
class ArrayExports final : public Exports {
 public:
  struct Options {
    Duration refresh = std::chrono::seconds(1);
    std::function<bool()> in_use = [] { return true; };  // is anybody connected?
  };

  ArrayExports(fs::FileSystem& files, cluster::MapHolder& map, Clock& clock, Options options);
  ~ArrayExports() override;

  void start();
  Task<> stop();

  Task<std::optional<InodeId>> find(std::string path) override;
  Task<std::optional<ExportAccess>> access(InodeId root, ClientAddress client) override;
  Task<std::vector<ExportEntry>> list() override;
  uint64_t generation() const override { return generation_; }

  /// How often the buckets were listed.
  uint64_t listings() const { return listings_; }

 private:
  struct Rule {
    cluster::ClientPattern client;
    ExportAccess access;
  };
  using Rules = std::vector<Rule>;

  void take_rules(const cluster::MapPtr& map);
  /// Null: exported to nobody.
  const Rules* rules_of(const std::string& path) const;
  std::optional<ExportAccess> decide(const std::string& path, const ClientAddress& client) const;
  void remember(InodeId inode, std::string path);
  /// Lists the buckets; those who come meanwhile wait for the listing that begins after they came.
  Task<> refresh();
  Task<> list_buckets();
  Task<> refresh_loop();
  Task<> pause_until(TimePoint until);

  fs::FileSystem& files_;
  cluster::MapHolder& map_;
  Clock& clock_;
  const Options options_;
  Gate gate_;
  Event wake_;
  Semaphore one_listing_;
  std::string policies_;                            // that rules_ were made of
  std::unordered_map<std::string, Rules> rules_;    // by the policy's name
  std::unordered_map<InodeId, std::string> paths_;  // of buckets, by inode: "/photos"
  std::unordered_set<InodeId> gone_;                // were buckets
  uint64_t generation_ = 1, listings_ = 0;
  bool stopping_ = false;
};

}  // namespace turbine::nfs
