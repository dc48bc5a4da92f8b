// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"

// What a server reports of itself: who steps down, and who never led; and that the first fault is kept.

namespace totora::test::stepping_down_tests
{
namespace
{

constexpr auto only_who_was_more_than_a_follower_steps_down = [] {
    auto const heartbeat = heartbeat_of(Term{9}, {});
    auto       asking = follower(S1, Term{1}, {});
    asking = step(asking, ring(asking, Alarm::election)).state;
    require(is_pre_candidate(asking), "one asks whether it could win");

    for (auto const& state : {asking, candidate(follower(S1, Term{1}, {})), leader(follower(S1, Term{1}, {}))})
        require(noted(checked_step(state, from(S2, heartbeat)).outgoing, Decision::stepped_down_newer_term),
                "what it was, it is no more");
    auto const followed = checked_step(follower(S1, Term{1}, {}), from(S2, heartbeat));
    require(not noted(followed.outgoing, Decision::stepped_down_newer_term), "a follower stays one");
};
TOTORA_PROVE(only_who_was_more_than_a_follower_steps_down, "5.1");

constexpr auto the_first_fault_is_kept = [] {
    auto state = follower(S1, Term{1}, {});
    fail_stop(state, FaultSite{"the first", 1});
    fail_stop(state, FaultSite{"the second", 2});

    require(state.fault == FaultSite{"the first", 1}, "what follows from it is not the reason");
};
TOTORA_PROVE(the_first_fault_is_kept, "5.1");

} // namespace
} // namespace totora::test::stepping_down_tests
