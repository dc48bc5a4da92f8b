// SPDX-License-Identifier: BSL-1.0
#include "totora/core/values/configurations.hpp"

#include "support/prove.hpp"

#include <cstdint>

// The two configurations alone: which one is in force, and which one is again when the newest is truncated.

namespace totora::test::configurations_tests
{
namespace
{

/// Voters 1 to `voters`, in an entry at `index`.
constexpr auto configuration_at = [](std::uint64_t index, std::uint64_t voters) {
    auto configuration = Configuration{.index = Index{index}, .members = {}};
    for (auto id = std::uint64_t{1}; id <= voters; ++id)
        configuration.members.push_back({ServerId{id}, Incarnation{1}, MemberKind::voter});
    return configuration;
};

constexpr auto three_then_five = [] {
    auto configurations = Configurations{configuration_at(0, 3), configuration_at(0, 3)};
    configurations.append(configuration_at(4, 5));
    return configurations;
};

constexpr auto a_configuration_is_in_force_while_it_is_in_the_log = [] {
    auto configurations = three_then_five();
    require(configurations.in_force == configuration_at(4, 5), "from the moment it is appended");
    require(configurations.previous == configuration_at(0, 3), "and the one before is remembered");

    configurations.truncate(Index{5});
    require(configurations == three_then_five(), "what follows it may go");
    configurations.truncate(Index{4});
    require(configurations.in_force == configuration_at(0, 3), "without it the one before is in force again");
    configurations.truncate(Index{1});
    require(configurations.in_force == configuration_at(0, 3), "which is not in what can be truncated");
};
TOTORA_PROVE(a_configuration_is_in_force_while_it_is_in_the_log, "6");

/// The third can be appended only when the second is committed.
constexpr auto a_newer_configuration_proves_the_one_before_committed = [] {
    auto configurations = three_then_five();
    require(configurations.committed_index() == Index{}, "the second may be truncated yet");
    configurations.append(configuration_at(9, 4));
    require(configurations.committed_index() == Index{4}, "now it cannot");
    configurations.truncate(Index{9});
    require(configurations.in_force == configuration_at(4, 5) and configurations.committed_index() == Index{4},
            "also without the third");
};
TOTORA_PROVE(a_newer_configuration_proves_the_one_before_committed, "6");

constexpr auto members_of_either_configuration_are_admitted = [] {
    auto const configurations = three_then_five();
    require(configurations.admit({ServerId{1}, Incarnation{1}}), "who is in both");
    require(configurations.admit({ServerId{5}, Incarnation{1}}), "who joins");
    require(not configurations.admit({ServerId{6}, Incarnation{1}}), "not who is in none");
    require(not configurations.admit({ServerId{1}, Incarnation{2}}), "nor another life of a member's log");
    auto smaller = configurations;
    smaller.append(configuration_at(9, 2));
    require(smaller.admit({ServerId{5}, Incarnation{1}}), "who leaves is still admitted");
};
TOTORA_PROVE(members_of_either_configuration_are_admitted, "6", "case_86");

constexpr auto each_broken_invariant_of_the_configurations_is_named = [] {
    require(not find_broken_invariant(three_then_five(), Index{4}), "it is sane");
    require(find_broken_invariant(three_then_five(), Index{3}) == "the configuration in force is in the log",
            "4 of 3 entries");
    auto swapped = three_then_five();
    swapped.append(configuration_at(2, 3));
    require(find_broken_invariant(swapped, Index{4}) == "the configuration in force is in the log",
            "the older is newer");
};
TOTORA_PROVE(each_broken_invariant_of_the_configurations_is_named, "6");

} // namespace
} // namespace totora::test::configurations_tests
