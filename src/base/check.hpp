// CHECK: assertions that stay on in Release. They are for our own bugs only: bytes from disk,
// peers or clients must never trip one (they give Errc::corrupt or a protocol error).
#pragma once

namespace turbine {

/// Logs `what` with its place and aborts the process.
[[noreturn]] void check_failed(const char* what, const char* file, int line);

}  // namespace turbine

#define CHECK(condition)                               \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::turbine::check_failed(#condition, __FILE__, __LINE__))
