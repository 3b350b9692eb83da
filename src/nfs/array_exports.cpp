#include "nfs/array_exports.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/tick.hpp"

namespace turbine::nfs {
namespace {

constexpr size_t kGoneMax = 100'000;
constexpr int kRestPerListing = 20;  // a listing that takes long is not begun again at once

Squash to_squash(proto::NfsSquash squash) {
  switch (squash) {
    case proto::NFS_SQUASH_NONE:
      return Squash::none;
    case proto::NFS_SQUASH_ALL:
      return Squash::all;
    default:
      return Squash::root;
  }
}

ExportAccess to_access(const proto::NfsExportRule& rule) {
  return {.read_only = !rule.read_write(),
          .squash = to_squash(rule.squash()),
          .anonymous_uid = rule.anonymous_uid(),
          .anonymous_gid = rule.anonymous_gid(),
          .secure = !rule.insecure()};
}

}  // namespace

ArrayExports::ArrayExports(fs::FileSystem& files, cluster::MapHolder& map, Clock& clock,
                           Options options)
    : files_(files),
      map_(map),
      clock_(clock),
      options_(std::move(options)),
      gate_(clock.executor()),
      wake_(clock.executor()),
      one_listing_(clock.executor(), 1) {}

ArrayExports::~ArrayExports() = default;

void ArrayExports::start() {
  map_.observe([this](const cluster::MapPtr& map) { take_rules(map); });
  if (const cluster::MapPtr map = map_.get()) take_rules(map);
  gate_.spawn("nfs exports", refresh_loop());
}

Task<> ArrayExports::stop() {
  stopping_ = true;
  wake_.notify_all();
  co_return co_await gate_.close();
}

// --- rules -----------------------------------------------------------------------------------

void ArrayExports::take_rules(const cluster::MapPtr& map) {
  proto::NfsSettings settings;
  *settings.mutable_policies() = map->record().nfs().policies();
  std::string policies = settings.SerializeAsString();
  if (policies == policies_) return;  // maps change for other reasons much more often
  policies_ = std::move(policies);
  rules_.clear();
  for (const proto::NfsExportPolicy& policy : settings.policies()) {
    Rules& rules = rules_[policy.name()];
    for (const proto::NfsExportRule& rule : policy.rules()) {
      auto client = cluster::ClientPattern::parse(rule.client());
      if (client.ok()) {
        rules.push_back({*client, to_access(rule)});
        continue;
      }
      log::error("nfs: nobody may mount {} before its rules are set again: {}", policy.name(),
                 client.error().context);
      rules.clear();
      break;
    }
  }
  ++generation_;
}

const ArrayExports::Rules* ArrayExports::rules_of(const std::string& path) const {
  auto found = rules_.find(path);
  if (found == rules_.end() && path != cluster::kArrayExport) {
    found = rules_.find(std::string(cluster::kDefaultPolicy));
  }
  return found == rules_.end() ? nullptr : &found->second;
}

std::optional<ExportAccess> ArrayExports::decide(const std::string& path,
                                                 const ClientAddress& client) const {
  const Rules* rules = rules_of(path);
  if (rules == nullptr) return std::nullopt;
  const auto rule = std::ranges::find_if(
      *rules, [&](const Rule& each) { return each.client.matches(client.address); });
  if (rule == rules->end()) return std::nullopt;
  return rule->access;
}

// --- buckets ---------------------------------------------------------------------------------

Task<std::optional<InodeId>> ArrayExports::find(std::string path) {
  if (path == cluster::kArrayExport) co_return kRootInode;
  if (path.rfind('/') != 0) co_return std::nullopt;  // exports are buckets, none is below one
  const auto bucket = co_await files_.bucket(files_.begin(0), path.substr(1));
  if (bucket.failed_with(Errc::not_found)) co_return std::nullopt;
  if (!bucket.ok()) co_return fail(bucket.error());
  remember(bucket->inode, std::move(path));
  co_return bucket->inode;
}

Task<std::optional<ExportAccess>> ArrayExports::access(InodeId root, ClientAddress client) {
  if (root == kRootInode) co_return decide(std::string(cluster::kArrayExport), client);
  auto path = paths_.find(root);
  if (path == paths_.end() && !gone_.contains(root)) {
    CO_TRY(co_await refresh());
    path = paths_.find(root);
    // There is a handle, so there was a bucket; it is in no list, so it is no more.
    if (path == paths_.end()) {
      if (gone_.size() >= kGoneMax) gone_.clear();
      gone_.insert(root);
    }
  }
  if (path == paths_.end()) co_return std::nullopt;
  co_return decide(path->second, client);
}

Task<std::vector<ExportEntry>> ArrayExports::list() {
  CO_TRY(co_await refresh());
  std::vector<std::string> paths{std::string(cluster::kArrayExport)};
  for (const auto& [inode, path] : paths_) paths.push_back(path);
  std::ranges::sort(paths);
  std::vector<ExportEntry> out;
  for (std::string& path : paths) {
    const Rules* rules = rules_of(path);
    if (rules == nullptr || rules->empty()) continue;
    ExportEntry& entry = out.emplace_back();
    entry.path = std::move(path);
    for (const Rule& rule : *rules) entry.clients.push_back(rule.client.text());
  }
  co_return out;
}

void ArrayExports::remember(InodeId inode, std::string path) {
  std::string& known = paths_[inode];
  if (known == path) return;
  if (!known.empty()) ++generation_;
  known = std::move(path);
}

Task<> ArrayExports::refresh() {
  const uint64_t had = listings_;
  CO_TRY(co_await one_listing_.acquire());
  // Two have been made since, so one of them began after this call.
  Result<> done;
  if (listings_ < had + 2) done = co_await list_buckets();
  one_listing_.release();
  co_return done;
}

Task<> ArrayExports::list_buckets() {
  const auto buckets = CO_TRY(co_await files_.list_buckets(files_.begin(0)));
  ++listings_;
  std::unordered_map<InodeId, std::string> paths;
  for (const fs::BucketInfo& bucket : buckets) paths[bucket.inode] = "/" + bucket.name;
  if (paths == paths_) co_return Result<>{};
  paths_ = std::move(paths);
  ++generation_;
  co_return Result<>{};
}

Task<> ArrayExports::pause_until(TimePoint until) {
  const TimerId timer = clock_.call_at(until, [this] { wake_.notify_all(); });
  while (!stopping_ && clock_.now() < until) CO_TRY(co_await wake_.wait());
  clock_.cancel(timer);
  co_return Result<>{};
}

Task<> ArrayExports::refresh_loop() {
  Duration rest = options_.refresh;
  while (!stopping_) {
    const TimePoint earliest = clock_.now() + rest - options_.refresh;
    CO_TRY(co_await pause_until(next_tick(earliest, options_.refresh)));
    if (stopping_ || !options_.in_use()) continue;
    const TimePoint began = clock_.now();
    const Result<> done = co_await refresh();
    if (!done.ok()) log::debug("nfs: buckets are not known anew: {}", done.error().text());
    rest = std::max(options_.refresh, (clock_.now() - began) * kRestPerListing);
  }
  co_return Result<>{};
}

}  // namespace turbine::nfs
