#include "fs/key_cursor.hpp"

#include <algorithm>
#include <utility>

#include "fs/file_names.hpp"

namespace turbine::fs {
namespace {

std::string entry_key(const proto::DirectoryEntry& entry) {
  return entry.is_directory() ? entry.name() + '/' : entry.name();
}

/// Gets the inode of a file that is not in its directory's partition; none when it is just gone.
Task<> fetch_elsewhere(CorePtr core, proto::DirectoryEntry* entry) {
  auto inode = co_await fetch_inode(core, InodeId(entry->inode().id()));
  entry->clear_inode();
  entry->set_elsewhere(false);
  if (inode.failed_with(Errc::stale)) co_return Result<>{};
  if (!inode.ok()) co_return fail(std::move(inode).error());
  entry->mutable_inode()->Swap(&*inode);
  co_return Result<>{};
}

}  // namespace

KeyCursor::KeyCursor(CorePtr core, Tree tree, KeyBound from, size_t expected, bool descend)
    : core_(std::move(core)), from_(std::move(from)), expected_(expected), descend_(descend) {
  if (auto level = make_level(std::move(tree))) levels_.push_back(std::move(*level));
}

// None when all keys of the tree are before the bound.
std::optional<KeyCursor::Level> KeyCursor::make_level(Tree tree) const {
  Level level;
  const std::string& path = tree.path;
  if (bound_falls_into(path)) {
    const std::string rest = from_.text.substr(path.size());
    const size_t slash = rest.find('/');
    level.after = {rest, from_.inclusive};
    // LIST_DIRECTORY takes an empty name for none; what follows it begins with "\0".
    if (rest.empty() && !from_.inclusive) level.after = {std::string(1, '\0'), true};
    if (slash != std::string::npos) level.after = {rest.substr(0, slash + 1), true};
    level.may_hold_own_key = rest.empty() && from_.inclusive;
  } else if (from_.text < path) {
    level.may_hold_own_key = true;
  } else {
    return std::nullopt;
  }
  level.may_hold_own_key &= !path.empty() && tree.name_prefix.empty();
  level.tree = std::move(tree);
  return level;
}

size_t KeyCursor::page_count() const {
  return std::clamp<size_t>(expected_ + 1, 2, core_->options.list_page_max);
}

Task<KeyCursor::Page> KeyCursor::fetch(CorePtr core, Tree tree, KeyBound after, size_t count) {
  proto::ListDirectoryRequest request;
  request.set_directory(tree.directory.value);
  request.set_after(after.text);
  request.set_inclusive(after.inclusive);
  request.set_prefix(tree.name_prefix);
  request.set_count(static_cast<uint32_t>(count));
  auto reply = CO_TRY(co_await core->ask<proto::ListDirectoryReply>(
      tree.directory.partition(), proto::LIST_DIRECTORY, std::move(request)));
  Page page;
  page.more = reply.body.more();
  page.marker = reply.body.marker();
  page.entries.reserve(static_cast<size_t>(reply.body.entries_size()));
  for (proto::DirectoryEntry& entry : *reply.body.mutable_entries()) {
    page.entries.push_back(std::move(entry));
  }
  co_return page;
}

Task<> KeyCursor::fetch_into(CorePtr core, Tree tree, size_t count, OneShot<Page> page) {
  page.set(co_await fetch(std::move(core), std::move(tree), {}, count));
  co_return Result<>{};
}

Task<> KeyCursor::load(Level& level, bool first_level) {
  const bool first_page = !level.loaded;
  level.loaded = true;
  level.next = 0;
  auto page = co_await fetch(core_, level.tree, level.after, page_count());
  if (!page.ok()) {
    const bool gone = page.failed_with(Errc::stale) || page.failed_with(Errc::not_found);
    // Deleted while the listing passed by; its keys went with it.
    if (gone && (!first_level || !first_page)) {
      level.page = {};
      co_return Result<>{};
    }
    if (gone) co_return fail(Errc::stale, "{}", page.error().context);
    co_return fail(std::move(page).error());
  }
  level.page = std::move(*page);
  if (level.page.entries.empty()) level.page.more = false;
  if (level.page.more) level.after = {entry_key(level.page.entries.back()), false};
  co_return Result<>{};
}

// Asks for the directories that come next, so that their pages are here when they are entered.
void KeyCursor::read_ahead(Level& level) {
  for (size_t i = level.next; i < level.page.entries.size(); ++i) {
    if (level.ahead.size() >= level.ahead_max || core_->gate.closing()) return;
    const proto::DirectoryEntry& entry = level.page.entries[i];
    if (!entry.is_directory()) continue;
    if (!level.ahead.empty() && entry.name() <= level.ahead.back().name) continue;
    Tree tree{InodeId(entry.inode().id()), level.tree.path + entry.name() + '/', {}};
    if (bound_falls_into(tree.path)) continue;
    Ahead ahead{entry.name(), OneShot<Page>(core_->clock.executor())};
    core_->gate.spawn("list ahead", fetch_into(core_, std::move(tree), page_count(), ahead.page));
    level.ahead.push_back(std::move(ahead));
  }
}

void KeyCursor::enter(const proto::DirectoryEntry& entry) {
  Level& parent = levels_.back();
  Tree tree{InodeId(entry.inode().id()), parent.tree.path + entry.name() + '/', {}};
  if (auto level = make_level(std::move(tree))) levels_.push_back(std::move(*level));
}

// The directory's own object, which a directory made by mkdir is until a file with the empty name
// takes its place.
std::optional<KeyCursor::Item> KeyCursor::own_key(Level& level) {
  const bool wanted = std::exchange(level.may_hold_own_key, false) && level.page.marker;
  const auto& entries = level.page.entries;
  const bool replaced = !entries.empty() && !entries.front().is_directory() &&
                        entries.front().name().empty() &&
                        entries.front().inode().type() == proto::FILE_REGULAR;
  if (!wanted || replaced) return std::nullopt;
  Item item;
  item.key = level.tree.path;
  item.inode.set_id(level.tree.directory.value);
  return item;
}

Task<std::optional<KeyCursor::Item>> KeyCursor::next() {
  while (!levels_.empty()) {
    Level& level = levels_.back();
    if (!level.loaded) {
      Level* parent = levels_.size() > 1 ? &levels_[levels_.size() - 2] : nullptr;
      const bool ahead = parent != nullptr && !parent->ahead.empty() &&
                         level.tree.path == parent->tree.path + parent->ahead.front().name + '/';
      if (ahead) {
        OneShot<Page> coming = parent->ahead.front().page;
        parent->ahead.pop_front();
        parent->ahead_max = std::min(parent->ahead_max * 2, core_->options.list_prefetch);
        read_ahead(*parent);
        auto page = co_await coming.wait();
        if (page.ok()) {
          level.page = std::move(*page);
          level.loaded = true;
          if (level.page.more) level.after = {entry_key(level.page.entries.back()), false};
        }
      }
      if (!level.loaded) CO_TRY(co_await load(level, parent == nullptr));
      if (level.may_hold_own_key && !level.page.entries.empty()) {
        proto::DirectoryEntry& first = level.page.entries.front();
        if (first.elsewhere()) CO_TRY(co_await fetch_elsewhere(core_, &first));
      }
      if (auto item = own_key(level)) {
        auto inode = co_await fetch_inode(core_, InodeId(item->inode.id()));
        if (inode.ok()) item->inode.Swap(&*inode);
        if (inode.ok()) co_return item;
        if (!inode.failed_with(Errc::stale)) co_return fail(std::move(inode).error());
      }
    }
    if (level.next == level.page.entries.size()) {
      if (level.page.more) {
        level.ahead.clear();
        CO_TRY(co_await load(level, levels_.size() == 1));
      } else {
        levels_.pop_back();
      }
      continue;
    }
    proto::DirectoryEntry& entry = level.page.entries[level.next];
    if (entry.is_directory() && descend_) {
      read_ahead(level);
      ++level.next;
      enter(entry);
      continue;
    }
    ++level.next;
    if (entry.elsewhere()) CO_TRY(co_await fetch_elsewhere(core_, &entry));
    // Symbolic links and special files are no objects.
    if (!entry.is_directory() && entry.inode().type() != proto::FILE_REGULAR) continue;
    if (expected_ > 0) --expected_;
    Item item;
    item.key = level.tree.path + entry_key(entry);
    item.is_directory = entry.is_directory();
    item.inode = std::move(*entry.mutable_inode());
    co_return item;
  }
  co_return std::optional<Item>{};
}

}  // namespace turbine::fs
