// SPDX-License-Identifier: BSL-1.0
#include "support/cluster.hpp"
#include "support/prove.hpp"

// A server that starts has its log to apply again. Until then others should lead, who can serve at once.
//
// What could go wrong: all servers wait for each other, and nobody ever campaigns; one that never applies its log waits
// permanently; it withholds its vote, and a cluster whose servers have all started just now elects nobody; a leader leads on
// with the longer timeout; a server with nothing to apply waits.

namespace totora::test::replay_tests
{
namespace
{

constexpr auto election = Settings{}.election;
constexpr auto threefold = Delay{3 * election.at_least_ms, 3 * election.at_most_ms};

/// A server of term 1 with three entries of which it knew two to be committed, and that has applied so many of them.
constexpr auto recovered = [](ServerId id, Index applied, Settings const& settings = {}) {
    return *recover(settings, Member{id, Incarnation{1}, MemberKind::voter},
                    {.current_term = Term{1},
                     .voted_for = std::nullopt,
                     .log = log_of({{Term{1}, Index{1}, 3}}),
                     .configuration = cluster(3),
                     .previous_configuration = cluster(3),
                     .commit_index = Index{2},
                     .applied_index = applied});
};

constexpr auto timeout_of = [](Outgoing const& outgoing) { return *order_for(outgoing, Alarm::election)->delay; };

constexpr auto a_server_that_has_yet_to_apply_its_log_waits_three_times_as_long = [] {
    auto const [started, outgoing] = checked_step(recovered(S1, Index{1}), local(Started{}));

    require(started.replaying and timeout_of(outgoing) == threefold, "three times as long");
    auto const grace = Settings{}.replay_grace_ms;
    require(order_for(outgoing, Alarm::replay)->delay == Delay{grace, grace}, "for a bounded time after its start");
    auto const asking = checked_step(started, ring(started, Alarm::election));
    require(is_pre_candidate(asking.state), "then it campaigns all the same");
    auto const beat = checked_step(started, from(S2, heartbeat_of(Term{1}, {Term{1}, Index{3}})));
    require(timeout_of(beat.outgoing) == threefold, "each time");
};
TOTORA_PROVE(a_server_that_has_yet_to_apply_its_log_waits_three_times_as_long, "5.2");

constexpr auto a_server_that_has_applied_its_log_waits_as_others_do = [] {
    auto const started = step(recovered(S1, Index{1}), local(Started{})).state;
    auto const beat = from(S2, heartbeat_of(Term{1}, {Term{1}, Index{3}}));

    auto const [replayed, outgoing] = checked_step(started, local(Replayed{}));
    require(not replayed.replaying and timeout_of(checked_step(replayed, beat).outgoing) == election, "as the others");
    require(timeout_of(outgoing) == election, "from now on");
    require(order_for(outgoing, Alarm::replay) != nullptr and not arms(outgoing, Alarm::replay), "nothing is awaited");
    auto const again = checked_step(replayed, local(Replayed{}));
    require(again.state == replayed and again.outgoing == Outgoing{}, "it is reported once");

    auto const too_slow = checked_step(started, ring(started, Alarm::replay)).state;
    require(timeout_of(checked_step(too_slow, beat).outgoing) == election, "nor does it wait longer permanently");

    for (auto const& nothing_to_apply : {recovered(S1, Index{2}), recovered(S1, Index{3})}) {
        auto const first = checked_step(nothing_to_apply, local(Started{}));
        require(not first.state.replaying and timeout_of(first.outgoing) == election, "all was applied at the start");
        require(order_for(first.outgoing, Alarm::replay) == nullptr, "nothing is awaited");
    }
    auto settings = Settings{};
    settings.replay_grace_ms = 0;
    require(timeout_of(checked_step(recovered(S1, Index{}, settings), local(Started{})).outgoing) == election,
            "it can be switched off");
};
TOTORA_PROVE(a_server_that_has_applied_its_log_waits_as_others_do, "5.2");

constexpr auto no_vote_is_withheld_for_what_is_not_applied = [] {
    auto const started = step(recovered(S2, Index{}), local(Started{})).state;
    auto const voter = step(started, ring(started, Alarm::leader_silent)).state;
    auto const last = LogPosition{Term{1}, Index{3}};
    require(voter.replaying, "it has applied nothing");

    auto const asked = checked_step(voter, from(S1, RequestPreVote{Term{1}, last, Round{1}}));
    require(asked.outgoing.messages == just(S1, RequestPreVoteResponse{Term{1}, Round{1}, true}), "nor a pre-vote");
    auto const voted = checked_step(voter, from(S1, RequestVote{Term{2}, last}));
    require(voted.state.voted_for == S1, "it votes");
};
TOTORA_PROVE(no_vote_is_withheld_for_what_is_not_applied, "5.2");

/// A power loss of the whole rack.
constexpr auto servers_that_have_all_applied_nothing_elect_one_of_them = [] {
    auto servers = std::vector<State>{};
    for (auto const id : {S1, S2, S3})
        servers.push_back(recovered(id, Index{}));
    auto cluster = Cluster{std::move(servers)};
    for (auto const id : {S1, S2, S3})
        cluster.happens(id, Started{});

    cluster.campaigns(S1, {S1, S2, S3});
    require(is_leader(cluster[S1]) and cluster[S1].replaying, "it leads, and has yet to apply its log");
    cluster.rings(S1, Alarm::heartbeat);
    cluster.settle({S1, S2, S3});
    require(cluster[S1].commit_index == Index{4}, "and commits");
};
TOTORA_PROVE(servers_that_have_all_applied_nothing_elect_one_of_them, "5.2");

/// Whatever an append is capped at, it carries what is committed.
constexpr auto an_append_names_what_its_leader_knows_to_be_committed = [] {
    auto       leads = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}));
    auto const match = progress_of(leads, S2).sent.value;
    leads = checked_step(leads, from(S2, accepted(Term{2}, Index{4}, match))).state;
    require(leads.commit_index == Index{4}, "all is committed");
    auto const beats = checked_step(leads, ring(leads, Alarm::heartbeat)).outgoing;
    for (auto const other : {S2, S3})
        for (auto const& append : sent<AppendEntries>(beats, other))
            require(append.committed == Index{4}, "to those that have it and to those that have not");
};
TOTORA_PROVE(an_append_names_what_its_leader_knows_to_be_committed, "5.3");

} // namespace
} // namespace totora::test::replay_tests
