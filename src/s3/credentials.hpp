// Who may sign requests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cluster/cluster_map.hpp"

namespace turbine::s3 {

/// The one on whose behalf a request runs.
struct Principal {
  uint64_t user = 0;
  std::string user_name;
  std::string access_key;
  bool root = false;  // may use every bucket
};

struct Credential {
  std::string secret_key;
  Principal principal;
};

/// Looks keys up; asked anew for every request, so that a revoked key is refused at once.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  virtual std::optional<Credential> find(std::string_view access_key) const = 0;
};

/// Users and keys of the cluster map. The holder must outlive it.
class MapCredentials final : public CredentialSource {
 public:
  explicit MapCredentials(const cluster::MapHolder& holder) : holder_(holder) {}
  std::optional<Credential> find(std::string_view access_key) const override;

 private:
  const cluster::MapHolder& holder_;
};

}  // namespace turbine::s3
