#include "cluster/config_backup.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <boost/json.hpp>
#include <ctime>

#include "cluster/array_records.hpp"
#include "cluster/restoration.hpp"
#include "cluster/settled_txn.hpp"

namespace turbine::cluster {
namespace {

namespace json = boost::json;

constexpr std::string_view kFormat = "turbine-config-backup";
constexpr uint64_t kFormatVersion = 1;

std::string to_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // and the NUL that OpenSSL writes
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(size));
  return text;
}

Result<std::string> from_base64(std::string_view text) {
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0 || text.size() % 4 != 0) return fail(Errc::corrupt, "a value is not base64");
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.resize(static_cast<size_t>(size) - padding);
  return bytes;
}

std::string utc_text(uint64_t unix_ms) {
  const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  const size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return {text, size};
}

/// Of the document as compact JSON without its member "checksum".
std::string checksum_of(json::object document) {
  document.erase("checksum");
  const std::string text = json::serialize(document);
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  std::string out = "sha256:";
  for (const unsigned char byte : digest) out += fmt::format("{:02x}", byte);
  return out;
}

Result<std::string> text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains({name.data(), name.size()});
  if (value == nullptr || !value->is_string()) return fail(Errc::corrupt, "it has no {}", name);
  return std::string(value->as_string());
}

Result<uint64_t> number_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains({name.data(), name.size()});
  if (value != nullptr && value->is_uint64()) return value->as_uint64();
  if (value == nullptr || !value->is_int64() || value->as_int64() < 0) {
    return fail(Errc::corrupt, "it has no {}", name);
  }
  return static_cast<uint64_t>(value->as_int64());
}

Result<std::vector<StoreRecord>> records_of(const json::object& document) {
  const json::value* list = document.if_contains("records");
  if (list == nullptr || !list->is_array()) return fail(Errc::corrupt, "it has no records");
  std::vector<StoreRecord> records;
  for (const json::value& each : list->as_array()) {
    if (!each.is_object()) return fail(Errc::corrupt, "a record is no object");
    const json::object& object = each.as_object();
    StoreRecord record;
    record.key = TRY(text_of(object, "key"));
    record.revision = TRY(number_of(object, "revision"));
    record.value = TRY(from_base64(TRY(text_of(object, "value"))));
    if (!record.key.starts_with(kBackedUpPrefix)) {
      return fail(Errc::corrupt, "the key {} does not begin with {}", record.key, kBackedUpPrefix);
    }
    records.push_back(std::move(record));
  }
  return records;
}

Result<ConfigBackup> decode(const json::object& document) {
  if (TRY(text_of(document, "format")) != kFormat) return fail(Errc::corrupt, "its format differs");
  const uint64_t version = TRY(number_of(document, "format_version"));
  if (version != kFormatVersion) {
    return fail(Errc::unsupported,
                "it has version {} of the format, this program knows version {}: use the program "
                "that wrote it, or a later one",
                version, kFormatVersion);
  }
  if (TRY(text_of(document, "checksum")) != checksum_of(document)) {
    return fail(Errc::corrupt, "its checksum does not match: it was changed or is damaged");
  }
  ConfigBackup backup;
  backup.array_id = TRY(text_of(document, "array_id"));
  backup.array_name = TRY(text_of(document, "array_name"));
  backup.time_ms = TRY(number_of(document, "time_ms"));
  backup.store_revision = TRY(number_of(document, "store_revision"));
  backup.records = TRY(records_of(document));
  const ArrayRecords records = TRY(parse_array_records(backup.records));
  if (records.map.array_id() != backup.array_id) {
    return fail(Errc::corrupt, "it says array {}, its records are of array {}", backup.array_id,
                records.map.array_id());
  }
  return backup;
}

