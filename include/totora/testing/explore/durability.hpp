// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/explore/global_state.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace totora::inline v0::explore
{

// What leaders count on is on disks.

/// A later leader may have overwritten it; then the follower's disk has a later term.
[[nodiscard]] inline bool
is_match_durable(StepCache& steps, Facts const& leader, Facts const& follower, std::uint8_t at)
{
    if (not leader.is_leader or leader.match[at] == Index{} or follower.disk_term > leader.term)
        return true;
    auto const agreed = steps.agreement(leader.log, follower.disk_log);
    return agreed and leader.match[at] <= *agreed;
}

/// Where the members change, what a leader commits is durable on a majority, in a joint configuration on one of each half, at that
/// moment. Afterwards it need not be: fewer may hold what was committed when a removal was appended that is truncated again. Then
/// the servers that elect another leader have one in common with these, which Leader Completeness checks.
[[nodiscard]] inline std::optional<std::string_view> find_lost_of_members(GlobalState const& global, StepCache& steps,
                                                                          std::size_t servers, Facts const& facts,
                                                                          Facts const& earlier)
{
    if (not earlier.is_leader or facts.commit_index == earlier.commit_index or facts.term != earlier.term)
        return std::nullopt;
    auto const holders = holders_of(global, steps, servers, facts.log, facts.commit_index);
    // A step that appends a configuration may commit by it what waited (case 18).
    auto const may_be_later = earlier.configuration <= earlier.commit_index;
    if (earlier.voters.has_quorum(holders) or (may_be_later and facts.voters.has_quorum(holders)))
        return std::nullopt;
    return "what a leader commits is durable on a majority of each half";
}

} // namespace totora::inline v0::explore
