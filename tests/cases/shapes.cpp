// SPDX-License-Identifier: BSL-1.0
#include "support/cluster.hpp"
#include "support/prove.hpp"

// docs/cases.md, case 79: the general rules hold for one server and for two; cases 86 and 87, the core's part.

namespace totora::test::shapes_tests
{
namespace
{

/// With every setting of pre-vote and check-quorum.
constexpr auto all_settings = [] {
    auto all = std::vector<Settings>{};
    for (auto const pre_vote : {false, true})
        for (auto const check_quorum : {false, true}) {
            auto settings = Settings{};
            settings.pre_vote = pre_vote;
            settings.sticky = settings.check_quorum = check_quorum;
            all.push_back(settings);
        }
    return all;
};

constexpr auto a_single_server_elects_itself_and_commits_when_it_is_durable = [] {
    for (auto const& settings : all_settings()) {
        auto cluster = Cluster{1, settings};
        cluster.times_out(S1);
        require(is_candidate(cluster[S1]) and cluster.outgoing().messages.empty(), "1: it asks nobody");
        cluster.persists(S1);
        require(is_leader(cluster[S1]), "and is elected when its own vote is durable");
        require(cluster[S1].commit_index == Index{}, "its no-op is not committed");
        cluster.persists(S1);
        require(cluster[S1].commit_index == Index{1}, "before it is durable");
        cluster.happens(S1, Proposed{3});
        cluster.persists(S1);
        require(cluster.outgoing().apply_through == Index{4}, "and so for every entry");
        for (auto check = 0; check < 3 and settings.check_quorum; ++check)
            cluster.rings(S1, Alarm::quorum_check);
        require(is_leader(cluster[S1]), "5: it is its own quorum");

        cluster.loses_power(S1);
        require(is_follower(cluster[S1]) and last_index(cluster[S1]) == Index{4}, "it restarts as a follower");
        cluster.times_out(S1);
        cluster.persists(S1);
        require(is_leader(cluster[S1]) and cluster[S1].apply_index == Index{}, "then leads");
        cluster.persists(S1);
        require(cluster.outgoing().apply_through == Index{5}, "and the old entries are applied");
    }
};
TOTORA_PROVE(a_single_server_elects_itself_and_commits_when_it_is_durable, "5.2", "case_79");

constexpr auto of_two_servers_one_can_do_nothing_alone = [] {
    for (auto const& settings : all_settings()) {
        auto cluster = Cluster{2, settings};
        cluster.campaigns(S1, {S1, S2});
        cluster.settle({S1, S2});
        require(is_leader(cluster[S1]) and cluster[S1].commit_index == Index{1}, "3: two servers, one leads");

        cluster.happens(S1, Proposed{1}); // S2 is dead.
        cluster.settle({S1});
        require(cluster[S1].commit_index == Index{1}, "no commit");
        if (settings.check_quorum) {
            cluster.rings(S1, Alarm::quorum_check);
            cluster.rings(S1, Alarm::quorum_check);
            require(not is_leader(cluster[S1]), "5: and no leader");
        } else
            cluster.loses_power(S1);
        for (auto timeout = 0; timeout < 3; ++timeout) {
            cluster.times_out(S1);
            cluster.settle({S1});
            require(not is_leader(cluster[S1]), "no election of itself");
        }
        cluster.loses_power(S2); // It returns.
        cluster.campaigns(S1, {S1, S2});
        cluster.settle({S1, S2});
        require(is_leader(cluster[S1]), "with both there is a leader");
        require(cluster[S1].commit_index == last_index(cluster[S1]) and cluster[S1].commit_index >= Index{2},
                "and all is committed");
    }
};
TOTORA_PROVE(of_two_servers_one_can_do_nothing_alone, "5.2", "case_79");

/// Case 86: server 2 lost its disk and was started again; its log has never named it.
constexpr auto wiped_server = [](Configuration const& configuration) {
    auto state = recover(Settings{}, Member{S2, Incarnation{2}, MemberKind::voter},
                         {.current_term = Term{},
                          .voted_for = std::nullopt,
                          .log = {},
                          .configuration = configuration,
                          .previous_configuration = configuration,
                          .commit_index = {},
                          .applied_index = {}});
    return *std::move(state);
};

constexpr auto an_empty_directory_does_not_vote_or_campaign_until_it_is_named = [] {
    for (auto const& configuration : {Configuration{}, cluster(3)}) { // Nobody; and S2 in its earlier life.
        auto const wiped = wiped_server(configuration);

        auto const voting = checked_step(wiped, from(S3, RequestVote{Term{5}, {Term{1}, Index{9}}}));
        require(not voting.state.voted_for, "3: it does not help S3");
        require(voting.outgoing.messages == just(S3, RequestVoteResponse{Term{5}, false}), "but refuses");
        require(noted(voting.outgoing, Decision::vote_withheld_not_admitted), "2: because it waits to be let in");
        auto const asked = checked_step(wiped, from(S3, RequestPreVote{Term{5}, {Term{1}, Index{9}}, Round{1}}));
        require(asked.outgoing.messages == just(S3, RequestPreVoteResponse{Term{0}, Round{1}, false}),
                "nor before that");
        auto const silent = checked_step(wiped, ring(wiped, Alarm::election));
        require(silent.outgoing.decisions == decisions_of({Decision::campaign_withheld_not_electable}),
                "nor campaigns");
        require(silent.outgoing.messages.empty() and silent.outgoing.writes.empty(), "nor disturbs anybody");

        auto named = cluster(3);
        named.index = Index{2};
        named.members[1].incarnation = Incarnation{2};
        auto const append = AppendConfiguration{append_of(Term{6}, {}, Term{6}, 2), named};
        auto       let_in = checked_step(wiped, from(S1, append)).state;
        let_in = step(let_in, ring(let_in, Alarm::leader_silent)).state;
        require(checked_step(let_in, from(S3, RequestVote{Term{7}, {Term{6}, Index{2}}})).state.voted_for == S3,
                "named by the cluster's log, it votes");
        require(is_pre_candidate(checked_step(let_in, ring(let_in, Alarm::election)).state), "and campaigns");
    }
};
TOTORA_PROVE(an_empty_directory_does_not_vote_or_campaign_until_it_is_named, "dissertation 4.1", "case_86");

/// Case 87: a proposal that is refused changes nothing, so that its staged bytes can be dropped.
constexpr auto a_refused_proposal_changes_nothing = [] {
    auto const log = log_of({{Term{1}, Index{1}, 3}});
    auto       following = server(S2, Term{1}, log);
    following = step(following, from(S1, heartbeat_of(Term{1}, {Term{1}, Index{3}}))).state;
    auto asking = server(S2, Term{1}, log);
    asking = step(asking, ring(asking, Alarm::election)).state;
    auto const deposed = step(leader(server(S2, Term{1}, log)), from(S1, refused(Term{9}, Index{3}, {}))).state;
    auto const refusal = [](Refusal why, ServerId whom) { return Answer{Refused{why, whom}}; };
    auto const is_refused = [](State const& state, std::uint64_t count, Answer const& answer) {
        auto const [after, outgoing] = checked_step(state, local(Proposed{count}));
        auto only_the_answer = Outgoing{};
        only_the_answer.answer = std::optional<Answer>{answer};
        return after == state and outgoing == only_the_answer;
    };

    require(is_refused(following, 1, refusal(Refusal::not_leader, S1)), "a follower names the leader");
    require(is_refused(server(S2, Term{1}, log), 1, refusal(Refusal::not_leader, nobody)), "if it knows one");
    require(is_refused(asking, 1, refusal(Refusal::not_leader, nobody)), "who asks for votes refuses");
    require(is_refused(candidate(server(S2, Term{1}, log)), 1, refusal(Refusal::not_leader, nobody)),
            "a candidate too");
    require(is_refused(deposed, 1, refusal(Refusal::not_leader, nobody)), "and so does who led until a moment ago");
    require(is_refused(leader(server(S2, Term{1}, log)), 0, refusal(Refusal::empty_proposal, nobody)),
            "nothing is no entry");
};
TOTORA_PROVE(a_refused_proposal_changes_nothing, "5.3", "case_87");

} // namespace
} // namespace totora::test::shapes_tests
