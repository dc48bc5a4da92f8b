// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/log_entries.hpp"
#include "totora/log/segmented_log.hpp"
#include "totora/testing/conformance/log/log_content.hpp"
#include "totora/testing/conformance/log/log_workload.hpp"
#include "totora/testing/disk/forgetful_files.hpp"
#include "totora/testing/prng.hpp"

#include <chrono>
#include <memory>
#include <string>

/// A log on a disk that forgets, what is written to it, and what may be found on the disk afterwards.
namespace totora::test
{

using Disk = std::shared_ptr<ForgetfulDisk>;
using TestLog = SegmentedLog<ForgetfulFiles, InlineSyncer>;

inline SegmentedLogOptions small_options()
{
    return {.segment_bytes = 4096,
            .cache_bytes = 2000,
            .record_bytes_max = 700,
            .prepare_bytes = 2048,
            .retry_after = std::chrono::milliseconds{0}};
}

inline Disk disk_with_log()
{
    auto disk = std::make_shared<ForgetfulDisk>();
    auto files = ForgetfulFiles{disk};
    (void)create_log(files, identity_of_first());
    return disk;
}

inline Result<TestLog, LogError> open_log(Disk const& disk, SegmentedLogOptions const& options = small_options())
{
    return TestLog::open(ForgetfulFiles{disk}, options);
}

using conformance::Content;
using conformance::content_of;
using conformance::Workload;
using testing::SplitMix;

/// Opens the log that is on the disk and compares it with what may be there. Empty if all is well.
inline std::string check_recovery(Disk const& disk, Workload const& workload)
{
    auto log = open_log(disk);
    if (not log)
        return "open: " + log.error().what;
    auto const recovered = log->recover();
    if (recovered->commit_index > recovered->entries.last().index)
        return "a commit index above the last entry";
    auto const content = content_of(*log, *recovered);
    if (not content)
        return "entries that cannot be read back";
    if (not workload.allows(*content))
        return "not a prefix of the writes with everything durable (" + std::to_string(content->entries.size()) +
               " entries, " + std::to_string(workload.durable()) + " of " + std::to_string(workload.writes()) +
               " writes durable)";
    return {};
}

} // namespace totora::test
