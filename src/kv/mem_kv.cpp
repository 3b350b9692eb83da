#include "kv/mem_kv.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "base/hash.hpp"

namespace turbine::kv {
namespace {

using Rows = std::map<std::string, std::string, std::less<>>;
using Kind = WriteBatch::Operation::Kind;

uint64_t bytes_of(const WriteBatch& batch) {
  uint64_t bytes = 0;
  for (const auto& operation : batch.operations()) {
    bytes += operation.key.size() + operation.value.size();
  }
  return bytes;
}

void apply(Rows& rows, const WriteBatch::Operation& operation) {
  switch (operation.kind) {
    case Kind::put:
      rows.insert_or_assign(operation.key, operation.value);
      break;
    case Kind::remove:
      rows.erase(operation.key);
      break;
    case Kind::remove_range:
      if (operation.key < operation.value) {
        rows.erase(rows.lower_bound(operation.key), rows.lower_bound(operation.value));
      }
      break;
  }
}

}  // namespace

struct MemKvDisk::State {
  Rows durable;
  std::deque<WriteBatch> pending;  // written, not flushed
  uint64_t pending_bytes = 0;
  uint64_t first_pending = 0;  // number of pending.front() since the beginning
  uint64_t incarnation = 0;    // of the open store
  uint64_t flush_count = 0;
  bool fail_flushes = false;
  bool failed = false;

  void make_durable_until(uint64_t batch_number) {
    while (first_pending < batch_number && !pending.empty()) {
      for (const auto& operation : pending.front().operations()) apply(durable, operation);
      pending_bytes -= bytes_of(pending.front());
      pending.pop_front();
      ++first_pending;
    }
  }
  Result<> check_open(uint64_t opened_as) const {
    if (opened_as != incarnation) return fail(Errc::closed, "the key-value store has crashed");
    if (failed) return fail(Errc::io, "the simulated key-value store has failed");
    return {};
  }
};

MemKvDisk::MemKvDisk() : state_(std::make_shared<State>()) {}
MemKvDisk::~MemKvDisk() {
  ++state_->incarnation;
}

void MemKvDisk::crash(Rng* rng) {
  if (rng != nullptr) {
    state_->make_durable_until(state_->first_pending + rng->below(state_->pending.size() + 1));
  }
  state_->first_pending += state_->pending.size();
  state_->pending.clear();
  state_->pending_bytes = 0;
  state_->failed = false;
  state_->fail_flushes = false;
  ++state_->incarnation;
}

void MemKvDisk::fail_flushes() {
  state_->fail_flushes = true;
}
uint64_t MemKvDisk::flush_count() const {
  return state_->flush_count;
}

namespace {

/// The rows as they are now, and for each open iterator what they were when it was made: before a
/// row changes, its old value is saved in every iterator whose range covers it.
struct Table {
  struct Snapshot {
    std::string first, end;
    std::map<std::string, std::optional<std::string>, std::less<>> saved;  // nullopt: no row
  };
  Rows rows;
  std::vector<Snapshot*> snapshots;

  void save(const std::string& key) {
    for (Snapshot* snapshot : snapshots) {
      if (key < snapshot->first || key >= snapshot->end || snapshot->saved.contains(key)) continue;
      const auto row = rows.find(key);
      snapshot->saved.emplace(
          key, row == rows.end() ? std::nullopt : std::optional<std::string>(row->second));
    }
  }
  void change(const WriteBatch::Operation& operation) {
    if (!snapshots.empty()) {
      if (operation.kind != Kind::remove_range) {
        save(operation.key);
      } else {
        for (auto row = rows.lower_bound(operation.key);
             row != rows.end() && row->first < operation.value; ++row) {
          save(row->first);
        }
      }
    }
    apply(rows, operation);
  }
};

class MemIterator final : public Iterator {
 public:
  MemIterator(std::shared_ptr<Table> table, std::string_view first, std::string_view end)
      : table_(std::move(table)), snapshot_{std::string(first), std::string(end), {}} {
    table_->snapshots.push_back(&snapshot_);
    seek(first);
  }
  ~MemIterator() override { std::erase(table_->snapshots, &snapshot_); }

