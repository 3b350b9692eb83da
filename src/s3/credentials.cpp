#include "s3/credentials.hpp"

namespace turbine::s3 {

std::optional<Credential> MapCredentials::find(std::string_view access_key) const {
  const cluster::MapPtr map = holder_.get();
  if (map == nullptr) return std::nullopt;
  const proto::AccessKey* key = map->access_key(std::string(access_key));
  if (key == nullptr) return std::nullopt;
  const proto::User* user = map->user(key->user_id());
  if (user == nullptr) return std::nullopt;
  return Credential{key->secret_key(), {user->id(), user->name(), key->access_key(), user->root()}};
}

}  // namespace turbine::s3
