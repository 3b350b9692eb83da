#include "fs/core.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "meta/etag.hpp"

namespace turbine::fs {

Core::Core(Clock& clock_in, Rng rng_in, rpc::Transport& transport, cluster::MapHolder& map_in,
           SessionId session_in, FileSystemOptions options_in)
    : clock(clock_in),
      rng(rng_in),
      map(map_in),
      session(session_in),
      options(options_in),
      gate(clock_in.executor()),
      partitions(clock_in, transport, map_in, options_in.partitions),
      shards(clock_in, transport, map_in, options_in.shards),
      stripe_ids(
          clock_in,
          [this](PartitionId home, uint32_t count) { return lease_stripe_ids(home, count); },
          options_in.stripe_ids_use_max),
      writer(clock_in, shards, map_in, stripe_ids, options_in.writer),
      reader(
          clock_in, shards, map_in,
          [this](StripeId stripe, GroupId group, std::vector<uint32_t> indexes) {
            report_lost(stripe, group, std::move(indexes));
          },
          options_in.reader),
      bindings(options_in.bindings_max),
      discards(clock_in, partitions, session_in) {}

Task<stripe::StripeIdRange> Core::lease_stripe_ids(PartitionId home, uint32_t count) {
  proto::LeaseStripeIdsRequest request;
  request.set_partition(home.value);
  request.set_session(session.value);
  request.set_count(count);
  const auto reply = CO_TRY(co_await partitions.call<proto::LeaseStripeIdsReply>(
      home, proto::LEASE_STRIPE_IDS, std::move(request), {}, next_request(), clock.now()));
  co_return stripe::StripeIdRange{reply.body.first_number(), reply.body.count()};
}

void Core::report_lost(StripeId stripe, GroupId group, std::vector<uint32_t> indexes) {
  gate.spawn("report lost shards", send_report(stripe, group, std::move(indexes)));
}

Task<> Core::send_report(StripeId stripe, GroupId group, std::vector<uint32_t> indexes) {
  proto::ReportLostShardsRequest request;
  request.set_stripe(stripe.value);
  request.set_group(group.value);
  for (const uint32_t index : indexes) request.add_indexes(index);
  const auto sent = co_await ask<proto::ReportLostShardsReply>(
      stripe.home(), proto::REPORT_LOST_SHARDS, std::move(request));
  // The next reader reports again.
  if (!sent.ok()) log::debug("lost shards of {} not reported: {}", stripe, sent.error().text());
  co_return Result<>{};
}

namespace {

/// Asks the directory itself, for when its parent can't be asked: a rename changes both.
Task<bool> is_there(CorePtr core, InodeId directory, InodeId parent, std::string name) {
  proto::GetExtentsRequest request;
  request.set_inode(directory.value);
  const auto reply = CO_TRY(co_await core->ask<proto::GetExtentsReply>(
      directory.partition(), proto::GET_EXTENTS, std::move(request)));
  const proto::Inode& inode = reply.body.inode();
  co_return inode.parent() == parent.value&& inode.name() == name;
}

}  // namespace

Task<InodeId> bind(CorePtr core, InodeId parent, std::string name, bool must_ask) {
  const TimePoint now = core->clock.now();
  const auto known = core->bindings.find(parent, name, now);
  if (known && known->fresh && !must_ask) co_return known->inode;
  const cluster::MapPtr map = core->map.get();
  if (known && map && !map->alive(map->primary(parent.partition()))) {
    const auto there = co_await is_there(core, known->inode, parent, name);
    if (there.ok() && *there) co_return known->inode;
  }

  proto::LookupRequest request;
  request.set_directory(parent.value);
  request.set_name(name);
  request.set_want_directory(true);
  request.set_session(core->session.value);
  std::optional<Duration> budget;
  if (known) budget = core->options.refresh_budget;
  const auto reply = co_await core->partitions.call<proto::LookupReply>(
      parent.partition(), proto::LOOKUP, std::move(request), {}, {}, now, budget);
  if (reply.ok()) {
    const InodeId inode(reply->body.inode().id());
    const auto lease = std::chrono::milliseconds(reply->body.lease_ms());
    core->bindings.put(parent, name, inode, now + lease);
    co_return inode;
  }
  const Errc code = reply.error().code;
  if (known && (code == Errc::unavailable || code == Errc::timeout)) {
    const auto there = co_await is_there(core, known->inode, parent, name);
    if (there.ok() && *there) co_return known->inode;
  }
  core->bindings.drop(parent, name);
  co_return fail(reply.error());
}

Task<Place> locate(CorePtr core, std::string bucket, NamePath path) {
  for (int tries = 0;; ++tries) {
    Place place;
    place.file = path.file;
    place.chain.emplace_back(kRootInode, bucket);
    auto found = co_await bind(core, kRootInode, bucket);
    if (found.failed_with(Errc::not_found)) {
      co_return fail(Errc::not_found, "bucket {} does not exist", bucket);
    }
    if (!found.ok()) co_return fail(std::move(found).error());
    place.directory = *found;
    for (size_t i = 0; i < path.directories.size(); ++i) {
      const std::string& name = path.directories[i];
      found = co_await bind(core, place.directory, name);
      if (found.failed_with(Errc::not_found)) {
        place.missing.assign(path.directories.begin() + static_cast<ptrdiff_t>(i),
                             path.directories.end());
        co_return place;
      }
      if (!found.ok()) break;
      place.chain.emplace_back(place.directory, name);
      place.directory = *found;
    }
    if (found.ok()) co_return place;
    if (!found.failed_with(Errc::stale) || tries >= core->options.stale_retries_max) {
      co_return fail(found.error().code == Errc::stale ? Errc::unavailable : found.error().code,
                     "{}", found.error().context);
    }
    forget(*core, place);
  }
}

void forget(Core& core, const Place& place) {
  for (const auto& [parent, name] : place.chain) core.bindings.drop(parent, name);
}

ObjectInfo to_object_info(std::string key, const proto::Inode& inode) {
  ObjectInfo info;
  info.key = std::move(key);
  info.inode = InodeId(inode.id());
  info.size = inode.size();
  info.modified_ns = inode.content_time_ns();
  info.etag = meta::effective_etag(inode);
  info.content_type = inode.content_type();
  for (const proto::Pair& pair : inode.metadata()) {
    info.metadata.emplace_back(pair.key(), pair.value());
  }
  info.content_version = inode.content_version();
  info.part_count = inode.part_count();
  return info;
}

void fill_attributes(proto::FileAttributes& to, const NewObject& from, uint64_t user) {
  to.set_etag(from.etag);
  to.set_content_type(from.content_type);
  for (const auto& [key, value] : from.metadata) {
    proto::Pair& pair = *to.add_metadata();
    pair.set_key(key);
    pair.set_value(value);
  }
  to.set_owner_user(user);
}

void fill_condition(proto::Condition& to, const Conditions& from) {
  to.set_if_match(from.if_match);
  to.set_if_none_match(from.if_none_match);
  to.set_if_unmodified_since_ns(from.if_unmodified_since_ns.value_or(0));
  to.set_if_modified_since_ns(from.if_modified_since_ns.value_or(0));
}

}  // namespace turbine::fs
