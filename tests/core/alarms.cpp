// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"

#include <cstdint>

// Numbered alarms: only the newest arming counts, so that a ring that was queued before a re-arming ends no promise.

namespace totora::test::alarms_tests
{
namespace
{

constexpr auto started_follower = [] {
    auto const state = step(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}), local(Started{})).state;
    return step(state, from(S2, heartbeat_of(Term{1}, {Term{1}, Index{3}}))).state;
};

constexpr auto ring_of = [](Alarm alarm, std::uint64_t arming) { return local(AlarmRang{alarm, Arming{arming}}); };

constexpr auto only_the_newest_arming_rings = [] {
    auto const state = started_follower();
    for (auto const alarm : {Alarm::election, Alarm::leader_silent}) {
        auto const newest = state.alarms.armings[static_cast<std::size_t>(alarm)].value;
        require(newest == 2, "armed at the start, and again by a leader");
        for (auto const arming : {std::uint64_t{0}, newest - 1, newest + 1, ~std::uint64_t{0}})
            require_nothing_but(Decision::ring_outdated, state, checked_step(state, ring_of(alarm, arming)));
        require(checked_step(state, ring_of(alarm, newest)).state != state, "the newest does something");
    }
};
TOTORA_PROVE(only_the_newest_arming_rings, "5.2");

constexpr auto a_ring_of_a_leaders_alarm_means_nothing_to_a_follower = [] {
    auto const leading = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}));
    auto const rings = {ring(leading, Alarm::heartbeat), ring(leading, Alarm::quorum_check)};
    auto const deposed = checked_step(leading, from(S2, refused(Term{5}, Index{3}, {})));
    for (auto const alarm : {Alarm::heartbeat, Alarm::quorum_check})
        require(order_for(deposed.outgoing, alarm)->delay == std::nullopt, "its alarms are disarmed");
    require(arms(deposed.outgoing, Alarm::election), "and it waits for another leader");
    for (auto const& late : rings)
        require_nothing_but(Decision::ring_outdated, deposed.state, checked_step(deposed.state, late));
};
TOTORA_PROVE(a_ring_of_a_leaders_alarm_means_nothing_to_a_follower, "5.2");

constexpr auto a_ring_of_a_followers_alarm_means_nothing_to_a_leader = [] {
    auto       state = started_follower();
    auto const rings = {ring(state, Alarm::election), ring(state, Alarm::leader_silent)};
    state = leader(step(state, ring(state, Alarm::leader_silent)).state);
    for (auto const& late : rings)
        require_nothing_but(Decision::ring_outdated, state, checked_step(state, late));
    auto const as_it_was_disarmed = checked_step(state, ring(state, Alarm::election));
    require(as_it_was_disarmed.state == state and did_nothing(as_it_was_disarmed.outgoing), "whatever its number");
};
TOTORA_PROVE(a_ring_of_a_followers_alarm_means_nothing_to_a_leader, "5.2");

constexpr auto an_alarm_there_is_not_does_not_ring = [] {
    for (auto const& state : {started_follower(), leader(started_follower())})
        for (auto const kind : {alarm_kinds, std::size_t{100}, std::size_t{255}})
            require_nothing_but(Decision::ring_outdated, state,
                                checked_step(state, ring_of(static_cast<Alarm>(kind), 0)));
};
TOTORA_PROVE(an_alarm_there_is_not_does_not_ring, "5.2", "case_78");

/// Each kind is ordered at most once in a step, and by the number that the state then knows.
constexpr auto an_alarm_is_ordered_once_in_a_step = [] {
    auto const leading = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}));

    auto const [after, outgoing] = checked_step(leading, from(S2, heartbeat_of(Term{3}, {Term{1}, Index{3}})));

    require(outgoing.alarms.size() == alarm_kinds - 4, "adopting a term and following a leader touches all of them");
    require(order_for(outgoing, Alarm::storage_stall) == nullptr,
            "but those of a start, of the disk, which is watched already, and of what the leader had begun");
    for (auto const& order : outgoing.alarms)
        require(order.arming == after.alarms.armings[static_cast<std::size_t>(order.alarm)], "by the newest number");
    require(order_for(outgoing, Alarm::election)->delay == Settings{}.election, "the last order holds");
};
TOTORA_PROVE(an_alarm_is_ordered_once_in_a_step, "5.2");

