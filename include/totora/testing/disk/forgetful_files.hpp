// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/policy/files.hpp"
#include "totora/testing/disk/disk_files.hpp"
#include "totora/testing/disk/forgetful_disk.hpp"

namespace totora::inline v0
{

/// The one directory of a `ForgetfulDisk`, as a log sees it.
using ForgetfulFiles = testing::DiskFiles<ForgetfulDisk>;

static_assert(log_files<ForgetfulFiles>);

} // namespace totora::inline v0
