// SPDX-License-Identifier: BSL-1.0
#include "explore/explorations.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <vector>

// A server loses its disk and begins again as another life, in every interleaving of a small scope (cases 68 and 86).

namespace totora::test::explore_tests
{
namespace
{

/// Two servers of which the second one loses its disk; it is removed, and let in again.
[[nodiscard]] Scope scope_of_two_lives()
{
    auto scope = scope_of(1, 0);
    scope.servers = 2;
    scope.changes = 2;
    scope.wipes = 1;
    auto again = members_of({1, 2});
    again.back().incarnation = explore::incarnation_after(again.back().incarnation);
    return changing(scope, {members_of({1}), again});
}

BOOST_AUTO_TEST_CASE(a_server_that_lost_its_disk_is_let_in_again_as_another_life)
{
    auto const is_second = [](State const& state) { return state.own.incarnation == Incarnation{2}; };
    BOOST_TEST(count_servers(scope_of_two_lives(), [&](State const& state) {
                   return is_second(state) and is_voter(state.configurations.in_force, state.own);
               }) > 0U);
    BOOST_TEST(count_servers(scope_of_two_lives(), [&](State const& state) {
                   return is_second(state) and last_index(state) > Index{} and not is_admitted(state);
               }) > 0U);
}

/// As an earlier life it voted; as this one it has not been let in.
BOOST_AUTO_TEST_CASE(a_life_that_no_log_names_votes_for_nobody)
{
    auto scope = scope_of(2, 0);
    scope.members_in_log = true;
    scope.wipes = 1;
    BOOST_TEST(count_servers(changing(scope, {}), [](State const& state) {
                   return state.own.incarnation == Incarnation{2} and state.voted_for;
               }) == 0U);
}

BOOST_AUTO_TEST_CASE(no_reduction_loses_anything_when_a_disk_is_lost)
{
    expect_no_reduction_loses_anything(scope_of_two_lives());
}

} // namespace
} // namespace totora::test::explore_tests
