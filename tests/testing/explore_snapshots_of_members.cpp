// SPDX-License-Identifier: BSL-1.0
#include "explore/explorations.hpp"

#include "totora/testing/explore/snapshot_contents.hpp"

#include <boost/test/unit_test.hpp>

// Members change and logs are compacted, in every interleaving of a small scope (cases 26 and 31).

namespace totora::test::explore_tests
{
namespace
{

/// A newcomer lacks what is compacted.
[[nodiscard]] Scope scope_of_a_newcomer()
{
    auto scope = scope_of(1, 0);
    scope.voters = 2;
    scope.snapshots = 1;
    scope.changes = 1;
    return changing(scope, {members_of({1, 2, 3})});
}

BOOST_AUTO_TEST_CASE(a_snapshot_of_the_explorer_holds_the_configuration_in_force_at_its_end,
                     *boost::unit_test::label("7"))
{
    auto configuration = Configuration{.index = Index{9}, .members = members_of({1, 2, 5})};
    configuration.members[1].kind = MemberKind::demoted;
    configuration.members[2].incarnation = Incarnation{3};
    auto const snapshot = SnapshotId{{Term{2}, Index{12}}, 2, explore::contents_of(Term{4}, configuration)};

    BOOST_TEST((explore::configurations_in(snapshot) == Configurations{configuration, configuration}));
}

/// What the first two were when the snapshot was taken, the newcomer learns from it alone.
BOOST_AUTO_TEST_CASE(a_newcomer_has_the_configuration_from_a_snapshot, *boost::unit_test::label("7"))
{
    auto const has_configuration = [](State const& state) {
        return state.own.id == ServerId{3} and state.log.base().index > Index{} and
               state.log.last() == state.log.base() and state.configurations.in_force.members.size() >= 2;
    };
    BOOST_TEST(count_servers(scope_of_a_newcomer(), has_configuration) > 10U);
    BOOST_TEST(count_servers(scope_of_a_newcomer(),
                             [&](State const& state) {
                                 return has_configuration(state) and state.configurations.in_force.index > Index{};
                             }) > 0U,
               "it is named by the snapshot itself");
}

BOOST_AUTO_TEST_CASE(no_reduction_loses_anything_when_a_newcomer_gets_a_snapshot, *boost::unit_test::label("7"))
{
    expect_no_reduction_loses_anything(scope_of_a_newcomer());
}

} // namespace
} // namespace totora::test::explore_tests
