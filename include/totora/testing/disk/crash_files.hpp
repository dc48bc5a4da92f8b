// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/policy/files.hpp"
#include "totora/testing/disk/crash_disk.hpp"
#include "totora/testing/disk/disk_files.hpp"

namespace totora::inline v0::conformance
{

/// The one directory of a `CrashDisk`, as a log sees it.
using CrashFiles = testing::DiskFiles<CrashDisk>;

static_assert(log_files<CrashFiles>);

} // namespace totora::inline v0::conformance
