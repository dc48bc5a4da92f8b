// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"
#include "support/random/messages.hpp"

// One transition, two spellings: `step` by value and `advance` in place are the same function, of their arguments only.

namespace totora::test::step_and_advance_tests
{
namespace
{

/// Servers live through random messages, by both spellings.
constexpr void both_spellings_agree(std::uint64_t servers, int messages)
{
    auto recycled = Outgoing{}; // Never emptied by us, not even between servers.
    for (auto seed = std::uint64_t{1}; seed <= servers; ++seed) {
        auto random = RandomMessages{seed};
        auto server = random.any_server();
        for (auto count = 0; count < messages; ++count) {
            auto const message = random.any_message(server);
            auto const by_value = step(server, message);
            auto const again = step(server, message);
            advance(server, message, recycled);
            require(by_value == again, "equal states and messages make equal transitions");
            require(by_value.state == server and by_value.outgoing == recycled, "step and advance agree");
            require_invariants(server, server);
        }
    }
}

constexpr auto step_and_advance_agree = [] { both_spellings_agree(5, 40); };
TOTORA_PROVE(step_and_advance_agree, "Figure 2");

BOOST_AUTO_TEST_CASE(step_and_advance_agree_on_many_messages, TOTORA_LABELS("Figure 2"))
{
    both_spellings_agree(300, 300);
}

/// A server that failed reports only that, whatever the recycled output held before.
constexpr auto a_recycled_output_keeps_nothing = [] {
    auto const voter = follower(S2, Term{1}, {{Term{1}, Index{1}, 3}});
    auto       outgoing = Outgoing{};
    auto       leading = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}));
    advance(leading, local(Proposed{3}), outgoing);
    require(not did_nothing(outgoing), "it was used");

    auto server = voter;
    advance(server, ring(voter, Alarm::leader_silent), outgoing);
    require(outgoing == Outgoing{}, "and is empty when nothing is to be done");
    advance(server, local(Halted{HaltReason::storage}), outgoing);
    require(outgoing.failed.has_value(), "a failure is in it");
    server = voter;
    advance(server, ring(voter, Alarm::leader_silent), outgoing);
    require(outgoing == Outgoing{}, "and is gone with the next step");
};
TOTORA_PROVE(a_recycled_output_keeps_nothing, "Figure 2");

} // namespace
} // namespace totora::test::step_and_advance_tests
