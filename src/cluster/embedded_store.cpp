#include "cluster/embedded_store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/byte_codec.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"

namespace turbine::cluster {
namespace {

constexpr uint32_t kLogMagic = 0x4C435254;       // "TRCL"
constexpr uint32_t kSnapshotMagic = 0x53435254;  // "TRCS"
constexpr uint32_t kStoreVersion = 1;
constexpr size_t kLogHeaderBytes = 24;
constexpr size_t kRecordHeaderBytes = 20;  // length, revision, checksum
constexpr size_t kRecordBytesMax = size_t{64} << 20;

std::unexpected<Error> io_failure(std::string_view what, const std::filesystem::path& path) {
  return fail(Errc::io, "{} {}: {}", what, path.string(), std::strerror(errno));
}

void append_text(std::string& out, std::string_view text) {
  append_le(out, static_cast<uint32_t>(text.size()));
  out.append(text);
}

Result<std::string> take_text(ByteReader& reader) {
  const auto size = TRY(reader.le<uint32_t>());
  return std::string(TRY(reader.take(size)));
}

std::string encode_record(uint64_t revision, const std::vector<StorePut>& puts) {
  std::string body;
  append_le(body, static_cast<uint32_t>(puts.size()));
  for (const StorePut& put : puts) {
    append_text(body, put.key);
    append_le(body, static_cast<uint8_t>(put.value.has_value()));
    append_text(body, put.value.value_or(""));
  }
  std::string record;
  append_le(record, static_cast<uint32_t>(body.size()));
  append_le(record, revision);
  append_le(record, hash64(body, combine_seeds(kLogMagic, revision)));
  return record + body;
}

Result<std::vector<StorePut>> decode_puts(std::string_view body) {
  ByteReader reader(body);
  std::vector<StorePut> puts;
  const auto count = TRY(reader.le<uint32_t>());
  for (uint32_t i = 0; i < count; ++i) {
    StorePut put;
    put.key = TRY(take_text(reader));
    const auto present = TRY(reader.le<uint8_t>());
    std::string value = TRY(take_text(reader));
    if (present != 0) put.value = std::move(value);
    puts.push_back(std::move(put));
  }
  return puts;
}

struct LogRecord {
  uint64_t revision = 0;
  std::string_view body;
};

/// The record at the start of `bytes`, if a whole and sound one stands there.
std::optional<LogRecord> read_record(std::string_view bytes) {
  if (bytes.size() < kRecordHeaderBytes) return std::nullopt;
  const auto size = load_le<uint32_t>(bytes.data());
  const auto revision = load_le<uint64_t>(bytes.data() + 4);
  if (size > kRecordBytesMax || bytes.size() - kRecordHeaderBytes < size) return std::nullopt;
  const std::string_view body = bytes.substr(kRecordHeaderBytes, size);
  if (load_le<uint64_t>(bytes.data() + 12) != hash64(body, combine_seeds(kLogMagic, revision))) {
    return std::nullopt;
  }
  return LogRecord{revision, body};
}

Result<std::optional<std::string>> read_file(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 && errno == ENOENT) return std::optional<std::string>();
  if (file < 0) return io_failure("open", path);
  std::string bytes;
  std::string chunk(size_t{1} << 16, '\0');
  for (;;) {
    const ssize_t count = ::read(file, chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      ::close(file);
      return io_failure("read", path);
    }
    if (count == 0) break;
    bytes.append(chunk.data(), static_cast<size_t>(count));
  }
  ::close(file);
  return std::optional<std::string>(std::move(bytes));
}

Result<> write_all(int file, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return io_failure("write", path);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

/// Puts `bytes` in the place of `path` at once: a crash leaves the old or the new file.
Result<> replace_file(const std::filesystem::path& path, std::string_view bytes) {
  const std::filesystem::path fresh = path.string() + ".new";
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return io_failure("create", fresh);
  Result<> written = write_all(file, bytes, fresh);
  if (written.ok() && ::fsync(file) != 0) written = io_failure("fsync", fresh);
  ::close(file);
  TRY(std::move(written));
  if (::rename(fresh.c_str(), path.c_str()) != 0) return io_failure("rename to", path);
  const int directory = ::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return io_failure("open", path.parent_path());
  const int synced = ::fsync(directory);
  ::close(directory);
  if (synced != 0) return io_failure("fsync", path.parent_path());
  return {};
}

}  // namespace

EmbeddedStore::EmbeddedStore(std::filesystem::path directory, Executor executor,
                             io::BlockingPool& pool, size_t log_bytes_max)
    : directory_(std::move(directory)),
      pool_(pool),
      log_bytes_max_(log_bytes_max),
      one_at_a_time_(executor, 1) {}

EmbeddedStore::~EmbeddedStore() {
  if (log_ >= 0) ::close(log_);
  if (lock_ >= 0) ::close(lock_);
}

Result<std::unique_ptr<EmbeddedStore>> EmbeddedStore::open(std::filesystem::path directory,
                                                           Executor executor,
                                                           io::BlockingPool& pool,
                                                           size_t log_bytes_max) {
  std::unique_ptr<EmbeddedStore> store(
      new EmbeddedStore(std::move(directory), executor, pool, log_bytes_max));
  TRY(store->load());
  return store;
}

// --- opening ---------------------------------------------------------------------------------

Result<> EmbeddedStore::load() {
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  const std::filesystem::path lock_path = directory_ / "lock";
  lock_ = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0) return io_failure("open", lock_path);
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    return fail(Errc::exists, "the cluster store {} is in use by another manager",
                directory_.string());
  }
  TRY(load_snapshot());
  return load_log();
}

