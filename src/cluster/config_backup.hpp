// ConfigBackup: the records of an array in a file. docs/format/config_backup.md
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/cluster_store.hpp"

namespace turbine::cluster {

/// What a backup has: everything that is not bound to a running manager.
inline constexpr std::string_view kBackedUpPrefix = "array/";

struct ConfigBackup {
  std::string array_id;  // 32 hex digits
  std::string array_name;
  uint64_t time_ms = 0;         // wall clock
  uint64_t store_revision = 0;  // of the newest record
  std::vector<StoreRecord> records;
};

/// Of the records of one moment. Errc::unavailable when the array is not complete yet: such a
/// backup could not be restored; Errc::corrupt when the records are not an array's.
Result<ConfigBackup> make_config_backup(std::vector<StoreRecord> records, uint64_t now_ms);

/// JSON, with secrets in it.
std::string encode_config_backup(const ConfigBackup& backup);
/// Errc::corrupt: not a backup, cut or changed; Errc::unsupported: a later format.
Result<ConfigBackup> decode_config_backup(std::string_view text);

struct RestoreOrder {
  std::string array_id;  // of the array that the store belongs to
  uint64_t now_ms = 0;
  std::vector<uint32_t> lost_blades{};  // given up: the array does not wait for them
  bool force = false;                   // replaces the records that are there
};

/// Puts the records into the store in one transaction, as those of an array under restoration
/// (restoration.hpp). Errc::denied, and nothing is done: the backup is another array's, or the
/// store has records and not `force`, or another array's; Errc::conflict: a manager runs on the
/// store.
Task<> restore_config(ClusterStore& store, ConfigBackup backup, RestoreOrder order);

}  // namespace turbine::cluster
