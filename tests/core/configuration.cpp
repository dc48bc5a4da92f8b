// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"

// A configuration is in force from the moment its entry is in the log, and no longer than it is there (§6).

namespace totora::test::configuration_tests
{
namespace
{

/// A follower in term 2 with 1/1 and 2/1, to which a leader of term 2 has sent 3/2 and 4/2, where 3/2 names five servers.
constexpr auto with_five_servers_from_3_on = [] {
    auto const state = follower(S2, Term{2}, {{Term{1}, Index{1}, 2}});
    auto       append = AppendConfiguration{append_of(Term{2}, {Term{1}, Index{2}}, Term{2}, 2), cluster(5)};
    append.configuration.index = Index{3};
    return checked_step(state, from(S1, append)).state;
};

constexpr auto a_configuration_is_in_force_as_soon_as_it_is_in_the_log = [] {
    auto const state = with_five_servers_from_3_on();

    require(state.configurations.in_force.index == Index{3} and
                state.configurations.in_force.members == cluster(5).members,
            "the new one is in force, committed or not");
    require(state.configurations.previous == cluster(3), "and the one before is remembered");
};
TOTORA_PROVE(a_configuration_is_in_force_as_soon_as_it_is_in_the_log, "6");

constexpr auto a_configuration_that_is_cut_is_in_force_no_more = [] {
    auto const state = with_five_servers_from_3_on();

    auto const cut = checked_step(state, from(S3, append_of(Term{3}, {Term{1}, Index{2}}, Term{3}, 1)));

    require(last_position(cut.state) == LogPosition{Term{3}, Index{3}}, "another entry stands in its place");
    require(cut.state.configurations.in_force == cluster(3), "the one before is in force again");
};
TOTORA_PROVE(a_configuration_that_is_cut_is_in_force_no_more, "6");

constexpr auto a_truncation_after_a_configuration_leaves_it_in_force = [] {
    auto const state = with_five_servers_from_3_on();

    auto const cut = checked_step(state, from(S3, append_of(Term{3}, {Term{2}, Index{3}}, Term{3}, 1)));

    require(last_position(cut.state) == LogPosition{Term{3}, Index{4}}, "only 4/2 is replaced");
    require(cut.state.configurations.in_force == state.configurations.in_force, "the new one stays");
};
TOTORA_PROVE(a_truncation_after_a_configuration_leaves_it_in_force, "6");

/// A leader sends again what was not acknowledged, and more with it: the configuration among it is in force already.
constexpr auto a_configuration_that_arrives_twice_is_in_force_once = [] {
    auto const state = with_five_servers_from_3_on();
    auto       again = AppendConfiguration{append_of(Term{2}, {Term{1}, Index{2}}, Term{2}, 3), cluster(5)};
    again.configuration.index = Index{3};

    auto const after = checked_step(state, from(S1, again)).state;

    require(last_index(after) == Index{5}, "5/2 is new");
    require(after.configurations.in_force == state.configurations.in_force, "the configuration is not");
    require(after.configurations.previous == cluster(3), "and the one to go back to is still the one before");
};
TOTORA_PROVE(a_configuration_that_arrives_twice_is_in_force_once, "6");

} // namespace
} // namespace totora::test::configuration_tests
