// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/policy/files.hpp"
#include "totora/testing/disk/disk_files.hpp"
#include "totora/testing/simulate/disk/simulated_disk.hpp"

namespace totora::inline v0::simulate
{

/// The directory of a `SimulatedDisk`, which outlives it, as a log sees it.
using DiskFiles = testing::DiskFiles<SimulatedDisk>;

static_assert(log_files<DiskFiles>);

} // namespace totora::inline v0::simulate
