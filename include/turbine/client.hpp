// The C++ client of a Turbine array: buckets and objects, spoken to the blades directly, without a
// gateway in between. Link the CMake target `turbine_client`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace turbine::client {

enum class ErrorCode {
  not_found,            // no such bucket or object
  exists,               // the bucket's name is taken
  not_empty,            // the bucket still holds objects
  invalid,              // an argument breaks a rule; the message names it
  denied,               // the array refused the secret
  precondition_failed,  // if_match or if_none_match did not hold; nothing was done
  conflict,             // the object changed while it was read; try again
  no_space,             // blades are full
  unavailable,          // blades or manager can't be reached; nothing was done; try later
  unknown_outcome,      // no answer in time: a change may or may not have been made
  corrupt,              // more shards are damaged than parity can make up for
  failed                // a device failed
};
std::string_view to_string(ErrorCode code);

struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::failed;
  std::string message;
};
template <class T>
using Result = std::expected<T, Error>;

/// Where an array is and how to prove that one belongs to it.
///
/// The secret is the one with which the array's own processes prove themselves to each other. Who
/// holds it is trusted like a blade: no S3 user, key or bucket owner stands above it. Keep it where
/// the array's configuration is kept (mode 0600), give it to programs that are part of the storage
/// system, and let all others use S3 with a key of their own.
struct Endpoint {
  /// PEM files for an array whose processes speak TLS with each other; all three or none.
  struct Tls {
    std::string cert_file, key_file;  // this program's, signed by the array's authority
    std::string ca_file;              // that authority
  };
  std::string manager;  // "unix:/path" or "tcp:host:port"
  std::string secret;
  Tls tls = {};
};
/// Of an array that `turbine up --dir DIR` made on this machine; reads files that only the user who
/// runs the array may read. not_found: DIR holds no array.
Result<Endpoint> local_endpoint(const std::filesystem::path& dir);

struct ConnectOptions {
  std::string name = "client";  // in the manager's list of who is connected
  std::chrono::milliseconds timeout = std::chrono::seconds(10);
  uint64_t cache_bytes = uint64_t{64} << 20;  // shards kept in memory
  /// "debug", "info", "warn", "error": the first connection that names one replaces spdlog's
  /// default logger by one that writes these lines and worse ones to stderr. Empty: spdlog is used
  /// as the program has set it up.
  std::string log_level = "warn";
};

struct BucketInfo {
  std::string name;
  std::chrono::system_clock::time_point created;
};

/// User metadata: what S3 calls x-amz-meta-NAME. Names of a-z, 0-9, '-', '_', '.'; values without
/// control characters; 2 KiB in all.
using Metadata = std::vector<std::pair<std::string, std::string>>;

struct ObjectInfo {
  std::string key;
  uint64_t size = 0;
  std::chrono::system_clock::time_point modified;
  std::string etag;  // changes with the content
  std::string content_type;
  Metadata metadata;
};

struct PutOptions {
  std::string content_type = "binary/octet-stream";
  Metadata metadata = {};
  std::string if_match = {};       // only over the object with this ETag
  std::string if_none_match = {};  // "*": only where there is no object
};

struct ByteRange {
  uint64_t offset = 0;
  uint64_t length = std::numeric_limits<uint64_t>::max();  // cut at the object's end
};

struct Object {
  ObjectInfo info;
  std::vector<std::byte> bytes;  // of the asked range
};

struct ListOptions {
  std::string prefix = {};
  std::string delimiter = {};    // keys that share what is before it are one prefix
  std::string start_after = {};  // keys behind it only
  size_t count_max = 1000;       // of one page; 1 to 1000
};
struct Listing {
  std::vector<ObjectInfo> objects;    // in the order of their keys' bytes
  std::vector<std::string> prefixes;  // in the same order
  bool truncated = false;             // there is more: ask again with next_start_after
  std::string next_start_after;
};

/// A connection to an array, seen by it as one more gateway that acts as the root user. Every call
/// blocks until the array has answered or said in bounded time that it can't; any number of threads
/// may call at once. What was put or removed is durable when the call returns, as over S3, and seen
/// by every client at once. It owns one thread; no call may be under way when it is destroyed, and
/// a child of fork() may not use it.
class Client {
 public:
  /// unavailable: nobody answers at the endpoint, or the array has not yet been planned. invalid,
  /// not_found: the files for TLS.
  static Result<Client> connect(Endpoint endpoint, ConnectOptions options = {});
  Client(Client&& other) noexcept;
  Client& operator=(Client&& other) noexcept;
  ~Client();

  /// Names as in S3: 3 to 63 of a-z, 0-9, '.', '-'. exists, invalid.
  Result<void> create_bucket(const std::string& bucket);
  /// not_found, not_empty.
  Result<void> delete_bucket(const std::string& bucket);
  /// In the order of their names.
  Result<std::vector<BucketInfo>> list_buckets();

  /// Makes or replaces the object in one step: no reader sees a part of it. `key`: 1 to 1024 bytes
  /// of UTF-8. The ETag is not the content's MD5.
  Result<ObjectInfo> put(const std::string& bucket, const std::string& key,
                         std::span<const std::byte> bytes, PutOptions options = {});
  /// The bytes are those of one version. invalid: the range begins behind the object's end.
  Result<Object> get(const std::string& bucket, const std::string& key, ByteRange range = {});
  Result<ObjectInfo> head(const std::string& bucket, const std::string& key);
  /// Returns whether it was there.
  Result<bool> remove(const std::string& bucket, const std::string& key);
  Result<Listing> list(const std::string& bucket, ListOptions options = {});

 private:
  class Connection;
  explicit Client(std::unique_ptr<Connection> connection);
  std::unique_ptr<Connection> connection_;
};

}  // namespace turbine::client
