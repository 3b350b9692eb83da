// Result<T>: a value or an Error. The project's one way to report failure after start-up.
#pragma once

#include <fmt/format.h>

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace turbine {

/// What went wrong, as far as some caller reacts to it. The number is part of the wire format
/// (proto/rpc.proto `error_code`): append, never renumber.
enum class Errc : int {
  ok = 0,
  not_found = 1,  // no such name, inode, stripe, shard, upload, key
  exists = 2,     // the name is taken
  not_empty = 3,  // directory or bucket holds entries
  not_directory = 4,
  is_directory = 5,
  invalid = 6,  // the argument is malformed
  name_too_long = 7,
  denied = 8,                // authentication or permission
  conflict = 9,              // somebody else changed it first; nothing was done
  precondition_failed = 10,  // an If-* or guard did not hold; nothing was done
  no_space = 11,             // blades are full
  quota_exceeded = 12,
  corrupt = 13,        // bytes fail their checksum or their format
  io = 14,             // the device failed
  unavailable = 15,    // the blade or partition can't be reached or is not serving
  timeout = 16,        // the outcome is not known
  wrong_primary = 17,  // the partition is served elsewhere; fetch the map
  stale_epoch = 18,    // the caller's map or placement version is old
  stale = 19,          // the inode is gone
  too_large = 20,
  busy = 21,           // locked by somebody; retry with back-off
  unsupported = 22,    // not implemented
  closed = 23,         // the object is stopping
  out_of_range = 24,   // byte range beyond the end
  not_permitted = 25,  // only the owner, or nobody, may do that (EPERM)
  cross_device = 26,   // names can't move or be linked from one bucket to another (EXDEV)
  too_many_links = 27,
};

std::string_view errc_name(Errc code);

struct [[nodiscard]] Error {
  Errc code = Errc::ok;
  std::string context;  // what happened, to what, and where known what to do

  /// Returns this error with `outer: ` put before its context.
  Error within(std::string_view outer) const {
    return {code, fmt::format("{}: {}", outer, context)};
  }
  std::string text() const { return fmt::format("{} ({})", context, errc_name(code)); }
};

template <class T = void>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using Base = std::expected<T, Error>;
  using Base::Base;
  Result(Base&& other) : Base(std::move(other)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return this->has_value(); }
  bool failed_with(Errc code) const { return !this->has_value() && this->error().code == code; }
};

/// return fail(Errc::not_found, "bucket {} does not exist", name);
template <class... Args>
std::unexpected<Error> fail(Errc code, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

inline std::unexpected<Error> fail(Error error) {
  return std::unexpected(std::move(error));
}

}  // namespace turbine

// auto x = TRY(f());            in functions that return Result
// auto x = CO_TRY(co_await f());  in coroutines that return Task
// Use as a whole statement or initialiser only, never inside a larger expression.
#define TRY(...)                                                     \
  ({                                                                 \
    auto turbine_try_result = (__VA_ARGS__);                         \
    if (!turbine_try_result.has_value()) [[unlikely]]                \
      return std::unexpected(std::move(turbine_try_result).error()); \
    std::move(turbine_try_result).operator*();                       \
  })
#define CO_TRY(...)                                                     \
  ({                                                                    \
    auto turbine_try_result = (__VA_ARGS__);                            \
    if (!turbine_try_result.has_value()) [[unlikely]]                   \
      co_return std::unexpected(std::move(turbine_try_result).error()); \
    std::move(turbine_try_result).operator*();                          \
  })
