#include "meta/stripe_ranges.hpp"

#include <algorithm>

namespace turbine::meta {
namespace {

bool is_spent(const proto::StripeRange& range, uint64_t number) {
  const uint64_t bit = number - range.first();
  const auto byte = static_cast<uint8_t>(range.used()[bit / 8]);
  return ((byte >> (bit % 8)) & 1) != 0;
}

bool all_spent(const proto::StripeRange& range) {
  for (uint32_t i = 0; i < range.count(); ++i) {
    if (!is_spent(range, range.first() + i)) return false;
  }
  return true;
}

}  // namespace

void StripeRanges::add(proto::StripeRange range) {
  range.mutable_used()->resize((range.count() + 7) / 8, '\0');
  const uint64_t first = range.first();
  ranges_.insert_or_assign(first, std::move(range));
}

const proto::StripeRange* StripeRanges::find(uint64_t number) const {
  auto after = ranges_.upper_bound(number);
  if (after == ranges_.begin()) return nullptr;
  const proto::StripeRange& range = std::prev(after)->second;
  return number < range.first() + range.count() ? &range : nullptr;
}

std::optional<proto::StripeRange> StripeRanges::spend(StripeId id, bool* dropped) {
  *dropped = false;
  const proto::StripeRange* found = find(id.number());
  if (found == nullptr) return std::nullopt;
  proto::StripeRange& range = ranges_.at(found->first());
  const uint64_t bit = id.number() - range.first();
  char& byte = (*range.mutable_used())[bit / 8];
  byte = static_cast<char>(static_cast<uint8_t>(byte) | (1U << (bit % 8)));
  proto::StripeRange copy = range;
  if (all_spent(range)) {
    *dropped = true;
    ranges_.erase(copy.first());
  }
  return copy;
}

std::vector<proto::StripeRange> StripeRanges::end(SessionId session, uint64_t first) {
  std::vector<proto::StripeRange> ended;
  for (auto it = ranges_.begin(); it != ranges_.end();) {
    if (it->second.session() == session.value && (first == 0 || it->first == first)) {
      ended.push_back(std::move(it->second));
      it = ranges_.erase(it);
    } else {
      ++it;
    }
  }
  return ended;
}

Result<> StripeRanges::check(StripeId id) const {
  const proto::StripeRange* range = find(id.number());
  if (range == nullptr) {
    return fail(Errc::stale_epoch, "stripe id {} is in no live range: lease new ids", id);
  }
  if (is_spent(*range, id.number())) {
    return fail(Errc::invalid, "stripe id {} was used before", id);
  }
  if (reserved_.contains(id)) return fail(Errc::busy, "stripe id {} is being committed", id);
  return {};
}

bool StripeRanges::open(StripeId id) const {
  const proto::StripeRange* range = find(id.number());
  return range != nullptr && !is_spent(*range, id.number());
}

std::set<SessionId> StripeRanges::sessions() const {
  std::set<SessionId> sessions;
  for (const auto& [first, range] : ranges_) sessions.insert(SessionId(range.session()));
  return sessions;
}

std::vector<std::pair<uint64_t, SessionId>> StripeRanges::all() const {
  std::vector<std::pair<uint64_t, SessionId>> all;
  for (const auto& [first, range] : ranges_) all.emplace_back(first, SessionId(range.session()));
  return all;
}

uint64_t StripeRanges::oldest(SessionId session) const {
  for (const auto& [first, range] : ranges_) {
    if (range.session() == session.value) return first;
  }
  return 0;
}

size_t StripeRanges::count(SessionId session) const {
  return static_cast<size_t>(std::ranges::count_if(
      ranges_, [&](const auto& item) { return item.second.session() == session.value; }));
}

}  // namespace turbine::meta
