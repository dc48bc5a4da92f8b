// SPDX-License-Identifier: BSL-1.0
#include "explore/explorations.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <variant>

// A leader hands over in every interleaving of a small scope (dissertation §3.10).

namespace totora::test::explore_tests
{
namespace
{

[[nodiscard]] Scope scope_of_transfers(std::uint32_t duplicates)
{
    auto scope = scope_of(1, 0);
    scope.transfers = 1;
    scope.duplicates = duplicates;
    return scope;
}

BOOST_AUTO_TEST_CASE(who_is_asked_to_take_over_leads)
{
    for (auto const duplicates : {0U, explore::any_number}) {
        auto const scope = scope_of_transfers(duplicates);
        BOOST_TEST(count_servers(scope, [](State const& state) {
                       return is_leader(state) and state.current_term == Term{2};
                   }) > 10U);
        BOOST_TEST(count_servers(scope, [](State const& state) {
                       return is_leader(state) and std::get<Leader>(state.role).asked_successor;
                   }) > 10U);
    }
}

/// The highest term of any server in any state that can be.
[[nodiscard]] Term highest_term(Scope const& scope)
{
    auto exploration = Exploration{scope};
    auto highest = Term{};
    exploration.run(never, [&](GlobalState const& global) {
        for (auto at = std::size_t{0}; at < scope.servers; ++at)
            highest = std::max(highest, exploration.transitions().steps().facts_of(global.servers[at]).term);
    });
    BOOST_TEST(exploration.explored().violation == "");
    BOOST_TEST(exploration.explored().completed);
    return highest;
}

BOOST_AUTO_TEST_CASE(a_transfer_leads_to_one_term_however_often_its_target_is_asked)
{
    BOOST_TEST((highest_term(scope_of_transfers(explore::any_number)) == Term{2}));
}

BOOST_AUTO_TEST_CASE(no_reduction_loses_anything_in_a_transfer)
{
    auto scope = scope_of_transfers(0);
    scope.servers = 2;
    expect_no_reduction_loses_anything(scope);
    scope.crashes = 1;
    expect_no_reduction_loses_anything(scope);
    scope.elections = 2;
    scope.crashes = 0;
    expect_no_reduction_loses_anything(scope);
}

} // namespace
} // namespace totora::test::explore_tests
