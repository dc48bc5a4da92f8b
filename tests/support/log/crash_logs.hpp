// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "slow_syncer.hpp"
#include "totora/log/segmented_log.hpp"
#include "totora/testing/conformance/log/log_crashes.hpp"
#include "totora/testing/disk/crash_files.hpp"
#include "totora/testing/prng.hpp"

#include <chrono>
#include <cstdint>

/// The log of ours as the kit of crashes wants it, and the workloads that it is tried with.
namespace totora::test
{

/// A log in segments over the files of the kit.
template <log_syncer Syncer>
struct SegmentedUnderCrashes
{
    using Log = SegmentedLog<conformance::CrashFiles, Syncer>;

    /// Small segments, so that a workload fills many and a sync has few sectors.
    SegmentedLogOptions options{.segment_bytes = 4096,
                                .cache_bytes = 2000,
                                .record_bytes_max = 700,
                                .prepare_bytes = 2048,
                                .retry_after = std::chrono::milliseconds{0},
                                .snapshot_sync_bytes = 100};

    [[nodiscard]] Result<Done, LogError> create(conformance::CrashFiles& files, Identity const& identity) const
    {
        return Log::create(files, identity);
    }

    [[nodiscard]] Result<Log, LogError> open(conformance::CrashFiles& files) const { return Log::open(files, options); }
};

/// One workload, as its number determines: how it writes, and how large segments are.
struct NumberedWorkload
{
    explicit NumberedWorkload(std::uint64_t number)
    {
        auto random = testing::SplitMix{number};
        shares_syncs = random.below(3) == 0;
        mood.sync = 15 + random.below(30);
        mood.vote = random.below(12);
        mood.truncate = 4 + random.below(16);
        mood.truncated_max = random.below(2) == 0 ? 4 : 80; // Removes whole segments, which are then used again.
        mood.commit = random.below(2) == 0 ? 0 : 5;
        mood.appended_max = 1 + random.below(6);
        segment_bytes = std::uint64_t{2048} << random.below(3);
        mood.configuration = random.below(2) == 0 ? 0 : 6;
        mood.snapshots = random.below(2) == 0 ? 0 : 12;
    }

    /// Runs it on the kit for logs that sync at once, or on the one for logs whose batches share a sync.
    template <typename AtOnce, typename Shared>
    void run(std::uint64_t number, AtOnce& at_once, Shared& shared) const
    {
        if (shares_syncs)
            shared.run(sized<SlowSyncer>(), number, mood);
        else
            at_once.run(sized<InlineSyncer>(), number, mood);
    }

    bool                     shares_syncs = false;
    conformance::WorkloadMix mood;
    std::uint64_t            segment_bytes = 0;

private:
    template <typename Syncer>
    [[nodiscard]] SegmentedUnderCrashes<Syncer> sized() const
    {
        auto maker = SegmentedUnderCrashes<Syncer>{};
        maker.options.segment_bytes = segment_bytes;
        return maker;
    }
};

} // namespace totora::test