Result<> EmbeddedStore::load_snapshot() {
  const std::filesystem::path path = directory_ / "snapshot";
  const std::optional<std::string> bytes = TRY(read_file(path));
  if (!bytes) return {};
  if (bytes->size() < sizeof(uint64_t)) return fail(Errc::corrupt, "{} is cut", path.string());
  const std::string_view body = std::string_view(*bytes).substr(0, bytes->size() - 8);
  if (load_le<uint64_t>(bytes->data() + body.size()) != hash64(body, kSnapshotMagic)) {
    return fail(Errc::corrupt, "{}: checksum does not match; restore it from a backup",
                path.string());
  }
  ByteReader reader(body);
  if (TRY(reader.le<uint32_t>()) != kSnapshotMagic || TRY(reader.le<uint32_t>()) != kStoreVersion) {
    return fail(Errc::corrupt, "{} has a format that this version does not know", path.string());
  }
  revision_ = TRY(reader.le<uint64_t>());
  const auto count = TRY(reader.le<uint32_t>());
  for (uint32_t i = 0; i < count; ++i) {
    StoreRecord record;
    record.key = TRY(take_text(reader));
    record.revision = TRY(reader.le<uint64_t>());
    record.value = TRY(take_text(reader));
    table_.restore(std::move(record));
  }
  return {};
}

Result<> EmbeddedStore::load_log() {
  const std::filesystem::path path = directory_ / "log";
  const std::optional<std::string> bytes = TRY(read_file(path));
  if (!bytes) return start_log(revision_);
  std::string_view rest(*bytes);
  if (rest.size() < kLogHeaderBytes || load_le<uint32_t>(rest.data()) != kLogMagic ||
      load_le<uint32_t>(rest.data() + 4) != kStoreVersion ||
      load_le<uint64_t>(rest.data() + 16) != hash64(rest.substr(0, 16), kLogMagic)) {
    return fail(Errc::corrupt, "{}: bad header or a format that this version does not know",
                path.string());
  }
  if (load_le<uint64_t>(rest.data() + 8) > revision_) {
    return fail(Errc::corrupt, "{} begins after revision {}, where the snapshot ends",
                path.string(), revision_);
  }
  rest.remove_prefix(kLogHeaderBytes);
  while (const std::optional<LogRecord> record = read_record(rest)) {
    rest.remove_prefix(kRecordHeaderBytes + record->body.size());
    if (record->revision <= revision_) continue;  // in the snapshot already
    if (record->revision != revision_ + 1) {
      return fail(Errc::corrupt, "{}: revision {} is missing", path.string(), revision_ + 1);
    }
    revision_ = record->revision;
    table_.apply(revision_, TRY(decode_puts(record->body)));
  }
  // A torn record can only be the last one. A sound one behind it means damage in the middle.
  for (size_t i = 1; i < rest.size(); ++i) {
    const std::optional<LogRecord> later = read_record(rest.substr(i));
    if (later && later->revision > revision_) {
      return fail(Errc::corrupt, "{}: a record in the middle is damaged; restore from a backup",
                  path.string());
    }
  }
  log_bytes_ = bytes->size() - rest.size();
  log_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (log_ < 0) return io_failure("open", path);
  if (!rest.empty()) {
    if (::ftruncate(log_, static_cast<off_t>(log_bytes_)) != 0 || ::fsync(log_) != 0) {
      return io_failure("truncate", path);
    }
  }
  return {};
}

