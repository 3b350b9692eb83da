#include "replica/test_cluster.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/byte_codec.hpp"
#include "proto/meta_log.pb.h"
#include "replica/slots.hpp"

namespace turbine::replica {
namespace {

const PartitionId kPartition(0);

Task<rpc::Reply> dispatch(rpc::Dispatcher* dispatcher, rpc::Request request) {
  co_return co_await dispatcher->dispatch(std::move(request));
}

Task<> finished(Result<> result) {
  co_return result;
}

std::string address_of(uint32_t number) {
  return fmt::format("mem:blade-{}", number);
}

}  // namespace

std::string entry_of(const std::string& text) {
  proto::LogEntry entry;
  entry.set_reply(text);
  return entry.SerializeAsString();
}

// --- the state ---------------------------------------------------------------------------------

Rows::Rows(kv::Kv& kv, PartitionId id, uint8_t generation)
    : kv_(kv), range_(slot_range(id, generation)) {
  applied_ = Lsn(contents().size());
}

Result<> Rows::apply(const Entry& entry) {
  EXPECT_EQ(entry.lsn.value, applied_.value + 1);
  std::string key = range_.first;
  append_be<uint64_t>(key, entry.lsn.value);
  kv::WriteBatch batch;
  proto::LogEntry content;
  EXPECT_TRUE(content.ParseFromString(*entry.payload));
  batch.put(std::move(key), content.reply());
  applied_ = entry.lsn;
  applied_term_ = entry.term;
  return kv_.write(std::move(batch));
}

Result<> Rows::lead(Replica& replica) {
  replica_ = &replica;
  return {};
}

void Rows::step_down(const Error&) {
  replica_ = nullptr;
}

std::vector<std::string> Rows::contents() const {
  std::vector<std::string> out;
  for (auto it = kv_.scan(range_.first, range_.second); it->valid(); it->next()) {
    out.emplace_back(it->value());
  }
  return out;
}

// --- the cluster -------------------------------------------------------------------------------

TestCluster::TestCluster(uint32_t count, uint32_t members, std::vector<uint32_t> wanted,
                         uint64_t seed)
    : rng(seed), network(clock, Rng(seed + 1)) {
  record.set_epoch(1);
  proto::Partition& partition = *record.add_partitions();
  partition.set_primary(1);
  partition.set_term(1);
  for (uint32_t i = 1; i <= members; ++i) partition.add_replicas(i);
  for (const uint32_t each : wanted) partition.add_wanted(each);
  network.set_faults({std::chrono::microseconds(100), std::chrono::microseconds(300), 0, 0});
  for (uint32_t i = 1; i <= count; ++i) {
    proto::Blade& blade = *record.add_blades();
    blade.set_id(i);
    blade.set_state(proto::BLADE_HEALTHY);
    blade.set_address(address_of(i));
    blade.set_session(i);
    blades.push_back(std::make_unique<Blade>());
    blades.back()->id = BladeId(i);
  }
  for (uint32_t i = 1; i <= count; ++i) start(i);
}

TestCluster::~TestCluster() {
  for (uint32_t i = 1; i <= blades.size(); ++i) {
    if (blade(i).alive()) crash(i);
  }
  clock.advance(std::chrono::minutes(1));
}

void TestCluster::publish() {
  record.set_epoch(record.epoch() + 1);
  for (const auto& each : blades) {
    if (each->alive() && !each->cut) each->map.update(record);
  }
}

Result<> TestCluster::decide(uint32_t issuer, const std::vector<proto::PartitionChange>& changes) {
  if (std::exchange(blade(issuer).unheard, false)) {
    late_changes = changes;
    blade(issuer).cut = true;
    return fail(Errc::timeout, "no answer; the outcome is not known");
  }
  if (!blade(issuer).alive() || blade(issuer).cut) return fail(Errc::unavailable, "no manager");
  for (const proto::PartitionChange& change : changes) {
    proto::Partition& partition = *record.mutable_partitions(0);
    if (change.expected_term() != partition.term()) continue;
    partition.set_term(partition.term() + 1);
    partition.set_primary(change.primary());
    *partition.mutable_replicas() = change.replicas();
    publish();
  }
  return {};
}

void TestCluster::start(uint32_t number) {
  Blade& each = blade(number);
  const std::string name = fmt::format("blade-{}", number);
  each.kv = kv::open_mem_kv(clock, each.disk);
  each.transport = network.attach(name);
  each.dispatcher = std::make_unique<rpc::Dispatcher>();
  each.journal = std::make_unique<journal::FakeJournal>(clock, each.log);
  const auto call = [transport = each.transport.get()](BladeId to, rpc::Request request,
                                                       TimePoint deadline) {
    return transport->channel(address_of(to.value))->call(std::move(request), deadline);
  };
  Options options;
  options.self = each.id;
  each.set = std::make_unique<ReplicaSet>(
      Seams{.executor = clock.executor(),
            .clock = clock,
            .rng = rng,
            .kv = *each.kv,
            .map = each.map,
            .call = call,
            .change =
                [this, number](std::vector<proto::PartitionChange> changes) {
                  return finished(decide(number, changes));
                },
            .make_machine =
                [&each](PartitionId id, uint8_t generation) {
                  return std::make_shared<Rows>(*each.kv, id, generation);
                },
            .fatal = [&each](const Error& error) { each.failure = error.text(); }},
      options);
  proto::Blade& known = *record.mutable_blades(static_cast<int>(number) - 1);
  known.set_state(proto::BLADE_HEALTHY);
  known.set_session(known.session() + 100);
  if (record.partitions(0).primary() == number) {
    record.mutable_partitions(0)->set_term(record.partitions(0).term() + 1);
  }
  uint64_t position = 0;
  for (const journal::Record& each_record : each.log->durable) {
    ASSERT_TRUE(each.set->replay(each_record, journal::Position{position++}).ok());
  }
  each.set->register_handlers(*each.dispatcher);
  each.listener = each.transport
                      ->listen(address_of(number),
                               [dispatcher = each.dispatcher.get()](rpc::Request request) {
                                 return dispatch(dispatcher, std::move(request));
                               })
                      .value();
  each.map.update(record);
  each.set->start(*each.journal);
  publish();
}

void TestCluster::crash(uint32_t number) {
  Blade& each = blade(number);
  network.kill(fmt::format("blade-{}", number));
  each.log->open = false;
  each.disk.crash();
  std::unique_ptr<ReplicaSet> dead = std::move(each.set);
  // It can neither reach the manager nor anybody else while its coroutines unwind.
  (void)clock.run(dead->stop());
  (void)clock.run(each.listener->stop());
  dead.reset();
  each.listener.reset();
  each.journal.reset();
  (void)clock.run(each.transport->stop());
  each.transport.reset();
  each.kv.reset();
  record.mutable_blades(static_cast<int>(number) - 1)->set_state(proto::BLADE_DEAD);
  publish();
}

void TestCluster::wipe(uint32_t number) {
  blade(number).log->durable.clear();
  const auto kv = kv::open_mem_kv(clock, blade(number).disk);
  kv::WriteBatch batch;
  batch.remove_range(std::string(1, '\0'), std::string(1, '\xff'));
  ASSERT_TRUE(kv->write(std::move(batch)).ok());
  ASSERT_TRUE(clock.run(kv->flush()).ok());
}

Replica* TestCluster::replica(uint32_t number) {
  return blade(number).alive() ? blade(number).set->find(kPartition).get() : nullptr;
}

Rows& TestCluster::rows(uint32_t number) {
  return dynamic_cast<Rows&>(*replica(number)->machine());
}

uint32_t TestCluster::server() {
  uint32_t found = 0;
  for (uint32_t i = 1; i <= blades.size(); ++i) {
    Replica* each = replica(i);
    if (each == nullptr || !each->answerable()) continue;
    EXPECT_EQ(found, 0U) << "two primaries may answer";
    found = i;
  }
  return found;
}

bool TestCluster::wait_for_server(uint32_t other_than) {
  return wait([&] {
    const uint32_t now = server();
    return now != 0 && now != other_than;
  });
}

Result<> TestCluster::put(uint32_t number, const std::string& text) {
  const Lsn lsn = replica(number)->next_lsn();
  TRY(clock.run(replica(number)->append(entry_of(text))));
  if (!wait([&] {
        Replica* each = replica(number);
        return each == nullptr || each->committed() >= lsn;
      })) {
    return fail(Errc::timeout, "not committed");
  }
  return {};
}

}  // namespace turbine::replica
