// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configurations.hpp"
#include "totora/core/values/result.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/identity.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/snapshot_log.hpp"
#include "totora/testing/conformance/log/log_content.hpp"
#include "totora/testing/conformance/log/log_workload.hpp"
#include "totora/testing/conformance/sample_entries.hpp"
#include "totora/testing/disk/crash_files.hpp"

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace totora::inline v0::conformance
{

/// How to make and open a log over the files of a `CrashDisk`. All that the log does must happen within the calls of its
/// user, and in the same way each time: no thread, no clock.
template <typename T>
concept log_over_files = requires(T const& maker, CrashFiles& files, Identity const& identity)
{
    requires durable_log<typename T::Log>;
    {
        maker.create(files, identity)
        } -> std::same_as<Result<Done, LogError>>;
    {
        maker.open(files)
        } -> std::same_as<Result<typename T::Log, LogError>>;
};

/// A law that a recovery broke, in words.
struct BrokenRecovery
{
    std::string law;
    std::string what;
};

/// The reason why content is none that a workload allows.
[[nodiscard]] inline BrokenRecovery explain(Content const& content, Workload const& workload)
{
    auto const found = "Found were " + std::to_string(content.entries.size()) + " entries in term " +
                       std::to_string(content.term.value) + "; " + std::to_string(workload.durable()) + " of " +
                       std::to_string(workload.writes()) + " writes had been reported durable";
    if (workload.allows(content, 0))
        return {"durable writes survive", found + ", and some of them are missing."};
    return {"recovery gives a prefix", found + ", and after none of them was this there."};
}

/// The two newest configurations of a log with this content.
[[nodiscard]] inline Configurations newest_configurations(Content content, Workload const& workload)
{
    content.boundary = workload.boundary_at(content.base);
    return configurations_at(content, Index{content.entries.size()}, first_configuration(identity_of_first()));
}

/// The law that is broken by what a log recovered after a workload, if any. `may_be_marked` if it was closed, or was being closed.
[[nodiscard]] inline std::optional<BrokenRecovery> find_broken_recovery(Recovered const&              recovered,
                                                                        std::optional<Content> const& content,
                                                                        Workload const& workload, bool may_be_marked)
{
    if (not content)
        return BrokenRecovery{"what was recovered can be read", "An entry is not there, or not as it was."};
    if (recovered.identity != identity_of_first())
        return BrokenRecovery{"the identity is kept", "Another identity was found."};
    if (Configurations{recovered.configuration, recovered.previous_configuration} !=
        newest_configurations(*content, workload))
        return BrokenRecovery{"the two newest configurations are recovered",
                              "Others were named than the log holds, or than the first members."};
    if (not has_sample_peers(recovered))
        return BrokenRecovery{"the addresses of members are recovered",
                              "Others were found than stand in the entries of the two newest configurations."};
    if (recovered.cleanly_stopped and not may_be_marked)
        return BrokenRecovery{"a clean stop leaves its mark",
                              "The mark is there, and the log was not closed since it was opened."};
    auto const commit = recovered.commit_index;
    if (commit < workload.durable_commit())
        return BrokenRecovery{"a saved commit index is remembered",
                              "It is " + std::to_string(commit.value) + ", and before a write that is durable " +
                                  std::to_string(workload.durable_commit().value) + " was saved."};
    if (commit > recovered.entries.last().index or commit > workload.commit_index())
        return BrokenRecovery{"a recovered commit index was saved and is in the log",
                              "It is " + std::to_string(commit.value) + ", the newest that was saved " +
                                  std::to_string(workload.commit_index().value) + ", the last entry " +
                                  std::to_string(recovered.entries.last().index.value) + "."};
    if (not workload.allows(*content))
        return explain(*content, workload);
    return std::nullopt;
}

/// The law that is broken by the snapshots that a log kept after a workload, if any; the workload goes on with them otherwise.
template <durable_log Log>
[[nodiscard]] std::optional<BrokenRecovery> find_broken_snapshots(Log& log, Index base, Workload& workload)
{
    if constexpr (snapshot_log<Log>) {
        if (auto fault = workload.snapshots().find_fault(log, base); not fault.empty())
            return BrokenRecovery{"snapshots are there as they were reported", std::move(fault)};
        workload.snapshots().restart(log);
    }
    return std::nullopt;
}

/// The law that is broken by what a log kept of a snapshot that is received, if any: it is gone on with.
template <durable_log Log>
[[nodiscard]] std::optional<BrokenRecovery> find_broken_reception(Log& log, Workload& workload)
{
    if constexpr (snapshot_log<Log>)
        if (auto fault = workload.snapshots().finish_reception(log); not fault.empty())
            return BrokenRecovery{"a reception continues where it says", std::move(fault)};
    return std::nullopt;
}

} // namespace totora::inline v0::conformance
