#include "turbine/client.hpp"

#include <algorithm>
#include <utility>

#include "client/connection.hpp"
#include "client/convert.hpp"
#include "fs/bucket_name.hpp"
#include "rpc/tls_context.hpp"

namespace turbine::client {

namespace {

constexpr uint64_t kPieceBytes = uint64_t{1} << 20;  // given to a writer or asked of a reader
constexpr size_t kListCountMax = 1000;

Task<fs::ObjectInfo> put_object(fs::FileSystem& files, fs::CallContext call, std::string bucket,
                                std::string key, std::span<const std::byte> bytes,
                                fs::NewObject attributes, fs::Conditions conditions) {
  auto writer = CO_TRY(co_await files.create(call, bucket, key, bytes.size()));
  while (!bytes.empty()) {
    const size_t size = std::min<size_t>(bytes.size(), kPieceBytes);
    CO_TRY(co_await writer->write(Buffer::copy_of(bytes.first(size))));
    bytes = bytes.subspan(size);
  }
  co_return co_await writer->commit(std::move(attributes), std::move(conditions));
}

Task<Object> get_object(fs::FileSystem& files, fs::CallContext call, std::string bucket,
                        std::string key, ByteRange range) {
  const auto reader = CO_TRY(co_await files.open(call, bucket, key));
  const uint64_t size = reader->info().size;
  if (range.offset > size) {
    co_return fail(Errc::out_of_range, "offset {} of {}, which has {} bytes", range.offset, key,
                   size);
  }
  const uint64_t end = range.offset + std::min(range.length, size - range.offset);
  Object object;
  object.info = to_client_info(reader->info());
  object.bytes.reserve(end - range.offset);
  for (uint64_t at = range.offset; at < end; at = range.offset + object.bytes.size()) {
    const auto buffers = CO_TRY(co_await reader->read(at, std::min(kPieceBytes, end - at)));
    for (const Buffer& buffer : buffers) {
      object.bytes.insert(object.bytes.end(), buffer.data(), buffer.data() + buffer.size());
    }
    if (range.offset + object.bytes.size() <= at) {
      co_return fail(Errc::corrupt, "no bytes at {} of {}", at, key);
    }
  }
  co_return object;
}

Listing to_listing(fs::ListResult result) {
  Listing out;
  out.truncated = result.truncated;
  out.next_start_after = std::move(result.next_start_after);
  for (fs::ListResult::Item& item : result.items) {
    if (item.is_prefix) {
      out.prefixes.push_back(std::move(item.key));
    } else {
      out.objects.push_back(to_client_info(item.info));
    }
  }
  return out;
}

turbine::Result<> check_new_bucket(const std::string& bucket) {
  if (fs::is_valid_new_bucket_name(bucket)) return {};
  return fail(Errc::invalid, "bucket name '{}': {}", bucket, fs::kBucketNameRule);
}

}  // namespace

Client::Client(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
Client::Client(Client&& other) noexcept = default;
Client& Client::operator=(Client&& other) noexcept = default;
Client::~Client() = default;

Result<Client> Client::connect(Endpoint endpoint, ConnectOptions options) {
  const Endpoint::Tls& files = endpoint.tls;
  auto tls = rpc::load_tls({files.cert_file, files.key_file, files.ca_file});
  if (!tls.ok()) return std::unexpected(to_client_error(tls.error()));
  auto connection = std::make_unique<Connection>(endpoint, options, std::move(*tls));
  const auto started = connection->start();
  if (!started.ok()) return std::unexpected(to_client_error(started.error()));
  return Client(std::move(connection));
}

Result<void> Client::create_bucket(const std::string& bucket) {
  if (auto good = check_new_bucket(bucket); !good.ok()) return to_client_result(std::move(good));
  const auto made = connection_->call<fs::BucketInfo>(
      [&] { return connection_->files().create_bucket(connection_->context(), bucket); });
  if (!made.ok()) return std::unexpected(to_client_error(made.error()));
  return {};
}

Result<void> Client::delete_bucket(const std::string& bucket) {
  return to_client_result(connection_->call<void>(
      [&] { return connection_->files().delete_bucket(connection_->context(), bucket); }));
}

Result<std::vector<BucketInfo>> Client::list_buckets() {
  const auto found = connection_->call<std::vector<fs::BucketInfo>>(
      [&] { return connection_->files().list_buckets(connection_->context()); });
  if (!found.ok()) return std::unexpected(to_client_error(found.error()));
  std::vector<BucketInfo> buckets;
  for (const fs::BucketInfo& info : *found) {
    buckets.push_back({info.name, to_time(info.created_ns)});
  }
  return buckets;
}

Result<ObjectInfo> Client::put(const std::string& bucket, const std::string& key,
                               std::span<const std::byte> bytes, PutOptions options) {
  if (auto good = check_key(key); !good.ok()) {
    return std::unexpected(to_client_error(good.error()));
  }
  const auto attributes = to_attributes(options);
  if (!attributes.ok()) return std::unexpected(to_client_error(attributes.error()));
  const fs::Conditions conditions{options.if_match, options.if_none_match, {}, {}};
  const auto info = connection_->call<fs::ObjectInfo>([&] {
    return put_object(connection_->files(), connection_->context(), bucket, key, bytes, *attributes,
                      conditions);
  });
  if (!info.ok()) return std::unexpected(to_client_error(info.error()));
  return to_client_info(*info);
}

Result<Object> Client::get(const std::string& bucket, const std::string& key, ByteRange range) {
  return to_client_result(connection_->call<Object>([&] {
    return get_object(connection_->files(), connection_->context(), bucket, key, range);
  }));
}

Result<ObjectInfo> Client::head(const std::string& bucket, const std::string& key) {
  const auto info = connection_->call<fs::ObjectInfo>(
      [&] { return connection_->files().head(connection_->context(), bucket, key); });
  if (!info.ok()) return std::unexpected(to_client_error(info.error()));
  return to_client_info(*info);
}

Result<bool> Client::remove(const std::string& bucket, const std::string& key) {
  return to_client_result(connection_->call<bool>(
      [&] { return connection_->files().remove(connection_->context(), bucket, key, {}); }));
}

Result<Listing> Client::list(const std::string& bucket, ListOptions options) {
  const fs::ListRequest request{
      .prefix = std::move(options.prefix),
      .delimiter = std::move(options.delimiter),
      .start_after = std::move(options.start_after),
      .count = std::clamp<size_t>(options.count_max, 1, kListCountMax),
  };
  auto result = connection_->call<fs::ListResult>(
      [&] { return connection_->files().list(connection_->context(), bucket, request); });
  if (!result.ok()) return std::unexpected(to_client_error(result.error()));
  return to_listing(std::move(*result));
}

}  // namespace turbine::client