Result<> EmbeddedStore::start_log(uint64_t base_revision) {
  const std::filesystem::path path = directory_ / "log";
  std::string header;
  append_le(header, kLogMagic);
  append_le(header, kStoreVersion);
  append_le(header, base_revision);
  append_le(header, hash64(header, kLogMagic));
  TRY(replace_file(path, header));
  if (log_ >= 0) ::close(log_);
  log_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (log_ < 0) return io_failure("open", path);
  log_bytes_ = header.size();
  return {};
}

// --- transactions ----------------------------------------------------------------------------

Task<std::optional<StoreRecord>> EmbeddedStore::get(std::string key) {
  co_return table_.get(key);
}

Task<std::vector<StoreRecord>> EmbeddedStore::list(std::string prefix) {
  co_return table_.list(prefix);
}

Task<uint64_t> EmbeddedStore::txn(std::vector<StoreCompare> compares, std::vector<StorePut> puts) {
  CO_TRY(co_await one_at_a_time_.acquire());
  Result<uint64_t> revision = co_await commit(std::move(compares), puts);
  one_at_a_time_.release();
  if (revision.ok()) table_.notify(*revision, puts);
  co_return revision;
}

Task<uint64_t> EmbeddedStore::commit(std::vector<StoreCompare> compares,
                                     std::vector<StorePut> puts) {
  if (failed_) {
    co_return fail(Errc::io, "the cluster store has failed before; restart the manager");
  }
  CO_TRY(table_.check(compares));
  const uint64_t revision = revision_ + 1;
  Result<> written = co_await pool_.offload(
      [this, record = encode_record(revision, puts)] { return append(record); });
  if (!written.ok()) {
    failed_ = true;
    log::critical("cluster store: {}", written.error().text());
    co_return fail(std::move(written).error());
  }
  revision_ = revision;
  table_.apply(revision, puts);
  if (log_bytes_ > log_bytes_max_) {
    Result<> done = co_await pool_.offload(
        [this, bytes = encode_snapshot(), revision] { return write_snapshot(bytes, revision); });
    if (!done.ok()) {
      failed_ = true;
      log::critical("cluster store: {}", done.error().text());
    }
  }
  co_return revision;
}

Result<> EmbeddedStore::append(const std::string& record) {
  TRY(write_all(log_, record, directory_ / "log"));
  if (::fdatasync(log_) != 0) return io_failure("fdatasync", directory_ / "log");
  log_bytes_ += record.size();
  return {};
}

std::string EmbeddedStore::encode_snapshot() const {
  std::string bytes;
  append_le(bytes, kSnapshotMagic);
  append_le(bytes, kStoreVersion);
  append_le(bytes, revision_);
  append_le(bytes, static_cast<uint32_t>(table_.records().size()));
  for (const auto& [key, record] : table_.records()) {
    append_text(bytes, key);
    append_le(bytes, record.revision);
    append_text(bytes, record.value);
  }
  append_le(bytes, hash64(bytes, kSnapshotMagic));
  return bytes;
}

Result<> EmbeddedStore::write_snapshot(const std::string& bytes, uint64_t revision) {
  TRY(replace_file(directory_ / "snapshot", bytes));
  return start_log(revision);
}

}  // namespace turbine::cluster