constexpr auto without_check_quorum_nobody_is_counted = [] {
    auto state = follower(S1, Term{1}, {});
    state.settings.check_quorum = false;
    state = candidate(state);
    auto const [leading, outgoing] = checked_step(state, from(S2, RequestVoteResponse{Term{2}, true}));
    require(is_leader(leading) and order_for(outgoing, Alarm::quorum_check) == nullptr, "the alarm is not armed");
};
TOTORA_PROVE(without_check_quorum_nobody_is_counted, "dissertation 6.2");

/// Anywhere between the least and the greatest election timeout others may lead already: each check comes at the least.
constexpr auto the_quorum_is_checked_every_least_election_timeout = [] {
    auto const minimum = Settings{}.election.at_least_ms;
    auto const elected =
        checked_step(candidate(follower(S1, Term{1}, {})), from(S2, RequestVoteResponse{Term{2}, true}));
    require(order_for(elected.outgoing, Alarm::quorum_check)->delay == Delay{minimum, minimum}, "the first time");

    auto const answered = step(elected.state, from(S2, accepted(Term{2}, Index{}, 0))).state;
    auto const checked = checked_step(answered, ring(answered, Alarm::quorum_check));

    require(is_leader(checked.state) and
                order_for(checked.outgoing, Alarm::quorum_check)->delay == Delay{minimum, minimum},
            "and each time after");
};
TOTORA_PROVE(the_quorum_is_checked_every_least_election_timeout, "dissertation 6.2");

/// Each message of a leader counts, not only the first that this server received.
constexpr auto every_message_of_a_leader_begins_the_election_timeout_again = [] {
    auto const state = started_follower();
    for (auto const& rpc :
         {heartbeat_of(Term{1}, {Term{1}, Index{3}}), heartbeat_of(Term{1}, {Term{1}, Index{9}}, {}, 4),
          append_of(Term{1}, {Term{1}, Index{3}}, Term{1}, 1)}) {
        auto const again = checked_step(state, from(S2, rpc));
        require(order_for(again.outgoing, Alarm::election)->delay == Settings{}.election, "accepted or refused");
        require(arms(again.outgoing, Alarm::leader_silent) and again.state.leader_recently_active,
                "and so does stickiness");
    }
};
TOTORA_PROVE(every_message_of_a_leader_begins_the_election_timeout_again, "5.2");

/// Who campaigns has timed out already: that it has applied its log gives it no more time, and takes none.
constexpr auto only_a_follower_waits_shorter_once_its_log_is_applied = [] {
    for (auto const pre_vote : {true, false}) {
        auto state = follower(S1, Term{1}, {{Term{1}, Index{1}, 3}});
        state.settings.pre_vote = pre_vote;
        state.replaying = true;
        state = step(state, ring(state, Alarm::election)).state;
        require(is_pre_candidate(state) or is_candidate(state), "it campaigns all the same");

        auto const [after, outgoing] = checked_step(state, local(Replayed{}));

        require(not after.replaying and order_for(outgoing, Alarm::election) == nullptr, "its timeout goes on");
    }
};
TOTORA_PROVE(only_a_follower_waits_shorter_once_its_log_is_applied, "5.2");

/// A step may change its mind: what it ordered last is done, once.
constexpr auto the_last_order_of_a_step_holds = [] {
    auto state = follower(S1, Term{1}, {});
    auto outgoing = Outgoing{};

    arm(state, outgoing, Alarm::election, Delay{1, 2});
    arm(state, outgoing, Alarm::heartbeat, Delay{3, 3});
    arm(state, outgoing, Alarm::election, Delay{5, 6});
    require(outgoing.alarms.size() == 2 and order_for(outgoing, Alarm::election)->delay == Delay{5, 6},
            "the newest delay");

    disarm(state, outgoing, Alarm::election);
    require(outgoing.alarms.size() == 2 and order_for(outgoing, Alarm::election)->delay == std::nullopt, "or none");
    require(order_for(outgoing, Alarm::election)->arming == Arming{3}, "by the newest number");
};
TOTORA_PROVE(the_last_order_of_a_step_holds, "5.2");

} // namespace
} // namespace totora::test::alarms_tests
