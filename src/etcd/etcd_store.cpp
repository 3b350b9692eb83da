#include "etcd/etcd_store.hpp"

#include "base/log.hpp"

namespace turbine::etcd {
namespace {

using cluster::StoreCompare;
using cluster::StorePut;
using cluster::StoreRecord;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A silent stream is opened anew after this time: its connection may be dead without a word.
constexpr auto kStreamIdleMax = seconds(10);
constexpr auto kReconnectPause = milliseconds(100);

/// Errc::denied when it was for the token.
std::unexpected<Error> ended_watch(const std::string& why) {
  return fail(Client::is_about_token(why) ? Errc::denied : Errc::unavailable,
              "etcd ended the watch: {}", why);
}

}  // namespace

EtcdStore::EtcdStore(Clock& clock, EtcdOptions options, TlsContextPtr tls)
    : clock_(clock), client_(clock, std::move(options), std::move(tls)), gate_(clock.executor()) {}

Result<std::unique_ptr<EtcdStore>> EtcdStore::make(Clock& clock, EtcdOptions options) {
  if (options.endpoints.empty()) return fail(Errc::invalid, "etcd has no endpoint");
  TlsContextPtr tls = TRY(load_tls(options));
  return std::unique_ptr<EtcdStore>(new EtcdStore(clock, std::move(options), std::move(tls)));
}

Task<> EtcdStore::start() {
  // Apart from the call, whose time is too short where passwords are checked very slowly. When no
  // endpoint can be reached, the call tries again.
  Result<> known = co_await client_.log_on();
  if (!known.ok() && !known.failed_with(Errc::unavailable)) {
    co_return fail(std::move(known).error().within("etcd"));
  }
  const json::object answer = CO_TRY(co_await client_.call(
      "/v3/kv/range", json::object{{"key", etcd_key("")}, {"count_only", true}},
      Client::Kind::repeatable));
  saw(answer);
  started_ = true;
  co_return Result<>{};
}

Task<> EtcdStore::stop() {
  CO_TRY(co_await client_.stop());
  co_return co_await gate_.close();
}

std::string EtcdStore::etcd_key(const std::string& key) const {
  return to_base64(client_.options().prefix + key);
}

void EtcdStore::saw(const json::object& answer) {
  revision_ = std::max(revision_, header_revision(answer));
}

// --- records ---------------------------------------------------------------------------------

Task<std::vector<StoreRecord>> EtcdStore::range(json::object request) {
  const json::object answer =
      CO_TRY(co_await client_.call("/v3/kv/range", std::move(request), Client::Kind::repeatable));
  saw(answer);
  std::vector<StoreRecord> records;
  const json::array* found = array_field(answer, "kvs");
  if (found == nullptr) co_return records;
  const size_t prefix_bytes = client_.options().prefix.size();
  for (const json::value& each : *found) {
    const json::object* object = each.if_object();
    if (object == nullptr) co_return fail(Errc::corrupt, "etcd sent a record that is none");
    StoreRecord record;
    record.key = CO_TRY(from_base64(text_field(*object, "key")));
    record.key.erase(0, prefix_bytes);
    record.value = CO_TRY(from_base64(text_field(*object, "value")));
    record.revision = number_field(*object, "mod_revision");
    records.push_back(std::move(record));
  }
  co_return records;
}

Task<std::optional<StoreRecord>> EtcdStore::get(std::string key) {
  std::vector<StoreRecord> found = CO_TRY(co_await range({{"key", etcd_key(key)}}));
  if (found.empty()) co_return std::optional<StoreRecord>();
  co_return std::optional<StoreRecord>(std::move(found.front()));
}

Task<std::vector<StoreRecord>> EtcdStore::list(std::string prefix) {
  const std::string first = client_.options().prefix + prefix;
  json::object request{{"key", to_base64(first.empty() ? std::string(1, '\0') : first)},
                       {"range_end", to_base64(prefix_end(first))}};
  co_return co_await range(std::move(request));
}

Task<uint64_t> EtcdStore::commit(json::object request, std::string what) {
  const json::object answer =
      CO_TRY(co_await client_.call("/v3/kv/txn", std::move(request), Client::Kind::changes));
  saw(answer);
  if (!flag_field(answer, "succeeded")) {
    co_return fail(Errc::conflict, "one of the store's records {} has changed", what);
  }
  co_return header_revision(answer);
}

Task<uint64_t> EtcdStore::txn(std::vector<StoreCompare> compares, std::vector<StorePut> puts) {
  json::array holds, changes;
  std::string names;
  for (const StoreCompare& compare : compares) {
    // Of a key that does not exist, etcd takes the mod_revision to be 0.
    holds.push_back({{"key", etcd_key(compare.key)},
                     {"target", "MOD"},
                     {"result", "EQUAL"},
                     {"mod_revision", std::to_string(compare.revision)}});
    names += (names.empty() ? "" : ", ") + compare.key;
  }
  for (const StorePut& put : puts) {
    if (put.value) {
      changes.push_back(
          json::object{{"request_put", json::object{{"key", etcd_key(put.key)},
                                                    {"value", to_base64(*put.value)}}}});
    } else {
      changes.push_back(
          json::object{{"request_delete_range", json::object{{"key", etcd_key(put.key)}}}});
    }
  }
  co_return co_await commit({{"compare", std::move(holds)}, {"success", std::move(changes)}},
                            std::move(names));
}

// --- leases ----------------------------------------------------------------------------------

Task<std::string> EtcdStore::grant_lease(seconds ttl) {
  const json::object answer = CO_TRY(
      co_await client_.call("/v3/lease/grant", json::object{{"TTL", std::to_string(ttl.count())}},
                            Client::Kind::repeatable));  // one that nobody knows of ends by itself
  co_return id_field(answer, "ID");
}

Task<seconds> EtcdStore::keep_alive(std::string lease, TimePoint deadline) {
  const json::object answer = CO_TRY(co_await client_.call(
      "/v3/lease/keepalive", json::object{{"ID", lease}}, Client::Kind::repeatable, deadline));
  const json::object* result = object_field(answer, "result");
  if (result == nullptr) co_return fail(Errc::corrupt, "etcd's answer for a lease has no result");
  co_return seconds(number_field(*result, "TTL"));
}

Task<> EtcdStore::revoke_lease(std::string lease) {
  const auto done = co_await client_.call("/v3/lease/revoke", json::object{{"ID", lease}},
                                          Client::Kind::repeatable);
  if (!done.ok() && !done.failed_with(Errc::not_found)) co_return fail(done.error());
  co_return Result<>{};
}

Task<uint64_t> EtcdStore::put_leased(std::string key, std::string value, std::string lease) {
  json::array holds, changes;
  holds.push_back(
      {{"key", etcd_key(key)}, {"target", "MOD"}, {"result", "EQUAL"}, {"mod_revision", "0"}});
  changes.push_back(json::object{
      {"request_put",
       json::object{{"key", etcd_key(key)}, {"value", to_base64(value)}, {"lease", lease}}}});
  co_return co_await commit({{"compare", std::move(holds)}, {"success", std::move(changes)}}, key);
}

// --- watches ---------------------------------------------------------------------------------

void EtcdStore::watch(std::string prefix, std::function<void(uint64_t)> observer) {
  CHECK(started_);
  auto made = std::make_shared<Watch>();
  made->prefix = client_.options().prefix + prefix;
  made->observer = std::move(observer);
  made->next_revision = revision_ + 1;
  gate_.spawn("etcd watch", follow_for_ever(std::move(made)));
}

Task<> EtcdStore::follow_for_ever(std::shared_ptr<Watch> watch) {
  std::string said;
  while (!client_.stopped()) {
    const Result<> ended = co_await follow(watch);
    if (client_.stopped()) break;
    if (ended.ok()) {  // renewed for its age: nothing is wrong
      said.clear();
      continue;
    }
    if (ended.error().context != said) {
      said = ended.error().context;
      log::info("watching the cluster store again: {}", said);
    }
    CO_TRY(co_await client_.pause(kReconnectPause));
  }
  co_return Result<>{};
}

Task<> EtcdStore::follow(std::shared_ptr<Watch> watch) {
  json::object create{
      {"key", to_base64(watch->prefix.empty() ? std::string(1, '\0') : watch->prefix)},
      {"range_end", to_base64(prefix_end(watch->prefix))},
      {"start_revision", std::to_string(watch->next_revision)}};
  const auto stream = CO_TRY(co_await client_.open_stream(
      "/v3/watch", json::object{{"create_request", std::move(create)}}));
  while (!client_.stopped()) {
    Result<std::string> line = co_await stream.connection->next_line(clock_.now() + kStreamIdleMax);
    if (line.failed_with(Errc::timeout)) break;
    Result<bool> more =
        !line.ok() ? Result<bool>(fail(line.error())) : co_await take_line(watch, std::move(*line));
    if (!more.ok()) {
      if (more.failed_with(Errc::denied)) client_.drop_token(stream.token);
      client_.turn_from(stream.connection->endpoint());
      co_return fail(std::move(more).error());
    }
    if (!*more) break;
  }
  stream.connection->close();
  co_return Result<>{};
}

/// Returns whether more can come on this stream.
Task<bool> EtcdStore::take_line(std::shared_ptr<Watch> watch, std::string line) {
  const json::object message = CO_TRY(parse_object(line, "an answer of etcd's watch"));
  const json::object* result = object_field(message, "result");
  if (result == nullptr) {
    const json::object* error = object_field(message, "error");
    co_return ended_watch(error != nullptr ? text_field(*error, "message") : line);
  }
  if (const uint64_t compacted = number_field(*result, "compact_revision"); compacted > 0) {
    // What changed before is gone: say that something did, and go on behind it.
    const uint64_t last = compacted - 1;
    if (last >= watch->next_revision) watch->observer(last);
    watch->next_revision = std::max(watch->next_revision, compacted);
    co_return false;
  }
  if (flag_field(*result, "canceled")) {
    co_return ended_watch(text_field(*result, "cancel_reason"));
  }
  const json::array* events = array_field(*result, "events");
  if (events == nullptr) co_return true;
  for (const json::value& event : *events) {
    const json::object* object = event.if_object();
    const json::object* kv = object != nullptr ? object_field(*object, "kv") : nullptr;
    const uint64_t revision = kv != nullptr ? number_field(*kv, "mod_revision") : 0;
    if (revision < watch->next_revision) continue;  // several keys of one transaction
    watch->next_revision = revision + 1;
    revision_ = std::max(revision_, revision);
    watch->observer(revision);
  }
  co_return true;
}

}  // namespace turbine::etcd