/// What keeps the order from being carried out, if anything does.
Result<> check_store(const std::vector<StoreRecord>& there, const RestoreOrder& order) {
  const bool led = std::ranges::any_of(
      there, [](const StoreRecord& record) { return record.key == kLeaderKey; });
  if (led) {
    return fail(Errc::conflict,
                "a manager leads with this cluster store: stop all managers of the array first "
                "(one that was killed counts for 3 s)");
  }
  const auto of_array = std::ranges::count_if(
      there, [](const StoreRecord& record) { return record.key.starts_with(kBackedUpPrefix); });
  if (of_array == 0) return {};
  const auto records = parse_array_records(there);
  if (records.ok() && records->map.array_id() != order.array_id) {
    return fail(Errc::denied,
                "the cluster store holds array {}, the configuration is of array {}: nothing was "
                "changed; name the right store",
                records->map.array_id(), order.array_id);
  }
  if (order.force) return {};
  return fail(Errc::denied,
              "the cluster store holds {} records of array {}: nothing was changed. Start the "
              "manager with them if they are sound; --force replaces them by the backup",
              of_array, order.array_id);
}

}  // namespace

Result<ConfigBackup> make_config_backup(std::vector<StoreRecord> records, uint64_t now_ms) {
  const ArrayRecords array = TRY(parse_array_records(records));
  if (array.map.partitions().empty()) {
    return fail(Errc::unavailable,
                "the array is not complete: it has {} of {} blades and no partitions yet, so a "
                "backup could not be restored; make it when all blades have registered",
                array.map.blades_size(), array.counters.expected_blades());
  }
  ConfigBackup backup;
  backup.array_id = array.map.array_id();
  backup.array_name = array.map.array_name();
  backup.time_ms = now_ms;
  for (StoreRecord& record : records) {
    if (!record.key.starts_with(kBackedUpPrefix)) continue;
    backup.store_revision = std::max(backup.store_revision, record.revision);
    backup.records.push_back(std::move(record));
  }
  return backup;
}

std::string encode_config_backup(const ConfigBackup& backup) {
  json::array records;
  for (const StoreRecord& record : backup.records) {
    records.push_back(json::object{
        {"key", record.key}, {"revision", record.revision}, {"value", to_base64(record.value)}});
  }
  json::object document{{"format", kFormat},
                        {"format_version", kFormatVersion},
                        {"array_id", backup.array_id},
                        {"array_name", backup.array_name},
                        {"time", utc_text(backup.time_ms)},
                        {"time_ms", backup.time_ms},
                        {"store_revision", backup.store_revision},
                        {"records", std::move(records)}};
  document["checksum"] = checksum_of(document);
  return json::serialize(document) + "\n";
}

Result<ConfigBackup> decode_config_backup(std::string_view text) {
  boost::system::error_code error;
  const json::value document = json::parse({text.data(), text.size()}, error);
  if (error || !document.is_object()) {
    return fail(Errc::corrupt, "it is no JSON object: it was cut, or is no backup");
  }
  return decode(document.as_object());
}

Task<> restore_config(ClusterStore& store, ConfigBackup backup, RestoreOrder order) {
  if (backup.array_id != order.array_id) {
    co_return fail(Errc::denied,
                   "the backup is of array {} ({}), the configuration of array {}: nothing was "
                   "changed; take this array's backup",
                   backup.array_id, backup.array_name, order.array_id);
  }
  ArrayRecords array = CO_TRY(parse_array_records(backup.records));
  CO_TRY(begin_restoration(array.map, array.counters, backup.time_ms, order.now_ms,
                           order.lost_blades));
  const std::vector<StoreRecord> there = CO_TRY(co_await store.list(""));
  CO_TRY(check_store(there, order));
  std::map<std::string, StorePut> puts;
  // Compared even where nothing is there, so that no manager began meanwhile.
  std::map<std::string, uint64_t> compares{{std::string(kLeaderKey), 0}};
  for (const StoreRecord& record : there) {
    if (!record.key.starts_with(kBackedUpPrefix)) continue;
    compares[record.key] = record.revision;
    puts[record.key] = {record.key, std::nullopt};
  }
  for (StoreRecord& record : backup.records) {
    compares.try_emplace(record.key, 0);
    puts[record.key] = {record.key, std::move(record.value)};
  }
  puts[kMapKey].value = array.map.SerializeAsString();
  puts[kCountersKey].value = array.counters.SerializeAsString();
  std::vector<StoreCompare> compared;
  compared.reserve(compares.size());
  for (const auto& [key, revision] : compares) compared.push_back({key, revision});
  std::vector<StorePut> put;
  put.reserve(puts.size());
  for (auto& [key, each] : puts) put.push_back(std::move(each));
  CO_TRY(co_await settled_txn(store, std::move(compared), std::move(put)));
  co_return Result<>{};
}

}  // namespace turbine::cluster
