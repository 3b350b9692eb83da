// The processes that may have registered last with this device, as it says itself.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "kv/kv.hpp"

namespace turbine::bladed {

/// Before a process registers it adds its number, durably; when it has registered, its number alone
/// stays. The manager knows who registered last: a device that does not know of that one is an old
/// copy. One that a crash kept from registering stays between the two.
Result<std::vector<uint64_t>> read_process_list(kv::Kv& kv);
Result<> write_process_list(kv::Kv& kv, const std::vector<uint64_t>& processes);

}  // namespace turbine::bladed
