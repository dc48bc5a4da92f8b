// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/sim/scope.hpp"

#include <vector>

namespace totora::test
{

/// What `explore` can be asked for by name.
[[nodiscard]] inline std::vector<sim::Scope> scopes()
{
    auto       all = std::vector<sim::Scope>{};
    auto const add = [&](char const* name) -> sim::Scope& {
        all.emplace_back();
        all.back().name = name;
        all.back().duplicates = 0;
        return all.back();
    };
    {
        auto& scope = add("two-elections");
        scope.elections = 2;
    }
    {
        auto& scope = add("two-elections-any-duplicates");
        scope.elections = 2;
        scope.duplicates = sim::any_number;
    }
    {
        auto& scope = add("two-elections-a-proposal");
        scope.elections = 2;
        scope.proposals = 1;
    }
    {
        auto& scope = add("two-elections-two-proposals");
        scope.elections = 2;
        scope.proposals = 2;
    }
    {
        auto& scope = add("three-elections-a-proposal");
        scope.elections = 3;
        scope.proposals = 1;
    }
    {
        auto& scope = add("four-elections-entry-by-entry");
        scope.elections = 4;
        scope.entries_per_append = 1;
    }
    {
        auto& scope = add("two-elections-a-proposal-a-crash");
        scope.elections = 2;
        scope.proposals = 1;
        scope.crashes = 1;
    }
    {
        auto& scope = add("three-elections-a-crash");
        scope.elections = 3;
        scope.crashes = 1;
    }
    {
        auto& scope = add("two-elections-a-proposal-a-heartbeat");
        scope.elections = 2;
        scope.proposals = 1;
        scope.heartbeats = 1;
    }
    {
        auto& scope = add("five-servers-two-elections");
        scope.servers = 5;
        scope.elections = 2;
    }
    {
        auto& scope = add("features-two-candidates");
        scope.elections = 2;
        scope.pre_vote = true;
        scope.sticky = true;
        scope.check_quorum = true;
    }
    {
        auto& scope = add("a-read-across-a-leader-change");
        scope.elections = 2;
        scope.proposals = 1;
        scope.reads = 1;
    }
    {
        auto& scope = add("two-servers-four-terms-a-crash");
        scope.servers = 2;
        scope.terms = 4;
        scope.crashes = 1;
    }
    {
        auto& scope = add("three-elections-two-proposals-entry-by-entry");
        scope.elections = 3;
        scope.proposals = 2;
        scope.entries_per_append = 1;
    }
    {
        auto& scope = add("hunt-four-elections-entry-by-entry");
        scope.elections = 4;
        scope.entries_per_append = 1;
        scope.eager_writes = true;
    }
    return all;
}

} // namespace totora::test
