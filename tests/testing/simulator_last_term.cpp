// SPDX-License-Identifier: BSL-1.0
// The end of all terms in a simulation.
#include "support/builders.hpp"
#include "totora/testing/simulate/checks.hpp"
#include "totora/testing/simulate/last_term.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

namespace totora::test::simulator_last_term_tests
{
namespace
{

using boost::unit_test::label;

/// What the law reads of a run: two servers, which were healed.
struct World
{
    struct Node
    {
        State held;

        [[nodiscard]] State const& state() const { return held; }
    };

    struct Process
    {
        Node node;
    };

    struct Server
    {
        std::optional<Process> process;
    };

    std::array<Server, 2>    cluster;
    simulate::Checks         checks;
    std::vector<std::size_t> quorum{0, 1};
};

BOOST_AUTO_TEST_CASE(a_server_that_does_not_follow_in_the_last_term_is_seen, *label("case_78"))
{
    auto       world = World{};
    auto       turns = 0;
    auto const last_term = simulate::LastTerm<World, int>{world, turns};
    for (auto const id : {S1, S2})
        world.cluster[id.value - 1].process = World::Process{{follower(id, Term{number_max}, {})}};
    last_term.check();
    BOOST_TEST(world.checks.broken() == "");

    world.cluster[1].process->node.held.current_term = Term{2};
    last_term.check();
    BOOST_TEST(world.checks.broken() == "in the last term every server follows, and continues");
}

BOOST_AUTO_TEST_CASE(a_message_to_a_non_member_is_seen)
{
    auto checks = simulate::Checks{};
    checks.has_servers(3);
    checks.sent(0, S3, RequestVoteResponse{Term{1}, false});
    BOOST_TEST(checks.broken() == "");
    checks.sent(0, S4, RequestVoteResponse{Term{1}, false});
    BOOST_TEST(checks.broken() == "messages go to members");
}

} // namespace
} // namespace totora::test::simulator_last_term_tests
