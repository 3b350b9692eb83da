#include "meta/test_array.hpp"

#include <algorithm>

#include "cluster/map_record.hpp"
#include "cluster/partition_change.hpp"

namespace turbine::meta {
namespace {

proto::ClusterMap make_map(uint32_t blade_count, uint32_t partition_count, uint32_t replica_count) {
  proto::ClusterMap map;
  map.set_array_id("00000000000000000000000000000001");
  map.set_epoch(1);
  for (uint32_t i = 1; i <= blade_count; ++i) {
    proto::Blade* blade = map.add_blades();
    blade->set_id(i);
    blade->set_state(proto::BLADE_HEALTHY);
    blade->set_address(fmt::format("mem:blade-{}", i));
  }
  for (uint32_t i = 0; i < partition_count; ++i) {
    proto::Partition* partition = map.add_partitions();
    partition->set_primary(i % blade_count + 1);
    for (uint32_t r = 0; r < replica_count; ++r) {
      partition->add_replicas((i + r) % blade_count + 1);
      partition->add_wanted((i + r) % blade_count + 1);
    }
    partition->set_term(1);
  }
  proto::Layout* layout = map.add_layouts();
  layout->set_id(1);
  layout->set_data_count(1);
  layout->set_preferred(true);
  proto::Group* group = layout->add_groups();
  group->add_blades(1);
  group->set_version(1);
  return map;
}

Task<rpc::Reply> dispatch(rpc::Dispatcher* dispatcher, rpc::Request request) {
  co_return co_await dispatcher->dispatch(std::move(request));
}

}  // namespace

TestArray::TestArray(uint32_t blade_count, uint32_t partition_count, uint64_t seed, Options opts,
                     uint32_t replica_count)
    : rng(seed),
      network(clock, Rng(seed + 1)),
      map(make_map(blade_count, partition_count, replica_count)),
      options(opts) {
  client_map.update(map.record());
  client_transport = network.attach("client");
  client = std::make_unique<PartitionClient>(clock, *client_transport, client_map);
  for (uint32_t i = 1; i <= blade_count; ++i) {
    blades.push_back(std::make_unique<Blade>());
    blades.back()->id = BladeId(i);
    start(*blades.back());
  }
}

TestArray::~TestArray() {
  for (auto& blade : blades) {
    if (blade->host != nullptr) crash(*blade);
  }
  client.reset();
  (void)clock.run(client_transport->stop());
  // Who still waits in a dead blade unwinds at its deadline.
  clock.advance(std::chrono::minutes(2));
}

void TestArray::start(Blade& blade) {
  blade.failed = false;
  blade.map.update(map.record());
  blade.kv = kv::open_mem_kv(clock, blade.disk, kv_options);
  blade.transport = network.attach(fmt::format("blade-{}", blade.id));
  blade.client = std::make_unique<PartitionClient>(clock, *blade.transport, blade.map);
  Options own = options;
  own.self = blade.id;
  own.session = SessionId(1000 + blade.id.value);
  blade.host = std::make_unique<PartitionHost>(
      Seams{
          .executor = clock.executor(),
          .clock = clock,
          .rng = rng,
          .kv = *blade.kv,
          .map = blade.map,
          .client = *blade.client,
          .shard_io = shard_io,
          .call_blade =
              [client = blade.client.get()](BladeId to, rpc::Request request, TimePoint deadline) {
                return client->call_raw(to, std::move(request), deadline);
              },
          .change_partitions =
              [this, id = blade.id](std::vector<proto::PartitionChange> changes) {
                return decide(id, std::move(changes));
              },
          .chunk_unapplied = {},
          .fatal = [&blade](const Error&) { blade.failed = true; }},
      own);
  const auto from = PartitionHost::recovery_position(*blade.kv);
  ASSERT_TRUE(from.ok());
  for (uint64_t i = from->value; i < blade.log->durable.size(); ++i) {
    const Result<> replayed = blade.host->replay(blade.log->durable[i], journal::Position{i});
    ASSERT_TRUE(replayed.ok()) << replayed.error().text();
  }
  blade.journal = std::make_unique<FakeJournal>(clock, blade.log);
  blade.dispatcher = std::make_unique<rpc::Dispatcher>();
  blade.host->register_handlers(*blade.dispatcher);
  ASSERT_TRUE(clock.run(blade.host->start(*blade.journal)).ok());
  auto listener =
      blade.transport->listen(fmt::format("mem:blade-{}", blade.id),
                              [dispatcher = blade.dispatcher.get()](rpc::Request request) {
                                return dispatch(dispatcher, std::move(request));
                              });
  ASSERT_TRUE(listener.ok());
  blade.listener = std::move(*listener);
}

void TestArray::publish(proto::ClusterMap record) {
  record.set_epoch(record.epoch() + 1);
  map = cluster::ClusterMap(record);
  client_map.update(record);
  for (auto& blade : blades) {
    if (blade->host != nullptr) blade->map.update(record);
  }
}

Task<> TestArray::decide(BladeId issuer, std::vector<proto::PartitionChange> changes) {
  if (!blade(issuer.value).log->open) co_return fail(Errc::unavailable, "its power is gone");
  proto::ClusterMap record = map.record();
  for (const proto::PartitionChange& change : changes) {
    (void)cluster::apply_change(record, issuer, change);
  }
  publish(std::move(record));
  co_return Result<>{};
}

void TestArray::set_alive(Blade& blade, bool alive) {
  proto::ClusterMap record = map.record();
  cluster::find_blade(record, blade.id.value)
      ->set_state(alive ? proto::BLADE_HEALTHY : proto::BLADE_DEAD);
  if (alive) cluster::reelect(record, blade.id);
  publish(std::move(record));
}

void TestArray::set_quota(InodeId bucket, std::optional<uint64_t> bytes) {
  proto::ClusterMap record = map.record();
  auto& quotas = *record.mutable_quotas();
  const auto found = std::ranges::find(quotas, bucket.value, &proto::BucketQuota::bucket);
  if (!bytes.has_value()) {
    if (found != quotas.end()) quotas.erase(found);
  } else if (found != quotas.end()) {
    found->set_bytes(*bytes);
  } else {
    proto::BucketQuota& quota = *quotas.Add();
    quota.set_bucket(bucket.value);
    quota.set_bytes(*bytes);
    quota.set_generation(record.epoch() + 1);
  }
  publish(std::move(record));
}

PartitionPtr TestArray::served(PartitionId id) {
  Blade& primary = blade_of(id);
  if (primary.host == nullptr) return nullptr;
  for (const PartitionPtr& each : primary.host->partitions()) {
    if (each->id() == id && each->answerable()) return each;
  }
  return nullptr;
}

void TestArray::crash(Blade& blade, Rng* loss) {
  blade.log->open = false;
  blade.log->crash_at_append = 0;
  blade.disk.crash(loss);
  network.kill(fmt::format("blade-{}", blade.id));
  (void)clock.run(blade.listener->stop());
  (void)clock.run(blade.host->stop());
  (void)clock.run(blade.transport->stop());
  blade.listener.reset();
  blade.host.reset();
  blade.client.reset();
  blade.transport.reset();
  blade.journal.reset();
  blade.kv.reset();
}

Result<InodeId> TestArray::make_bucket(const std::string& name) {
  proto::MakeDirectoryRequest request;
  request.set_directory(kRootInode.value);
  request.set_name(name);
  auto reply = TRY(call<proto::MakeDirectoryReply>(kRootInode.partition(), proto::MAKE_DIRECTORY,
                                                   std::move(request), {}, next_request()));
  return InodeId(reply.body.inode().id());
}

Result<> TestArray::remove_bucket(const std::string& name) {
  proto::RemoveDirectoryRequest request;
  request.set_directory(kRootInode.value);
  request.set_name(name);
  TRY(call<proto::RemoveDirectoryReply>(kRootInode.partition(), proto::REMOVE_DIRECTORY,
                                        std::move(request), {}, next_request()));
  return {};
}

Result<InodeId> TestArray::find_directory(InodeId parent, const std::string& name) {
  proto::LookupRequest request;
  request.set_directory(parent.value);
  request.set_name(name);
  request.set_want_directory(true);
  auto reply = TRY(call<proto::LookupReply>(parent.partition(), proto::LOOKUP, std::move(request)));
  return InodeId(reply.body.inode().id());
}

Result<proto::PutFileReply> TestArray::put(InodeId bucket, std::vector<std::string> path,
                                           std::string content, proto::Condition condition) {
  const RequestId id = next_request();
  for (int attempt = 0; attempt < 20; ++attempt) {
    InodeId directory = bucket;
    size_t known = 0;
    Error failure;
    while (known + 1 < path.size()) {
      const auto next = find_directory(directory, path[known]);
      if (!next.ok()) {
        failure = next.error();
        break;
      }
      directory = *next;
      ++known;
    }
    if (failure.code != Errc::ok && failure.code != Errc::not_found) {
      if (failure.code == Errc::stale && directory != bucket) continue;
      return fail(failure);
    }
    proto::PutFileRequest request;
    request.set_directory(directory.value);
    for (size_t i = known; i < path.size(); ++i) request.add_path(path[i]);
    request.mutable_attributes()->set_etag(fmt::format("e{}", content.size()));
    request.mutable_content()->set_size(content.size());
    request.mutable_content()->set_inline_payload(true);
    *request.mutable_condition() = condition;
    request.set_session(id.session.value);
    auto reply = call<proto::PutFileReply>(directory.partition(), proto::PUT_FILE,
                                           std::move(request), content, id);
    if (reply.failed_with(Errc::stale) && directory != bucket) continue;
    if (reply.failed_with(Errc::stale) && known + 1 < path.size()) continue;
    if (!reply.ok()) return fail(reply.error());
    return std::move(reply->body);
  }
  return fail(Errc::busy, "the path changes too fast");
}

Result<std::string> TestArray::get(InodeId bucket, std::vector<std::string> path) {
  InodeId directory = bucket;
  for (size_t i = 0; i + 1 < path.size(); ++i) directory = TRY(find_directory(directory, path[i]));
  proto::LookupRequest request;
  request.set_directory(directory.value);
  request.set_name(path.back());
  request.set_want_content(true);
  request.set_length(1 << 20);
  auto reply =
      TRY(call<proto::LookupReply>(directory.partition(), proto::LOOKUP, std::move(request)));
  return std::string(reply.payload.text());
}

Result<bool> TestArray::remove(InodeId bucket, std::vector<std::string> path) {
  const RequestId id = next_request();
  for (int attempt = 0; attempt < 20; ++attempt) {
    InodeId directory = bucket;
    Error failure;
    for (size_t i = 0; i + 1 < path.size() && failure.code == Errc::ok; ++i) {
      const auto next = find_directory(directory, path[i]);
      if (next.ok()) {
        directory = *next;
      } else {
        failure = next.error();
      }
    }
    if (failure.code == Errc::not_found) return false;
    if (failure.code == Errc::stale && directory != bucket) continue;
    if (failure.code != Errc::ok) return fail(failure);
    proto::DeleteFileRequest request;
    request.set_directory(directory.value);
    request.set_name(path.back());
    auto reply = call<proto::DeleteFileReply>(directory.partition(), proto::DELETE_FILE,
                                              std::move(request), {}, id);
    if (reply.failed_with(Errc::stale) && directory != bucket) continue;
    if (!reply.ok()) return fail(reply.error());
    return reply->body.existed();
  }
  return fail(Errc::busy, "the path changes too fast");
}

proto::NewContent TestArray::hidden_content(PartitionId home, SessionId session) {
  proto::LeaseStripeIdsRequest lease;
  lease.set_partition(home.value);
  lease.set_session(session.value);
  lease.set_count(64);
  const auto leased = call<proto::LeaseStripeIdsReply>(home, proto::LEASE_STRIPE_IDS,
                                                       std::move(lease), {}, next_request());
  EXPECT_TRUE(leased.ok());
  const StripeId id = StripeId::make(home, leased->body.first_number());
  const GroupId group = cluster::make_group_id(1, 0);
  proto::AppendHiddenRequest append;
  append.set_partition(home.value);
  append.set_session(session.value);
  proto::NewContent& content = *append.mutable_content();
  content.set_size(100'000);
  proto::NewStripe& stripe = *content.add_stripes();
  stripe.set_id(id.value);
  stripe.set_group(group.value);
  stripe.set_group_version(1);
  stripe.set_shard_bytes(102'400);
  stripe.set_data_bytes(100'000);
  proto::Extent& extent = *content.add_extents();
  extent.set_length(100'000);
  extent.set_stripe(id.value);
  extent.set_group(group.value);
  extent.set_shard_bytes(102'400);
  const auto appended = call<proto::AppendHiddenReply>(home, proto::APPEND_HIDDEN,
                                                       std::move(append), {}, next_request());
  EXPECT_TRUE(appended.ok());
  proto::NewContent hidden;
  hidden.set_size(100'000);
  hidden.set_hidden_inode(appended->body.hidden_inode());
  return hidden;
}

Result<std::vector<std::string>> TestArray::list(InodeId directory, const std::string& prefix) {
  std::vector<std::string> keys;
  std::string after;
  for (;;) {
    proto::ListDirectoryRequest request;
    request.set_directory(directory.value);
    request.set_after(after);
    request.set_count(7);
    auto reply = TRY(call<proto::ListDirectoryReply>(directory.partition(), proto::LIST_DIRECTORY,
                                                     std::move(request)));
    for (const proto::DirectoryEntry& entry : reply.body.entries()) {
      after = entry.name() + (entry.is_directory() ? "/" : "");
      if (!entry.is_directory()) {
        keys.push_back(prefix + entry.name());
        continue;
      }
      const auto inner = TRY(list(InodeId(entry.inode().id()), prefix + after));
      if (inner.empty()) keys.push_back(prefix + after + " (empty)");
      keys.insert(keys.end(), inner.begin(), inner.end());
    }
    if (!reply.body.more()) return keys;
    if (reply.body.entries_size() == 0) return fail(Errc::corrupt, "more, but nothing");
  }
}

}  // namespace turbine::meta
