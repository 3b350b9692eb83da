// Whose disk this is: the directory's identity file against the device's superblock.
#pragma once

#include <string>

#include "bladed/blade_config.hpp"
#include "bladed/superblock.hpp"
#include "io/reactor.hpp"

namespace turbine::bladed {

/// Opens the blade's device; a blank blade (neither directory nor device hold anything) is
/// formatted first. Errc::denied when directory, device and configuration disagree: nothing is
/// changed then, and the context says which belongs to what.
Result<std::unique_ptr<io::Device>> open_own_device(io::Reactor& reactor, BladeConfig config);

/// What the blade's superblock must say.
Result<Superblock> expected_superblock(const BladeConfig& config, uint64_t device_bytes);

}  // namespace turbine::bladed
