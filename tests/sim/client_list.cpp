// Client: listings, each of which is a read of every key that it could have shown.
#include <algorithm>
#include <map>

#include "sim/client.hpp"

namespace turbine::sim {
namespace {

/// As S3 says: up to the first delimiter behind the request's prefix; empty: the key stands alone.
std::string common_prefix(const std::string& key, const fs::ListRequest& request) {
  if (request.delimiter.empty()) return {};
  const size_t at = key.find(request.delimiter, request.prefix.size());
  return at == std::string::npos ? std::string() : key.substr(0, at + request.delimiter.size());
}

}  // namespace

fs::ListRequest Client::some_list_request() {
  fs::ListRequest request;
  const uint64_t dice = rng_.below(10);
  if (dice < 5) request.delimiter = "/";
  if (dice == 9) request.delimiter = "e";
  if (rng_.chance(1, 3)) {
    const std::string key = some_key();
    request.prefix = key.substr(0, rng_.below(key.size() + 1));
  }
  if (rng_.chance(1, 3)) request.start_after = some_key();
  request.count = rng_.chance(1, 2) ? 1000 : 1 + rng_.below(8);
  return request;
}

Task<fs::ListResult> Client::list_page(fs::ListRequest request) {
  Operation operation =
      begin(fmt::format("list '{}' by '{}' after '{}', {} at most", request.prefix,
                        request.delimiter, request.start_after, request.count));
  auto result = co_await files().list(files().begin(1), kBucket, request);
  if (!result.ok()) {
    end_with_error({}, std::move(operation), result.error(), true);
    co_return result;
  }
  operation.end = world_.history.tick();
  trace().note("{} -> {} items{}", operation.text, result->items.size(),
               result->truncated ? " and more" : "");
  ++world_.counters.answered;
  check_listing_shape(request, *result);
  note_listing(request, *result, operation);
  co_return result;
}

void Client::check_listing_shape(const fs::ListRequest& request, const fs::ListResult& result) {
  const auto wrong = [&](const fs::ListResult::Item* item, std::string_view what) {
    trace().complain("client {}: listing '{}' by '{}' after '{}': {} {}", number_, request.prefix,
                     request.delimiter, request.start_after, item ? item->key : "", what);
  };
  if (result.items.size() > request.count) wrong(nullptr, "more items than asked for");
  if (result.truncated && result.items.size() < request.count) wrong(nullptr, "a short page");
  const std::string* last = nullptr;
  for (const auto& item : result.items) {
    if (last != nullptr && item.key <= *last) wrong(&item, "is out of order");
    last = &item.key;
    if (!item.key.starts_with(request.prefix)) wrong(&item, "lies outside the prefix");
    const std::string common = common_prefix(item.key, request);
    if (item.is_prefix ? common != item.key : !common.empty()) wrong(&item, "is grouped wrong");
    if (!item.is_prefix && item.key <= request.start_after) wrong(&item, "lies before the page");
    if (!item.is_prefix && std::ranges::find(all_keys(), item.key) == all_keys().end()) {
      wrong(&item, "was never written");
    }
  }
}

void Client::note_listing(const fs::ListRequest& request, const fs::ListResult& result,
                          const Operation& listing) {
  std::map<std::string, const fs::ListResult::Item*> shown;
  for (const auto& item : result.items) shown[item.key] = &item;
  std::map<std::string, std::vector<std::string>> below;
  for (const std::string& key : all_keys()) {
    const std::string common = common_prefix(key, request);
    const std::string& line = common.empty() ? key : common;
    if (!key.starts_with(request.prefix) || key <= request.start_after) continue;
    if (!common.empty() && common == request.start_after) continue;
    if (result.truncated && (result.items.empty() || line > result.items.back().key)) continue;
    const auto found = shown.find(line);
    if (found != shown.end() && found->second->is_prefix) {
      below[line].push_back(key);
      continue;
    }
    Operation read = listing;
    read.need = Need::equals;
    if (found != shown.end()) {
      const fs::ObjectInfo& info = found->second->info;
      read.need_version = world_.contents.version_of(info.etag);
      if (read.need_version == 0 || info.size != world_.contents.size(read.need_version)) {
        trace().complain("{}: '{}' has etag {} and {} bytes: nobody wrote that", listing.text, key,
                         info.etag, info.size);
      }
      read.text += fmt::format(" -> v{}", read.need_version);
    } else {
      read.text += " -> not shown";
    }
    world_.history.add(key, std::move(read));
  }
  for (const auto& item : result.items) {
    if (!item.is_prefix) continue;
    world_.prefixes.push_back(
        {below[item.key], listing.begin, listing.end,
         fmt::format("{}: nothing could be below '{}'", listing.text, item.key)});
  }
}

}  // namespace turbine::sim
