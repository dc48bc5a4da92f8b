// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/rules/recovery.hpp"

#include <string>
#include <string_view>

namespace totora::inline v0
{

/// Why a node did not start, in words. Nothing was written.
struct StartError
{
    std::string what;
    /// The state machine threw when it was restored from a snapshot, for want of memory perhaps: directory and settings are right.
    bool machine_threw = false;
};

/// For the operator: what is wrong, and what to do.
[[nodiscard]] constexpr std::string_view describe(RecoveryError error)
{
    switch (error) {
    case RecoveryError::sticky_unchecked:
        return "the settings contradict each other: with sticky and without check_quorum, a leader that receives "
               "nothing would never give up, and servers that receive from it would elect no other; switch "
               "check_quorum on, or sticky off";
    case RecoveryError::settings_unsound:
        return "the settings contradict each other: twice the heartbeat must be below the least election timeout, and "
               "no limit may be 0";
    case RecoveryError::number_out_of_range:
        return "the log holds a term or an index that no server can reach";
    case RecoveryError::log_newer_than_term:
        return "the log ends in a later term than the server ever saved: its vote is lost, and a new server must take "
               "its place";
    case RecoveryError::commit_beyond_log:
        return "the log ends below what this server knew to be committed: it lost what it had acknowledged, and a new "
               "server must take its place";
    case RecoveryError::applied_beyond_log:
        return "the state machine is ahead of the log: they do not belong together, or the log lost entries";
    case RecoveryError::snapshot_missing:
        return "the log begins after entries that the state machine has not applied, and there is no snapshot that it "
               "could be "
               "restored from";
    case RecoveryError::configuration_unsound:
        return "the log holds a configuration that no cluster can have";
    }
    return "the log cannot be used";
}

} // namespace totora::inline v0
