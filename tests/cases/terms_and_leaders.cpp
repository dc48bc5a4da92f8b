// SPDX-License-Identifier: BSL-1.0
#include "support/cluster.hpp"
#include "support/prove.hpp"

// docs/cases.md, chapters A and D: who leads, who follows, and in which term. A is S1, B is S2, ...

namespace totora::test::terms_and_leaders_tests
{
namespace
{

constexpr auto who_yields_in_its_own_term_keeps_its_vote = [] {
    auto settings = Settings{};
    settings.pre_vote = false;
    auto cluster = Cluster{5, settings};
    for (auto const server : {S1, S2, S3, S4, S5})
        cluster.finds_leader_silent(server);
    for (auto const candidate : {S1, S2}) {
        cluster.rings(candidate, Alarm::election);
        cluster.persists(candidate);
    }
    for (auto const voter : {S3, S5}) {
        cluster.deliver(S1, voter);
        cluster.persists(voter);
        cluster.deliver(voter, S1);
    }
    require(is_leader(cluster[S1]) and is_candidate(cluster[S2]), "1: A leads by C and E, B voted for itself");
    cluster.drop(S2, S1);
    auto const request = cluster.take(S1, S2);
    require(std::holds_alternative<RequestVote>(request.body), "A had asked B as well");

    auto const stale = checked_step(cluster[S2], from(S4, heartbeat_of(Term{0}, {})));
    require(stale.state == cluster[S2], "5: an append of no term changes nothing");
    cluster.deliver(S1, S2);
    require(is_follower(cluster[S2]) and known_leader(cluster[S2]) == S1, "3: B follows A");
    require(cluster[S2].voted_for == S2, "and its vote stays its own");

    auto const late = from(S4, RequestVote{Term{1}, {}});
    auto const received = checked_step(cluster[S2], late);
    require(received.state == cluster[S2] and did_nothing(received.outgoing), "4: a late candidate gets no answer now");
    cluster.finds_leader_silent(S2);
    cluster.arrives(S2, from(S4, RequestVote{Term{1}, {Term{0}, Index{0}}}));
    require(cluster.outgoing().decisions == decisions_of({Decision::vote_withheld_already_cast}),
            "and a refusal later");
    require(cluster.outgoing().messages == just(S4, RequestVoteResponse{Term{1}, false}), "the vote is given");
    require(cluster[S2].voted_for == S2, "vote(B) = B");
};
TOTORA_PROVE(who_yields_in_its_own_term_keeps_its_vote, "5.2", "case_5");

constexpr auto a_candidate_refuses_a_leader_of_an_older_term = [] {
    auto const b = candidate(follower(S2, Term{1}, {{Term{1}, Index{1}, 1}}));

    auto const [after, outgoing] = checked_step(b, from(S1, append_of(Term{1}, {Term{1}, Index{1}}, Term{1}, 1)));

    require(after == b, "it stays a candidate of term 2");
    require(outgoing.messages == just(S1, refused_by_newer_term(Term{2})), "and refuses");
};
TOTORA_PROVE(a_candidate_refuses_a_leader_of_an_older_term, "5.2", "case_5");

/// Case 7: A led term 1 and holds 1/1, as B does; C led term 2 with D and E and holds 1/2, which they lack.
constexpr auto a_new_leader_replaces_what_only_looks_newer = [] {
    auto servers = std::vector<State>{};
    servers.push_back(follower(S1, Term{1}, {{Term{1}, Index{1}, 1}}, 5));
    servers.push_back(follower(S2, Term{1}, {{Term{1}, Index{1}, 1}}, 5));
    servers.push_back(follower(S3, Term{2}, {{Term{2}, Index{1}, 1}}, 5));
    servers.push_back(follower(S4, Term{2}, {}, 5));
    servers.push_back(follower(S5, Term{2}, {}, 5));
    for (auto& server : servers)
        server.settings.pre_vote = false;
    for (auto const voter : {S3, S4, S5})
        servers[static_cast<std::size_t>(voter.value - 1)].voted_for = std::optional<ServerId>{S3};
    auto cluster = Cluster{std::move(servers)};

    cluster.rings(S1, Alarm::election);
    cluster.settle({S1, S2, S3, S4, S5});
    require(not is_leader(cluster[S1]) and cluster[S1].current_term == Term{2}, "1: the votes of term 2 are used");

    cluster.rings(S1, Alarm::election);
    cluster.persists(S1);
    for (auto const voter : {S2, S3, S4, S5})
        cluster.deliver(S1, voter);
    require(not cluster[S3].voted_for, "2: C refuses");
    for (auto const voter : {S2, S4, S5})
        require(cluster[voter].voted_for == S1, "the others grant");
    for (auto const voter : {S2, S4, S5}) {
        cluster.persists(voter);
        cluster.deliver(voter, S1);
    }
    require(is_leader(cluster[S1]) and cluster[S1].current_term == Term{3}, "A leads term 3");

    cluster.persists(S1);
    cluster.deliver_all(S3, S1); // C's refusal of the vote, too late.
    cluster.deliver(S1, S3);     // prev = 1/1, refused.
    cluster.deliver_all(S3, S1);
    cluster.deliver(S1, S3);
    require(cluster.outgoing().writes ==
                writes_of({Truncate{WriteNumber{2}, Index{1}}, Append{WriteNumber{3}, {Term{1}, Index{1}, 1}}}),
            "3: C's 1/2 is replaced, exactly from index 1");
    cluster.settle({S1, S2, S3, S4, S5});
    for (auto const server : {S1, S2, S3, S4, S5})
        require(cluster[server].log == log_of({{Term{1}, Index{1}, 1}, {Term{3}, Index{2}, 1}}), "all become 1/1, 2/3");
};
TOTORA_PROVE(a_new_leader_replaces_what_only_looks_newer, "5.3", "5.4.1", "case_7");

constexpr auto a_second_leader_of_a_term_is_not_followed = [] {
    auto const log = log_of({{Term{1}, Index{1}, 2}});
    auto       b = server(S2, Term{4}, log);
    b = step(b, from(S1, heartbeat_of(Term{4}, {Term{1}, Index{2}}))).state;

    auto const second = from(S3, append_of(Term{4}, {Term{1}, Index{2}}, Term{4}, 1, Index{2}));
    require_nothing_but(Decision::violation_second_leader, b, checked_step(b, second));
    require(known_leader(b) == S1, "2: A stays the leader");

    auto const a = leader(server(S1, Term{3}, log));
    require_nothing_but(Decision::violation_second_leader, a, checked_step(a, second));
    require(is_leader(a), "3: also of itself");
};
TOTORA_PROVE(a_second_leader_of_a_term_is_not_followed, "5.2", "case_24");

/// Case 41, without the change of members: a server that has a leader ignores candidates.
constexpr auto a_server_that_has_a_leader_does_not_adopt_the_term_of_a_candidate = [] {
    auto cluster = Cluster{3};
    cluster.campaigns(S1, {S1, S2, S3});
    for (auto term = std::uint64_t{2}; term < 9; ++term)
        for (auto const server : {S1, S2}) {
            auto const before = cluster[server];
            require_nothing_but(Decision::vote_withheld_sticky_to_leader, before,
                                checked_step(before, from(S3, RequestVote{Term{term}, {Term{1}, Index{1}}})));
            auto const asked =
                checked_step(before, from(S3, RequestPreVote{Term{term}, {Term{1}, Index{1}}, Round{1}}));
            require(asked.state == before, "nor does a pre-vote change anything");
            require(asked.outgoing.messages == just(S3, RequestPreVoteResponse{Term{1}, Round{1}, false}),
                    "it is refused");
        }
};
TOTORA_PROVE(a_server_that_has_a_leader_does_not_adopt_the_term_of_a_candidate, "dissertation 4.2.3", "case_41");

constexpr auto the_newer_term_of_a_response_is_obeyed_if_a_member_sent_it = [] {
    auto const a = leader(follower(S1, Term{1}, {}));

    require_nothing_but(Decision::response_from_non_member, a,
                        checked_step(a, from(S4, refused(Term{9}, Index{1}, {}))));
    auto const [after, outgoing] = checked_step(a, from(S3, refused(Term{9}, Index{1}, {})));

    require(is_follower(after) and after.current_term == Term{9}, "a member's is");
    require(noted(outgoing, Decision::stepped_down_newer_term), "by this name");
};
TOTORA_PROVE(the_newer_term_of_a_response_is_obeyed_if_a_member_sent_it, "dissertation 4.2.3", "case_41");

} // namespace
} // namespace totora::test::terms_and_leaders_tests
