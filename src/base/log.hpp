// Logging: one line per event, to stderr, through spdlog.
#pragma once

#include <spdlog/spdlog.h>

#include <string_view>

namespace turbine::log {

using spdlog::critical;
using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::warn;

/// Sets the process's name in every line and the level ("debug", "info", "warn", "error").
void configure(std::string_view process, std::string_view level);

}  // namespace turbine::log
