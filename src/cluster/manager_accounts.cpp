// Manager: users, keys, and what status asks for.
#include "base/log.hpp"
#include "cluster/config_backup.hpp"
#include "cluster/manager.hpp"

namespace turbine::cluster {
namespace {

constexpr size_t kUserNameBytesMax = 64;
constexpr std::string_view kUpperAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr std::string_view kMixedAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

const proto::User* find_user(const proto::ClusterMap& map, const std::string& name) {
  for (const proto::User& user : map.users()) {
    if (user.name() == name) return &user;
  }
  return nullptr;
}

bool valid_name(const std::string& name) {
  const auto allowed = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '@';
  };
  return !name.empty() && name.size() <= kUserNameBytesMax && std::ranges::all_of(name, allowed);
}

template <class Repeated, class Predicate>
void remove_if(Repeated& field, Predicate predicate) {
  Repeated kept;
  for (auto& entry : field) {
    if (!predicate(entry)) *kept.Add() = std::move(entry);
  }
  field.Swap(&kept);
}

}  // namespace

proto::ClusterMap without_keys(proto::ClusterMap map) {
  map.clear_keys();
  map.clear_users();
  map.clear_nfs();
  return map;
}

std::string Manager::random_text(size_t count, std::string_view alphabet) const {
  std::string text;
  while (text.size() < count) {
    uint64_t bits = options_.random();
    // Six bits a character; those outside the alphabet are drawn again, so all are as likely.
    for (int i = 0; i < 10 && text.size() < count; ++i, bits >>= 6) {
      if ((bits & 63) < alphabet.size()) text.push_back(alphabet[bits & 63]);
    }
  }
  return text;
}

proto::AccessKey Manager::make_key(uint64_t user) const {
  proto::AccessKey key;
  key.set_access_key(random_text(20, kUpperAlphabet));
  key.set_secret_key(random_text(40, kMixedAlphabet));
  key.set_user_id(user);
  key.set_created_ms(wall_ms());
  return key;
}

Task<proto::User> Manager::create_user(std::string name) {
  if (!valid_name(name)) {
    co_return fail(Errc::invalid, "a user's name has 1 to {} characters of [A-Za-z0-9._@-]",
                   kUserNameBytesMax);
  }
  proto::User user;
  CO_TRY(
      co_await change([&](proto::ClusterMap& map, proto::ArrayCounters& counters) -> Result<bool> {
        if (find_user(map, name) != nullptr) return fail(Errc::exists, "user {} exists", name);
        user.set_id(counters.next_user());
        user.set_name(name);
        user.set_created_ms(wall_ms());
        counters.set_next_user(user.id() + 1);
        *map.add_users() = user;
        return true;
      }));
  co_return user;
}

Task<> Manager::delete_user(std::string name) {
  co_return co_await change([&](proto::ClusterMap& map, proto::ArrayCounters&) -> Result<bool> {
    const proto::User* user = find_user(map, name);
    if (user == nullptr) return fail(Errc::not_found, "user {} does not exist", name);
    if (user->root()) return fail(Errc::denied, "user {} is the root user and stays", name);
    const uint64_t id = user->id();
    remove_if(*map.mutable_keys(), [id](const auto& key) { return key.user_id() == id; });
    remove_if(*map.mutable_users(), [id](const auto& entry) { return entry.id() == id; });
    return true;
  });
}

Task<proto::AccessKey> Manager::create_key(std::string user_name) {
  proto::AccessKey key;
  CO_TRY(co_await change([&](proto::ClusterMap& map, proto::ArrayCounters&) -> Result<bool> {
    const proto::User* user = find_user(map, user_name);
    if (user == nullptr) return fail(Errc::not_found, "user {} does not exist", user_name);
    key = make_key(user->id());
    *map.add_keys() = key;
    return true;
  }));
  co_return key;
}

Task<> Manager::delete_key(std::string access_key) {
  co_return co_await change([&](proto::ClusterMap& map, proto::ArrayCounters&) -> Result<bool> {
    const int before = map.keys_size();
    remove_if(*map.mutable_keys(), [&](const auto& key) { return key.access_key() == access_key; });
    if (map.keys_size() == before) {
      return fail(Errc::not_found, "key {} does not exist", access_key);
    }
    return true;
  });
}

Task<std::string> Manager::config_backup() const {
  std::vector<StoreRecord> records = CO_TRY(co_await store_.list(std::string(kBackedUpPrefix)));
  co_return encode_config_backup(CO_TRY(make_config_backup(std::move(records), wall_ms())));
}

MapPtr Manager::map_with_usage() const {
  proto::ClusterMap map = map_->record();
  for (proto::Blade& blade : *map.mutable_blades()) {
    const auto found = alive_.find(blade.id());
    if (found == alive_.end() || !found->second.note) continue;
    blade.set_capacity_bytes(found->second.note->heartbeat.capacity_bytes());
    blade.set_used_bytes(found->second.note->heartbeat.used_bytes());
  }
  return std::make_shared<const ClusterMap>(std::move(map));
}

std::vector<BladeNote> Manager::blade_notes() const {
  std::vector<BladeNote> notes;
  for (const auto& [id, alive] : alive_) {
    if (alive.note) notes.push_back(*alive.note);
  }
  return notes;
}

std::vector<GatewayNote> Manager::gateway_notes() const {
  std::vector<GatewayNote> notes;
  notes.reserve(gateways_.size());
  for (const auto& [session, note] : gateways_) notes.push_back(note);
  return notes;
}

}  // namespace turbine::cluster
