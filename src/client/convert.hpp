// The types of turbine/client.hpp to those of fs, and back.
#pragma once

#include "base/result.hpp"
#include "fs/fs.hpp"
#include "turbine/client.hpp"

namespace turbine::client {

Error to_client_error(const turbine::Error& error);

template <class T>
Result<T> to_client_result(turbine::Result<T> result) {
  if (!result.ok()) return std::unexpected(to_client_error(result.error()));
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return std::move(*result);
  }
}

std::chrono::system_clock::time_point to_time(int64_t unix_ns);
ObjectInfo to_client_info(const fs::ObjectInfo& info);

/// Errc::invalid for what S3 could not show: control characters, names that are no header names,
/// more than 2 KiB.
turbine::Result<fs::NewObject> to_attributes(const PutOptions& options);
/// Errc::invalid for bytes that are not UTF-8; fs checks the rest.
turbine::Result<> check_key(const std::string& key);

}  // namespace turbine::client
