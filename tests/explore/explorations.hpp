// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "explore/scopes.hpp"
#include "totora/testing/explore/explore.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

// Small scopes, and what can be in them.

namespace totora::test::explore_tests
{

using explore::Exploration;
using explore::Explored;
using explore::GlobalState;
using explore::Scope;

[[nodiscard]] inline Scope scope_of(std::uint32_t elections, std::uint32_t proposals)
{
    auto scope = Scope{};
    scope.name = "small";
    scope.elections = elections;
    scope.proposals = proposals;
    scope.duplicates = 0;
    return scope;
}

inline constexpr auto never = [](Explored const&) { return false; };

/// The term, log, commit index and configuration of every server, of every reachable state; whichever server has which.
[[nodiscard]] inline std::set<std::string> what_can_be(Scope const& scope)
{
    auto exploration = Exploration{scope};
    auto found = std::set<std::string>{};
    auto known = std::vector<std::string>{};
    exploration.run(never, [&](GlobalState const& global) {
        auto const& servers = exploration.transitions().steps().servers();
        while (known.size() < servers.size()) {
            auto server = servers.value_of(static_cast<std::uint32_t>(known.size()));
            known.emplace_back();
            auto writer = explore::Writer{known.back()};
            writer.number(server.state.current_term.value);
            explore::walk(writer, server.state.log);
            writer.number(server.state.commit_index.value);
            writer.number(server.state.configurations.in_force.index.value);
        }
        auto parts = std::vector<std::string>{};
        for (auto at = std::size_t{0}; at < scope.servers; ++at)
            parts.push_back(known[global.servers[at]]);
        std::sort(parts.begin(), parts.end());
        auto all = std::string{};
        for (auto const& part : parts)
            all += part + ";";
        found.insert(all);
    });
    BOOST_TEST(exploration.explored().violation == "");
    BOOST_TEST(exploration.explored().completed);
    return found;
}

inline void expect_no_reduction_loses_anything(Scope const& scope)
{
    auto const with_all = what_can_be(scope);
    for (auto const reduction :
         {&explore::Reductions::symmetry, &explore::Reductions::numbers, &explore::Reductions::unused,
          &explore::Reductions::irrelevant_messages, &explore::Reductions::stale_requests,
          &explore::Reductions::idle_deliveries, &explore::Reductions::votes_at_once}) {
        auto without = scope;
        without.reductions.*reduction = false;
        BOOST_TEST((what_can_be(without) == with_all));
    }
}

/// How many different servers of a scope are so.
template <typename Is>
[[nodiscard]] std::size_t count_servers(Scope const& scope, Is is)
{
    auto exploration = Exploration{scope};
    exploration.run(never);
    BOOST_TEST(exploration.explored().violation == "");
    BOOST_TEST(exploration.explored().completed);
    auto const& servers = exploration.transitions().steps().servers();
    auto        found = std::size_t{0};
    for (auto number = std::uint32_t{0}; number < servers.size(); ++number)
        found += is(servers.value_of(number).state) ? 1U : 0U;
    return found;
}

} // namespace totora::test::explore_tests
