#include "fs/list.hpp"

#include <optional>
#include <utility>

#include "fs/key_cursor.hpp"

namespace turbine::fs {
namespace {

// The common prefix under which `key` falls; empty when it stands for itself.
std::string common_prefix(const std::string& key, const ListRequest& request) {
  if (request.delimiter.empty()) return {};
  const size_t at = key.find(request.delimiter, request.prefix.size());
  if (at == std::string::npos) return {};
  return key.substr(0, at + request.delimiter.size());
}

// None: no key can follow.
std::optional<KeyBound> first_bound(const ListRequest& request) {
  const std::string& after = request.start_after;
  if (after.empty()) return KeyBound{};
  if (after.starts_with(request.prefix) && common_prefix(after, request) == after) {
    std::string end = after_all_with_prefix(after);  // the page before gave the whole of it
    if (end.empty()) return std::nullopt;
    return KeyBound{std::move(end), true};
  }
  return KeyBound{after, false};
}

// Whether any key below the directory lies beyond the bound that falls into it.
Task<bool> holds_more(CorePtr core, const KeyCursor::Item& directory, KeyBound from) {
  KeyCursor cursor(std::move(core), {InodeId(directory.inode.id()), directory.key, {}},
                   std::move(from), 1, true);
  const auto found = co_await cursor.next();
  if (found.failed_with(Errc::stale)) co_return false;
  if (!found.ok()) co_return fail(found.error());
  co_return found->has_value();
}

// Adds one; true when the page was full already.
bool add(ListResult& result, const ListRequest& request, ListResult::Item item) {
  if (result.items.size() >= request.count) {
    result.truncated = true;
    return true;
  }
  result.next_start_after = item.key;
  result.items.push_back(std::move(item));
  return false;
}

// Delimiter "/": one directory tells all; nothing is entered but where the bound falls.
Task<ListResult> list_one_directory(CorePtr core, KeyCursor::Tree tree, KeyBound from,
                                    ListRequest request) {
  ListResult result;
  KeyCursor cursor(core, std::move(tree), from, request.count, false);
  for (;;) {
    auto item = CO_TRY(co_await cursor.next());
    if (!item) co_return result;
    if (item->is_directory) {
      if (from.text.starts_with(item->key)) {
        const bool more = CO_TRY(co_await holds_more(core, *item, from));
        if (!more) continue;
      }
      if (add(result, request, {std::move(item->key), true, {}})) co_return result;
    } else {
      ObjectInfo info = to_object_info(item->key, item->inode);
      if (add(result, request, {std::move(item->key), false, std::move(info)})) co_return result;
    }
  }
}

Task<ListResult> list_tree(CorePtr core, KeyCursor::Tree tree, KeyBound from, ListRequest request) {
  ListResult result;
  std::optional<KeyCursor> cursor(std::in_place, core, tree, std::move(from), request.count, true);
  for (;;) {
    auto item = CO_TRY(co_await cursor->next());
    if (!item) co_return result;
    std::string prefix = common_prefix(item->key, request);
    if (prefix.empty()) {
      ObjectInfo info = to_object_info(item->key, item->inode);
      if (add(result, request, {std::move(item->key), false, std::move(info)})) co_return result;
      continue;
    }
    std::string end = after_all_with_prefix(prefix);
    if (add(result, request, {std::move(prefix), true, {}}) || end.empty()) co_return result;
    const size_t left = request.count - result.items.size();
    cursor.emplace(core, tree, KeyBound{std::move(end), true}, left, true);
  }
}

}  // namespace

Task<ListResult> list_objects(CorePtr core, std::string bucket, ListRequest request) {
  NamePath path = split_prefix(request.prefix);
  const std::string name_prefix = std::exchange(path.file, {});
  const std::string directories = join_key(path);
  for (int tries = 0;; ++tries) {
    const Place place = CO_TRY(co_await locate(core, bucket, path));
    const std::optional<KeyBound> from = first_bound(request);
    if (!place.complete() || !from || request.count == 0) co_return ListResult{};
    KeyCursor::Tree tree{place.directory, directories, name_prefix};
    auto result = request.delimiter == "/"
                      ? co_await list_one_directory(core, std::move(tree), *from, request)
                      : co_await list_tree(core, std::move(tree), *from, request);
    if (!result.failed_with(Errc::stale)) co_return result;
    forget(*core, place);
    if (tries >= core->options.stale_retries_max) {
      co_return fail(Errc::unavailable, "{}", result.error().context);
    }
  }
}

}  // namespace turbine::fs
