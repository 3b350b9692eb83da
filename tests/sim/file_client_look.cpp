// FileClient: what is seen, through both doors, beside what must be there.
#include <algorithm>
#include <set>

#include "sim/file_client_read.hpp"

namespace turbine::sim {
namespace {

using std::chrono::seconds;

constexpr uint32_t kReadBytesMax = 200'000;
/// Longer than a copy of a request can be on its way and still be executed.
constexpr auto kSettleTime = meta::kRequestAgeMax + seconds(10);

std::string text_of(const std::vector<Buffer>& buffers) {
  std::string text;
  for (const Buffer& buffer : buffers) text += buffer.text();
  return text;
}

struct SeenObject {
  std::string etag, bytes;
  uint64_t size = 0;
  InodeId id;
};

Task<SeenObject> see_object(fs::FileSystem& files, std::string key) {
  const auto reader = CO_TRY(co_await files.open(files.begin(1), kFilesBucket, key));
  SeenObject seen;
  seen.etag = reader->info().etag;
  seen.size = reader->info().size;
  seen.id = reader->info().inode;
  while (seen.bytes.size() < seen.size) {
    const uint64_t at = seen.bytes.size();
    const auto length = std::min<uint64_t>(kReadBytesMax, seen.size - at);
    seen.bytes += text_of(CO_TRY(co_await reader->read(at, length)));
    if (seen.bytes.size() != at + length) co_return fail(Errc::corrupt, "a short read");
  }
  co_return seen;
}

size_t first_difference(const std::string& one, const std::string& other) {
  return static_cast<size_t>(std::ranges::mismatch(one, other).in1 - one.begin());
}

}  // namespace

// --- what nobody has answered ----------------------------------------------------------------

Task<> FileClient::settle() {
  while (array_.clock.now() < open_since_ + kSettleTime) {
    if (!calm_ && *stop_) co_return Result<>{};  // later, then
    CO_TRY(co_await pause(100));
  }
  const auto seen = co_await see_all();
  if (!seen.ok()) co_return Result<>{};
  std::map<InodeId, InodeId> found, found_after;
  const std::string wrong = difference(tree_, *seen, &found);
  const std::string wrong_after = difference(*open_after_, *seen, &found_after);
  if (!wrong.empty() && !wrong_after.empty()) {
    complain("what was not answered has happened in part; not done: {}; done: {}", wrong,
             wrong_after);
  }
  if (!wrong.empty() && wrong_after.empty()) {
    tree_ = std::move(*open_after_);
    found = std::move(found_after);
  }
  for (const auto& [made, id] : found) tree_.adopt(made, id);
  open_after_.reset();
  array_.trace.note("files {}: it has {}happened", number_, wrong.empty() ? "not " : "");
  co_return Result<>{};
}

Task<SeenTree> FileClient::see_all() {
  SeenTree seen;
  for (const auto& [top, path] : tree_.tops()) CO_TRY(co_await see_directory(top, &seen));
  co_return seen;
}

Task<> FileClient::see_directory(InodeId directory, SeenTree* seen) {
  SeenFile& here = (*seen)[directory];
  uint64_t after = 0;
  for (;;) {
    const auto page = co_await read<fs::DirectoryPage>(
        [=](GatewayProcess& gateway) {
          return gateway.files->files().list(
              {}, {.directory = directory, .after = after, .count = 3, .with_stat = false});
        },
        fmt::format("list {} after {}", directory, after));
    if (!page.ok()) co_return fail(page.error());
    here.stat = page->directory;
    for (const auto& entry : page->entries) {
      after = entry.cookie;
      if (!is_mine(directory, entry.name)) continue;
      if (!here.entries.emplace(entry.name, entry.id).second) {
        complain("'{}' is twice in directory {}", entry.name, directory);
      }
    }
    if (page->end) break;
    if (page->entries.empty()) co_return fail(Errc::corrupt, "a page without entries, nor the end");
  }
  for (const auto& [name, id] : std::map(here.entries)) {
    if (seen->contains(id)) continue;
    const auto stat = co_await read<fs::FileStat>(
        [id](GatewayProcess& gateway) { return gateway.files->files().stat(id); },
        fmt::format("stat {}", id));
    if (!stat.ok() && !may_ask_again(stat.error().code)) {
      complain("'{}' in {}: {}", name, directory, stat.error().text());
    }
    if (!stat.ok()) co_return fail(stat.error());
    (*seen)[id].stat = *stat;
    if (stat->type == fs::FileType::directory) {
      CO_TRY(co_await see_directory(id, seen));
    } else {
      (*seen)[id].bytes = CO_TRY(co_await read_bytes(id));
    }
  }
  co_return Result<>{};
}

std::string FileClient::difference(const FileTree& tree, const SeenTree& seen,
                                   std::map<InodeId, InodeId>* found) const {
  std::map<InodeId, InodeId> pairs;  // model's, array's
  std::vector<InodeId> to_do;
  for (const auto& [top, path] : tree.tops()) {
    pairs[top] = top;
    to_do.push_back(top);
  }
  while (!to_do.empty()) {
    const InodeId id = to_do.back();
    to_do.pop_back();
    const FileTree::Node& node = tree.node(id);
    const SeenFile& there = seen.at(pairs.at(id));
    const bool is_directory = there.stat.type == fs::FileType::directory;
    if (is_directory != node.is_directory) return fmt::format("{} has another type", id);
    const bool is_shared = id == shared_;  // which others link into
    if (!is_shared && (there.stat.links != tree.links(id) || there.stat.mode != node.mode)) {
      return fmt::format("{} has {} links and mode {:o}, should be {} and {:o}", id,
                         there.stat.links, there.stat.mode, tree.links(id), node.mode);
    }
    if (!is_directory && there.bytes != *node.bytes) {
      return fmt::format("{} has {} bytes, should be {}, which differ from {} on", id,
                         there.bytes.size(), node.bytes->size(),
                         first_difference(there.bytes, *node.bytes));
    }
    for (const auto& [name, number] : there.entries) {
      if (!node.entries.contains(name)) return fmt::format("'{}' in {} should be gone", name, id);
    }
    for (const auto& [name, entry] : node.entries) {
      const auto shown = there.entries.find(name);
      if (shown == there.entries.end()) return fmt::format("'{}' in {} is missing", name, id);
      const auto [pair, is_new] = pairs.emplace(entry.id, shown->second);
      const bool other = FileTree::is_unnamed(entry.id) ? tree.nodes().contains(shown->second)
                                                        : entry.id != shown->second;
      if (other || pair->second != shown->second) {
        return fmt::format("'{}' in {} is {}, should be {}", name, id, shown->second, entry.id);
      }
      if (is_new) to_do.push_back(entry.id);
      if (is_new && FileTree::is_unnamed(entry.id)) (*found)[entry.id] = shown->second;
    }
  }
  return {};
}

// --- files -----------------------------------------------------------------------------------

void FileClient::check_stat(const FileTree& tree, InodeId id, const fs::FileStat& stat,
                            const std::string& where) {
  const FileTree::Node& node = tree.node(id);
  const bool is_directory = stat.type == fs::FileType::directory;
  const bool same = stat.id == id && is_directory == node.is_directory &&
                    stat.links == tree.links(id) && stat.mode == node.mode &&
                    (is_directory || stat.size == node.bytes->size());
  if (!same) {
    complain("{}: {} has {} links, mode {:o}, {} bytes; {}: {}, {:o}, {}", where, stat.id,
             stat.links, stat.mode, stat.size, id, tree.links(id), node.mode,
             node.bytes ? node.bytes->size() : 0);
  }
  int64_t& last = changed_ns_[id];
  if (stat.changed_ns < last) complain("{}: the ctime of {} goes backwards", where, id);
  last = stat.changed_ns;
}

Task<std::string> FileClient::read_bytes(InodeId file) {
  std::string bytes;
  for (;;) {
    const uint64_t offset = bytes.size();
    const auto part = co_await read<fs::FileBytes>(
        [=](GatewayProcess& gateway) {
          return gateway.files->files().read({}, file, offset, kReadBytesMax);
        },
        fmt::format("read {} from {}", file, offset));
    if (!part.ok()) co_return fail(part.error());
    bytes += text_of(part->bytes);
    if (part->end) co_return bytes;
    if (bytes.size() == offset) co_return fail(Errc::corrupt, "no bytes of {}, nor its end", file);
  }
}

Task<> FileClient::look_at_file(InodeId id) {
  const FileTree::Node& node = tree_.node(id);
  const uint64_t offset = rng_.below(node.bytes->size() + 10);
  const auto count = static_cast<uint32_t>(1 + rng_.below(kReadBytesMax));
  const std::string what = fmt::format("read {} B at {} of {}", count, offset, id);
  const auto part = co_await read<fs::FileBytes>(
      [=](GatewayProcess& gateway) { return gateway.files->files().read({}, id, offset, count); },
      what);
  if (!part.ok() && !may_ask_again(part.error().code))
    complain("{}: {}", what, part.error().text());
  if (!part.ok()) co_return Result<>{};
  const std::string bytes = text_of(part->bytes);
  const std::string right =
      offset < node.bytes->size() ? node.bytes->substr(offset, count) : std::string();
  if (bytes != right) {
    complain("{}: {} bytes, should be {}, wrong from {} on", what, bytes.size(), right.size(),
             offset + first_difference(bytes, right));
  }
  if (part->end != (offset + count >= node.bytes->size())) complain("{}: where it ends", what);
  check_stat(tree_, id, part->file, what);
  co_return Result<>{};
}

Task<> FileClient::look_up(InodeId directory, std::string name) {
  const std::string what = fmt::format("look up '{}' in {}", name, directory);
  const auto seen = co_await read<fs::FoundFile>(
      [=](GatewayProcess& gateway) { return gateway.files->files().lookup({}, directory, name); },
      what);
  const auto id = tree_.find(directory, name);
  if (seen.ok() && !id) complain("{}: it is there", what);
  if (seen.ok() && id) check_stat(tree_, *id, seen->file, what);
  if (seen.ok() || may_ask_again(seen.error().code)) co_return Result<>{};
  if (id || !seen.failed_with(Errc::not_found)) complain("{}: {}", what, seen.error().text());
  co_return Result<>{};
}

void FileClient::check_cookie(InodeId directory, const fs::DirectoryPage::Entry& entry) {
  const auto& entries = tree_.node(directory).entries;
  const auto known = entries.find(entry.name);
  if (known == entries.end()) return;
  const auto [cookie, is_new] =
      cookies_.emplace(std::pair(directory, entry.cookie), known->second.serial);
  if (!is_new && cookie->second != known->second.serial) {
    complain("'{}' in {} has the cookie {} of an earlier entry", entry.name, directory,
             entry.cookie);
  }
}

Task<> FileClient::list_directory(InodeId directory) {
  const auto before = tree_.node(directory).entries;
  std::set<std::string> seen;
  fs::DirectoryPageRequest request{.directory = directory, .with_stat = rng_.chance(1, 2)};
  for (bool end = false; !end;) {
    request.count = 1 + rng_.below(4);
    const auto page = co_await read<fs::DirectoryPage>(
        [=](GatewayProcess& gateway) { return gateway.files->files().list({}, request); },
        fmt::format("list {} of {} after {}", request.count, directory, request.after));
    if (!page.ok() && !may_ask_again(page.error().code)) {
      complain("listing {}: {}", directory, page.error().text());
    }
    if (!page.ok()) co_return Result<>{};
    if (page->entries.empty() && !page->end) {
      complain("listing {}: an empty page is not the end", directory);
      co_return Result<>{};
    }
    for (const auto& entry : page->entries) {
      request.after = entry.cookie;
      if (!is_mine(directory, entry.name)) continue;
      if (!seen.insert(entry.name).second) complain("'{}' is listed twice", entry.name);
      const auto id = tree_.find(directory, entry.name);
      if (id != entry.id) complain("listing {}: '{}' is {}", directory, entry.name, entry.id);
      if (id == entry.id && entry.file) check_stat(tree_, *id, *entry.file, "a listing");
      check_cookie(directory, entry);
    }
    end = page->end;
    if (end || !rng_.chance(1, 3)) continue;
    // The listing goes on from an entry that may be gone by then.
    FileOperation op{.kind = rng_.chance(1, 2) ? Kind::remove : Kind::create};
    op.directory = directory;
    op.name = some_name(directory);
    op.mode = 0644;
    CO_TRY(co_await perform(std::move(op)));
    if (!settled()) co_return Result<>{};
  }
  for (const auto& [name, entry] : before) {
    const auto& entries = tree_.node(directory).entries;
    const auto now = entries.find(name);
    const bool stayed = now != entries.end() && now->second.serial == entry.serial;
    if (stayed && !seen.contains(name)) complain("listing {} lacks '{}'", directory, name);
  }
  co_return Result<>{};
}

// --- objects ---------------------------------------------------------------------------------

Task<> FileClient::look_at_object(std::string key) {
  const std::string what = fmt::format("get object '{}'", key);
  const auto seen = co_await read<SeenObject>(
      [=](GatewayProcess& gateway) { return see_object(*gateway.files, key); }, what);
  const auto objects = tree_.objects();
  const auto object = objects.find(key);
  const bool there = object != objects.end() && !tree_.node(object->second).is_directory;
  if (!seen.ok()) {
    const bool right = !there && seen.failed_with(Errc::not_found);
    if (!right && !may_ask_again(seen.error().code)) complain("{}: {}", what, seen.error().text());
    co_return Result<>{};
  }
  if (!there) {
    complain("{}: it should not be there", what);
    co_return Result<>{};
  }
  const FileTree::Node& node = tree_.node(object->second);
  const bool etag_right = node.etag.empty() ? seen->etag.contains('-') : seen->etag == node.etag;
  if (!etag_right) complain("{}: its ETag is {}, not '{}'", what, seen->etag, node.etag);
  if (seen->id != object->second || seen->bytes != *node.bytes) {
    complain("{}: {} with {} bytes, should be {} with {}; differ from {} on", what, seen->id,
             seen->bytes.size(), object->second, node.bytes->size(),
             first_difference(seen->bytes, *node.bytes));
  }
  co_return Result<>{};
}

Task<> FileClient::list_objects(InodeId top) {
  const std::string prefix = tree_.path(top) + "/";
  const std::string what = fmt::format("list objects '{}'", prefix);
  std::map<std::string, uint64_t> seen, right;  // bytes
  fs::ListRequest request;
  request.prefix = prefix;
  request.count = 1 + rng_.below(10);
  for (;;) {
    const auto page = co_await read<fs::ListResult>(
        [=](GatewayProcess& gateway) {
          return gateway.files->list(gateway.files->begin(1), kFilesBucket, request);
        },
        what);
    if (!page.ok() && !may_ask_again(page.error().code))
      complain("{}: {}", what, page.error().text());
    if (!page.ok()) co_return Result<>{};
    for (const auto& item : page->items) {
      const std::string name = item.key.substr(prefix.size());
      if (!is_mine(top, name)) continue;
      if (!seen.emplace(item.key, item.info.size).second) complain("{}: twice {}", what, item.key);
    }
    request.start_after = page->next_start_after;
    if (!page->truncated) break;
  }
  for (const auto& [key, id] : tree_.objects()) {
    if (!key.starts_with(prefix) || key == prefix) continue;
    const FileTree::Node& node = tree_.node(id);
    right[key] = node.is_directory ? 0 : node.bytes->size();
  }
  if (top != shared_) right[prefix] = 0;
  if (seen == right) co_return Result<>{};
  for (const auto& [key, size] : right) {
    const auto shown = seen.find(key);
    if (shown == seen.end()) complain("{}: '{}' is missing", what, key);
    if (shown != seen.end() && shown->second != size) {
      complain("{}: '{}' has {} bytes, should be {}", what, key, shown->second, size);
    }
  }
  for (const auto& [key, size] : seen) {
    if (!right.contains(key)) complain("{}: '{}' should not be there", what, key);
  }
  co_return Result<>{};
}

}  // namespace turbine::sim