  bool valid() const override { return valid_; }
  std::string_view key() const override { return key_; }
  std::string_view value() const override { return value_; }
  void next() override {
    key_.push_back('\0');  // the least key after it
    move_to(std::string(key_));
  }
  void seek(std::string_view key) override {
    move_to(std::string(std::max(key, std::string_view(snapshot_.first))));
  }
  Result<> status() const override { return {}; }

 private:
  void move_to(std::string from) {
    auto row = table_->rows.lower_bound(from);
    while (row != table_->rows.end() && snapshot_.saved.contains(row->first)) ++row;
    auto saved = snapshot_.saved.lower_bound(from);
    while (saved != snapshot_.saved.end() && !saved->second.has_value()) ++saved;
    const bool row_left = row != table_->rows.end() && row->first < snapshot_.end;
    const bool saved_left = saved != snapshot_.saved.end();
    valid_ = row_left || saved_left;
    if (!valid_) return;
    if (row_left && (!saved_left || row->first < saved->first)) {
      key_ = row->first;
      value_ = row->second;
    } else {
      key_ = saved->first;
      value_ = *saved->second;
    }
  }

  const std::shared_ptr<Table> table_;
  Table::Snapshot snapshot_;
  bool valid_ = false;
  std::string key_, value_;
};

class MemKv final : public Kv {
 public:
  MemKv(Clock& clock, std::shared_ptr<MemKvDisk::State> state, MemKvOptions options)
      : clock_(clock),
        options_(options),
        state_(std::move(state)),
        opened_as_(state_->incarnation) {
    table_->rows = state_->durable;
  }

  Result<std::optional<std::string>> get(std::string_view key) override {
    TRY(check_not_crashed());
    const auto row = table_->rows.find(key);
    if (row == table_->rows.end()) return std::nullopt;
    return row->second;
  }

  Task<std::optional<std::string>> get_async(std::string key) override {
    if (options_.cold_read_one_in > 0 && hash64(key) % options_.cold_read_one_in == 0) {
      return get_cold(std::move(key));
    }
    return get_warm(std::move(key));
  }

  Result<> write(WriteBatch batch) override {
    TRY(state_->check_open(opened_as_));
    for (const auto& operation : batch.operations()) table_->change(operation);
    state_->pending_bytes += bytes_of(batch);
    state_->pending.push_back(std::move(batch));
    return {};
  }

  std::unique_ptr<Iterator> scan(std::string_view first, std::string_view end) override {
    return std::make_unique<MemIterator>(table_, first, end);
  }

  Task<> flush() override {
    const Duration time =
        options_.flush_time +
        options_.flush_time_per_mib * static_cast<int64_t>(state_->pending_bytes >> 20);
    return flush_on(state_, opened_as_, state_->first_pending + state_->pending.size(), clock_,
                    time);
  }

  uint64_t unflushed_bytes() const override {
    return opened_as_ == state_->incarnation ? state_->pending_bytes : 0;
  }

 private:
  Result<> check_not_crashed() const {
    if (opened_as_ == state_->incarnation) return {};
    return fail(Errc::closed, "the key-value store has crashed");
  }
  Task<std::optional<std::string>> get_warm(std::string key) { co_return get(key); }
  Task<std::optional<std::string>> get_cold(std::string key) {
    auto value = get(key);
    CO_TRY(co_await clock_.sleep_for(options_.cold_read_time));
    co_return value;
  }
  /// Touches no store: a crash may destroy it while the flush is under way.
  static Task<> flush_on(std::shared_ptr<MemKvDisk::State> state, uint64_t opened_as,
                         uint64_t batch_number, Clock& clock, Duration time) {
    CO_TRY(state->check_open(opened_as));
    CO_TRY(co_await clock.sleep_for(time));
    CO_TRY(state->check_open(opened_as));
    if (state->fail_flushes) state->failed = true;
    CO_TRY(state->check_open(opened_as));
    state->make_durable_until(batch_number);
    ++state->flush_count;
    co_return Result<>{};
  }

  Clock& clock_;
  const MemKvOptions options_;
  const std::shared_ptr<MemKvDisk::State> state_;
  const uint64_t opened_as_;
  const std::shared_ptr<Table> table_ = std::make_shared<Table>();
};

}  // namespace

std::unique_ptr<Kv> open_mem_kv(Clock& clock, MemKvDisk& disk, MemKvOptions options) {
  disk.crash();
  return std::make_unique<MemKv>(clock, disk.state_, options);
}

}  // namespace turbine::kv
