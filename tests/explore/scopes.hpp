// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "scopes_of_members.hpp"
#include "totora/testing/explore/scope.hpp"

#include <vector>

namespace totora::test
{

/// The scopes with snapshots: servers compact their logs, and those that lack what is compacted install a snapshot.
[[nodiscard]] inline std::vector<explore::Scope> snapshot_scopes()
{
    return {
        {.name = "a-snapshot-across-a-leader-change", .elections = 2, .snapshots = 1, .duplicates = 0},
        {.name = "compaction-and-installs", .elections = 2, .proposals = 1, .snapshots = 1, .duplicates = 0},
        {.name = "compaction-and-installs-a-crash", .elections = 2, .crashes = 1, .snapshots = 1, .duplicates = 0},
        {.name = "compaction-and-installs-a-heartbeat",
         .elections = 2,
         .heartbeats = 1,
         .snapshots = 1,
         .duplicates = 0},
        {.name = "compaction-and-installs-two-snapshots",
         .elections = 2,
         .proposals = 1,
         .snapshots = 2,
         .duplicates = 0},
        {.name = "compaction-and-installs-two-snapshots-a-crash",
         .elections = 2,
         .proposals = 1,
         .crashes = 1,
         .snapshots = 2,
         .duplicates = 0},
        {.name = "compaction-and-installs-a-crash-a-heartbeat",
         .elections = 2,
         .crashes = 1,
         .heartbeats = 1,
         .snapshots = 1,
         .duplicates = 0},
        {.name = "compaction-and-installs-a-damaged-file",
         .elections = 2,
         .snapshots = 1,
         .damages = 1,
         .duplicates = 0},
        {.name = "compaction-and-installs-any-duplicates",
         .elections = 2,
         .snapshots = 1,
         .duplicates = explore::any_number},
        {.name = "compaction-and-installs-three-elections", .elections = 3, .snapshots = 2, .duplicates = 0},
    };
}

/// The scopes without snapshots.
[[nodiscard]] inline std::vector<explore::Scope> log_scopes()
{
    return {
        {.name = "two-elections", .elections = 2, .duplicates = 0},
        {.name = "two-elections-any-duplicates", .elections = 2, .duplicates = explore::any_number},
        {.name = "two-elections-a-proposal", .elections = 2, .proposals = 1, .duplicates = 0},
        {.name = "two-elections-two-proposals", .elections = 2, .proposals = 2, .duplicates = 0},
        {.name = "three-elections-a-proposal", .elections = 3, .proposals = 1, .duplicates = 0},
        {.name = "four-elections-entry-by-entry", .elections = 4, .duplicates = 0, .entries_per_append = 1},
        {.name = "two-elections-a-proposal-a-crash", .elections = 2, .proposals = 1, .crashes = 1, .duplicates = 0},
        {.name = "three-elections-a-crash", .elections = 3, .crashes = 1, .duplicates = 0},
        {.name = "two-elections-a-crash-with-a-saved-commit-index",
         .elections = 2,
         .crashes = 1,
         .duplicates = 0,
         .commit_is_saved = true},
        {.name = "two-elections-a-proposal-a-heartbeat",
         .elections = 2,
         .proposals = 1,
         .heartbeats = 1,
         .duplicates = 0},
        {.name = "two-terms-a-proposal-a-crash", .terms = 2, .proposals = 1, .crashes = 1, .duplicates = 0},
        {.name = "five-servers-two-elections", .servers = 5, .elections = 2, .duplicates = 0},
        {.name = "features-two-candidates",
         .elections = 2,
         .duplicates = 0,
         .pre_vote = true,
         .sticky = true,
         .check_quorum = true},
        {.name = "a-read-across-a-leader-change", .elections = 2, .proposals = 1, .reads = 1, .duplicates = 0},
        {.name = "two-elections-of-servers-that-replay", .elections = 2, .duplicates = 0, .unapplied = true},
        {.name = "two-servers-four-terms-a-crash", .servers = 2, .terms = 4, .crashes = 1, .duplicates = 0},
        {.name = "one-server-a-crash", .servers = 1, .terms = 3, .proposals = 2, .crashes = 1, .duplicates = 0},
        {.name = "three-elections-two-proposals-entry-by-entry",
         .elections = 3,
         .proposals = 2,
         .duplicates = 0,
         .entries_per_append = 1},
        {.name = "hunt-four-elections-entry-by-entry",
         .elections = 4,
         .duplicates = 0,
         .entries_per_append = 1,
         .eager_writes = true},
    };
}

/// The scopes in which a leader hands over, while others campaign on their own (dissertation §3.10).
[[nodiscard]] inline std::vector<explore::Scope> transfer_scopes()
{
    auto const all_on = [](explore::Scope scope) {
        scope.pre_vote = scope.sticky = scope.check_quorum = true;
        return scope;
    };
    return {
        {.name = "a-transfer", .elections = 1, .transfers = 1, .duplicates = 0},
        {.name = "a-transfer-against-an-election", .elections = 2, .transfers = 1, .duplicates = 0},
        {.name = "a-transfer-asked-for-again", .elections = 1, .heartbeats = 1, .transfers = 1, .duplicates = 0},
        {.name = "a-transfer-any-duplicates", .elections = 1, .transfers = 1, .duplicates = explore::any_number},
        {.name = "a-transfer-a-proposal", .elections = 1, .proposals = 1, .transfers = 1, .duplicates = 0},
        {.name = "two-transfers", .elections = 1, .transfers = 2, .duplicates = 0},
        {.name = "two-transfers-a-proposal", .elections = 1, .proposals = 1, .transfers = 2, .duplicates = 0},
        {.name = "two-transfers-against-an-election", .elections = 2, .transfers = 2, .duplicates = 0},
        {.name = "a-transfer-against-an-election-a-proposal",
         .elections = 2,
         .proposals = 1,
         .transfers = 1,
         .duplicates = 0},
        {.name = "a-transfer-against-an-election-a-crash",
         .elections = 2,
         .crashes = 1,
         .transfers = 1,
         .duplicates = 0},
        {.name = "a-transfer-against-an-election-a-heartbeat",
         .elections = 2,
         .heartbeats = 1,
         .transfers = 1,
         .duplicates = 0},
        all_on({.name = "features-a-transfer", .elections = 1, .transfers = 1, .duplicates = 0}),
        all_on({.name = "features-a-transfer-against-an-election", .elections = 2, .transfers = 1, .duplicates = 0}),
    };
}

/// The scopes in which all servers can more than is agreed, and announce it to whoever leads (docs/cases.md, case 110).
[[nodiscard]] inline std::vector<explore::Scope> agreement_scopes()
{
    return {
        {.name = "an-agreement", .elections = 1, .announcements = 2, .duplicates = 0},
        {.name = "an-agreement-a-crash", .elections = 1, .crashes = 1, .announcements = 2, .duplicates = 0},
        {.name = "an-agreement-a-snapshot", .elections = 1, .snapshots = 1, .announcements = 2, .duplicates = 0},
        {.name = "an-agreement-across-a-leader-change", .elections = 2, .announcements = 4, .duplicates = 0},
        {.name = "an-agreement-across-a-leader-change-a-snapshot",
         .elections = 2,
         .snapshots = 1,
         .announcements = 2,
         .duplicates = 0},
    };
}

/// What `explore` can be asked for by name. Messages arrive at most once where no duplicates are named: a loss needs no
/// action, and a repetition is what the scopes with duplicates are for.
[[nodiscard]] inline std::vector<explore::Scope> scopes()
{
    auto all = log_scopes();
    for (auto const& more : {snapshot_scopes(), transfer_scopes(), agreement_scopes(), membership_scopes(),
                             removal_scopes(), joint_scopes(), member_snapshot_scopes(), wipe_scopes()})
        all.insert(all.end(), more.begin(), more.end());
    return all;
}

} // namespace totora::test
