// SPDX-License-Identifier: BSL-1.0
#include "explore/explorations.hpp"

#include <boost/test/unit_test.hpp>

// What a cluster agrees on, in every interleaving of a small scope (docs/cases.md, case 110).

namespace totora::test::explore_tests
{
namespace
{

[[nodiscard]] Scope scope_of_agreement(std::uint32_t announcements)
{
    auto scope = scope_of(1, 0);
    scope.announcements = announcements;
    scope.duplicates = 0;
    return scope;
}

BOOST_AUTO_TEST_CASE(what_all_have_announced_is_agreed_on_every_server, *boost::unit_test::label("case_110"))
{
    auto const leads = [](State const& state) {
        return is_leader(state) and agreed(state) == explore::announced_abilities();
    };
    auto const follows = [](State const& state) {
        return not is_leader(state) and agreed(state) == explore::announced_abilities();
    };
    BOOST_TEST(count_servers(scope_of_agreement(1), leads) == 0U, "one of three is missing");
    BOOST_TEST(count_servers(scope_of_agreement(2), leads) > 10U);
    BOOST_TEST(count_servers(scope_of_agreement(2), follows) > 10U);
}

BOOST_AUTO_TEST_CASE(no_reduction_loses_anything_of_an_agreement, *boost::unit_test::label("case_110"))
{
    auto scope = scope_of_agreement(1);
    scope.servers = 2;
    expect_no_reduction_loses_anything(scope);
    scope.crashes = 1;
    expect_no_reduction_loses_anything(scope);
}

} // namespace
} // namespace totora::test::explore_tests
