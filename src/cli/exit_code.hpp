// Exit codes of every command; scripts rely on them.
#pragma once

#include "base/result.hpp"

namespace turbine::cli {

inline constexpr int kOk = 0;
inline constexpr int kFailure = 1;
inline constexpr int kUsage = 2;
inline constexpr int kNotFound = 3;
inline constexpr int kConflict = 4;
inline constexpr int kDenied = 5;
inline constexpr int kUnreachable = 6;
inline constexpr int kRefusedForSafety = 7;
// `turbine status` only
inline constexpr int kDegraded = 10;
inline constexpr int kAtRisk = 11;
inline constexpr int kUnavailable = 12;

int exit_code(Errc code);

}  // namespace turbine::cli
