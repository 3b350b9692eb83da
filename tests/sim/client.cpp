#include "sim/client.hpp"

#include <algorithm>

namespace turbine::sim {
namespace {

using std::chrono::milliseconds;

constexpr size_t kWriteBytes = 200'000;
constexpr uint64_t kReadBytes = uint64_t{1} << 20;
/// Far more than any operation should take while blades are dead or slow. An upload is several
/// calls, and each of them waits 10 s for a partition that has no primary.
constexpr auto kOperationTimeMax = std::chrono::seconds(60);

Version seen_version(const Contents& contents, const fs::ObjectInfo& info) {
  const Version version = contents.version_of(info.etag);
  return version != 0 && info.size == contents.size(version) ? version : 0;
}

}  // namespace

const std::vector<std::string>& all_keys() {
  static const std::vector<std::string> kKeys = {
      "a",   "a/",  "a/b",  "a/c", "b/1", "b/2", "b/3",  "c/d/e/1", "c/d/e/2", "c/d/f",
      "c/g", "d//", "d//x", "d/.", "e",   "e/f", "e/f/", "e/f/g",   "é/ü",     "z"};
  return kKeys;
}

bool Client::take_gateway() {
  const auto first = static_cast<uint32_t>(rng_.below(kGateways));
  gateway_ = world_.array.gateway(first);
  if (!gateway_) gateway_ = world_.array.gateway((first + 1) % kGateways);
  return gateway_ != nullptr;
}

Operation Client::begin(std::string text) {
  Operation operation;
  operation.begin = world_.history.tick();
  operation.text = fmt::format("client {}: {}", number_, text);
  trace().note("{} by {} ...", operation.text, gateway_->name);
  ++world_.counters.operations;
  return operation;
}

void Client::end(const std::string& key, Operation operation, std::string answer) {
  operation.end = world_.history.tick();
  operation.text += " -> " + answer;
  trace().note("{}", operation.text);
  ++world_.counters.answered;
  if (!operation.writes && operation.need == Need::equals) {
    last_seen_[key] = operation.need_version;
  } else if (operation.writes) {
    last_seen_[key] = operation.writes_version;
  }
  world_.history.add(key, std::move(operation));
}

bool Client::excused(const Error& error) const {
  if (gateway_->dead) return true;
  if (calm_) return false;
  return error.code == Errc::unavailable || error.code == Errc::timeout ||
         error.code == Errc::busy || error.code == Errc::no_space;
}

void Client::end_with_error(const std::string& key, Operation operation, const Error& error,
                            bool sent) {
  trace().note("{} -> {}{}", operation.text, error.text(), gateway_->dead ? ", gateway died" : "");
  const bool conditional = operation.need != Need::nothing;
  if (!gateway_->dead && conditional && operation.writes) {
    const bool absent = error.code == Errc::not_found && operation.need_version != 0;
    if (absent || error.code == Errc::precondition_failed) {
      operation.writes = false;
      if (absent) {
        operation.need = Need::equals;
        operation.need_version = 0;
      } else {
        operation.need = operation.need_version == 0 ? Need::present : Need::present_but_not;
      }
      return end(key, std::move(operation), absent ? "absent" : "condition failed");
    }
  }
  if (!excused(error)) trace().complain("{}: {}", operation.text, error.text());
  const bool unknown = error.code == Errc::timeout || gateway_->dead;
  if (!operation.writes || !sent || !unknown) return;
  ++world_.counters.unknown;
  operation.unknown = true;
  operation.text += " -> outcome unknown";
  world_.history.add(key, std::move(operation));
}

Task<> Client::run(const bool& stop) {
  while (!stop) {
    if (take_gateway()) {
      const TimePoint start = world_.array.clock.now();
      CO_TRY(co_await one_operation());
      if (world_.array.clock.now() - start > kOperationTimeMax) {
        trace().complain("client {} waited for {} s", number_,
                         (world_.array.clock.now() - start) / std::chrono::seconds(1));
      }
    }
    gateway_.reset();
    CO_TRY(co_await world_.array.clock.sleep_for(milliseconds(1 + rng_.below(60))));
  }
  co_return Result<>{};
}

Task<> Client::one_operation() {
  const uint64_t dice = rng_.below(100);
  if (dice < 34) co_return co_await put_object();
  if (dice < 54) co_return co_await get_object(some_key(), rng_.chance(1, 2));
  if (dice < 72) co_return co_await remove_object(some_key());
  if (dice < 78) co_return co_await head_object();
  if (dice < 88) {
    (void)co_await list_page(some_list_request());
    co_return Result<>{};
  }
  if (dice < 93) co_return co_await copy_object();
  co_return co_await multipart_object();
}

// --- writing ---------------------------------------------------------------------------------

std::vector<Buffer> Client::some_content() {
  const uint64_t dice = rng_.below(100);
  size_t size = rng_.below(3000);
  if (dice >= 50) size = rng_.below(40'000);
  if (dice >= 75) size = rng_.below(400'000);
  if (dice >= 94) size = rng_.below(4'000'000);
  std::vector<Buffer> parts;
  parts.push_back(random_bytes(rng_, size));
  return parts;
}

Task<> Client::put_object() {
  co_return co_await put_content(some_key(), some_content(), "put");
}

Task<> Client::copy_object() {
  const std::string from = some_key();
  const auto version = co_await read_object(from, true);
  if (!version.ok() || *version == 0 || gateway_->dead) co_return Result<>{};
  co_return co_await put_content(some_key(), world_.contents.parts(*version), "copy of " + from);
}

Task<> Client::put_content(std::string key, std::vector<Buffer> parts, std::string what) {
  const Version version = world_.contents.add(std::move(parts));
  fs::Conditions conditions;
  Operation operation;
  if (rng_.chance(1, 8)) {
    conditions.if_none_match = "*";
    operation.need = Need::equals;
  } else if (rng_.chance(1, 8) && last_seen_[key] != 0) {
    conditions.if_match = Contents::etag(last_seen_[key]);
    operation.need = Need::equals;
    operation.need_version = last_seen_[key];
  }
  Operation begun = begin(fmt::format(
      "{} '{}' v{} {} B{}{}", what, key, version, world_.contents.size(version),
      conditions.if_none_match.empty() ? "" : " if absent",
      conditions.if_match.empty() ? "" : fmt::format(" if v{}", operation.need_version)));
  begun.need = operation.need;
  begun.need_version = operation.need_version;
  begun.writes = true;
  begun.writes_version = version;
  bool committing = false;
  const auto info = co_await write_object(key, version, std::move(conditions), &committing);
  if (info.ok()) {
    end(key, std::move(begun), "done");
  } else {
    end_with_error(key, std::move(begun), info.error(), committing);
  }
  co_return Result<>{};
}

Task<fs::ObjectInfo> Client::write_object(std::string key, Version version,
                                          fs::Conditions conditions, bool* committing) {
  std::optional<uint64_t> hint;
  if (rng_.chance(1, 2)) hint = world_.contents.size(version);
  const auto writer = CO_TRY(co_await files().create(files().begin(1), kBucket, key, hint));
  for (const Buffer& part : world_.contents.parts(version)) {
    for (size_t at = 0; at < part.size(); at += kWriteBytes) {
      CO_TRY(co_await writer->write(part.slice(at, std::min(kWriteBytes, part.size() - at))));
    }
  }
  *committing = true;
  fs::NewObject attributes;
  attributes.etag = Contents::etag(version);
  attributes.content_type = "application/x-sim";
  co_return co_await writer->commit(std::move(attributes), std::move(conditions));
}

Task<> Client::remove_object(std::string key) {
  Operation operation = begin(fmt::format("remove '{}'", key));
  operation.writes = true;
  const fs::CallContext call = files().begin(1);
  auto existed = co_await files().remove(call, kBucket, key, {});
  // The same request again gets the same answer, or finds that nothing is left to do.
  const bool again = existed.failed_with(Errc::timeout) && !gateway_->dead && rng_.chance(1, 2);
  if (again) existed = co_await files().remove(call, kBucket, key, {});
  if (!existed.ok()) {
    Error error = existed.error();
    if (again) error.code = Errc::timeout;  // a refusal of the second says nothing of the first
    end_with_error(key, std::move(operation), error, true);
    co_return Result<>{};
  }
  if (!again) {
    operation.need = *existed ? Need::present : Need::equals;
    operation.writes = *existed;
  }
  end(key, std::move(operation), *existed ? "removed" : "was not there");
  co_return Result<>{};
}

// --- reading ---------------------------------------------------------------------------------

Task<> Client::get_object(std::string key, bool whole) {
  (void)co_await read_object(std::move(key), whole);
  co_return Result<>{};
}

Task<Version> Client::read_object(std::string key, bool whole) {
  Operation operation = begin(fmt::format("get '{}'{}", key, whole ? "" : " in part"));
  operation.need = Need::equals;
  auto reader = co_await files().open(files().begin(1), kBucket, key);
  if (reader.failed_with(Errc::not_found) && !gateway_->dead) {
    end(key, std::move(operation), "absent");
    co_return Version{0};
  }
  if (!reader.ok()) {
    end_with_error(key, std::move(operation), reader.error(), true);
    co_return fail(reader.error());
  }
  const Version version = seen_version(world_.contents, (*reader)->info());
  const uint64_t size = (*reader)->info().size;
  if (version == 0) {
    trace().complain("{}: etag {} and {} bytes: nobody wrote that", operation.text,
                     (*reader)->info().etag, size);
    co_return Version{0};
  }
  uint64_t offset = whole ? 0 : rng_.below(size + 1);
  const uint64_t stop = whole ? size : offset + rng_.below(size - offset + 1);
  while (offset < stop) {
    const uint64_t length = std::min(kReadBytes, stop - offset);
    const auto buffers = co_await (*reader)->read(offset, length);
    if (buffers.failed_with(Errc::conflict) && !calm_) {
      trace().note("{} -> replaced while it was read", operation.text);
      co_return fail(buffers.error());
    }
    if (!buffers.ok()) {
      end_with_error(key, std::move(operation), buffers.error(), true);
      co_return fail(buffers.error());
    }
    uint64_t got = 0;
    for (const Buffer& buffer : *buffers) got += buffer.size();
    if (got != length || !world_.contents.same(version, offset, *buffers)) {
      trace().complain("{}: v{} reads wrong in {} bytes at {}", operation.text, version, length,
                       offset);
      co_return fail(Errc::corrupt, "wrong bytes");
    }
    offset += length;
  }
  operation.need_version = version;
  end(key, std::move(operation), fmt::format("v{}", version));
  co_return version;
}

Task<> Client::head_object() {
  const std::string key = some_key();
  Operation operation = begin(fmt::format("head '{}'", key));
  operation.need = Need::equals;
  const auto info = co_await files().head(files().begin(1), kBucket, key);
  if (info.ok()) {
    operation.need_version = seen_version(world_.contents, *info);
    end(key, std::move(operation), fmt::format("etag {}", info->etag));
  } else if (info.failed_with(Errc::not_found) && !gateway_->dead) {
    end(key, std::move(operation), "absent");
  } else {
    end_with_error(key, std::move(operation), info.error(), true);
  }
  co_return Result<>{};
}

// --- when all is over ------------------------------------------------------------------------

Task<> Client::read_all() {
  CHECK(take_gateway());
  for (const std::string& key : all_keys()) (void)co_await read_object(key, true);
  co_return Result<>{};
}

Task<> Client::list_all(std::string delimiter) {
  CHECK(take_gateway());
  fs::ListRequest request;
  request.delimiter = std::move(delimiter);
  request.count = 1 + rng_.below(7);
  for (bool more = true; more;) {
    const auto page = CO_TRY(co_await list_page(request));
    more = page.truncated;
    request.start_after = page.next_start_after;
  }
  co_return Result<>{};
}

Task<> Client::remove_all() {
  CHECK(take_gateway());
  bool more = true;
  while (more) {
    const auto uploads =
        CO_TRY(co_await files().list_uploads(files().begin(1), kBucket, "", "", "", 100, &more));
    for (const fs::UploadInfo& upload : uploads) {
      CO_TRY(co_await files().abort_upload(files().begin(1), kBucket, upload.key, upload.id));
    }
    if (uploads.empty() && more) co_return fail(Errc::corrupt, "a page of no uploads, and more");
  }
  for (const std::string& key : all_keys()) CO_TRY(co_await remove_object(key));
  co_return Result<>{};
}

void ClientWorld::check() {
  for (const auto& [key, operations] : history.operations()) {
    const Result<> explained = check_linearizable(operations);
    if (!explained.ok()) array.trace.complain("'{}': {}", key, explained.error().context);
  }
  for (const PrefixSeen& seen : prefixes) {
    const bool possible = std::ranges::any_of(seen.keys, [&](const std::string& key) {
      return history.may_have_existed(key, seen.from, seen.to);
    });
    if (!possible) array.trace.complain("{}", seen.text);
  }
}

}  // namespace turbine::sim
