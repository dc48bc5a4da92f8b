// SPDX-License-Identifier: BSL-1.0
#include "support/cluster.hpp"
#include "support/prove.hpp"

// docs/cases.md, chapter D: what comes late, twice, in another order, or from oneself. A is S1, B is S2, C is S3.

namespace totora::test::late_messages_tests
{
namespace
{

/// Three servers in term 1 with 1/1..3/1.
constexpr auto three_servers = [] {
    auto servers = std::vector<State>{};
    for (auto const id : {S1, S2, S3})
        servers.push_back(follower(id, Term{1}, {{Term{1}, Index{1}, 3}}));
    return Cluster{std::move(servers)};
};

/// Case 20; its terms 1, 2, 3 are 2, 3, 4 here, and its 4 is A's no-op.
constexpr auto an_acknowledgement_of_an_earlier_term_does_not_count = [] {
    auto cluster = three_servers();
    cluster.campaigns(S1, {S1, S2, S3});
    cluster.happens(S1, Proposed{2});
    cluster.drop(S1, S3);
    cluster.deliver(S1, S2);
    cluster.persists(S2);
    auto const late = cluster.take(S2, S1);
    require(std::get_if<AppendEntriesResponse>(&late.body)->match == Index{6},
            "1: B holds 6 durably and acknowledges it, late");

    cluster.loses_power(S1);
    require(last_index(cluster[S1]) == Index{4}, "2: A lost 5 and 6 with its power");
    cluster.finds_leader_silent(S1);
    cluster.finds_leader_silent(S3);
    cluster.rings(S3, Alarm::election);
    cluster.settle({S1, S3});
    require(is_leader(cluster[S3]), "C leads by A's vote");
    cluster.rings(S3, Alarm::heartbeat);
    cluster.settle({S1, S2, S3});
    for (auto const server : {S1, S2})
        require(last_position(cluster[server]) == LogPosition{Term{3}, Index{5}},
                "and puts 5/3 in the place of 5 and 6");

    cluster.campaigns(S1, {S1, S2});
    require(is_leader(cluster[S1]) and cluster[S1].current_term == Term{4}, "3: A leads term 4");
    cluster.happens(S1, Proposed{1});
    cluster.persists(S1);
    cluster.drop_all();
    require(last_index(cluster[S1]) == Index{7} and cluster[S1].commit_index == Index{6}, "7/4 is durable at A only");

    auto const before = cluster[S1];
    require_nothing_but(Decision::response_outdated, before, checked_step(before, late));
    auto of_this_index = late;
    std::get_if<AppendEntriesResponse>(&of_this_index.body)->match = Index{7};
    require_nothing_but(Decision::response_outdated, before, checked_step(before, of_this_index));
};
TOTORA_PROVE(an_acknowledgement_of_an_earlier_term_does_not_count, "5.1", "case_20");

constexpr auto acknowledgements_in_any_order_never_move_match_back = [] {
    auto a = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 4}}));
    a = step(a, from(S2, accepted(Term{2}, Index{5}))).state;
    a = step(a, local(Proposed{3})).state; // The appends up to 5 (number 1) and up to 8 (number 2).
    a = step(a, persisted(a)).state;

    a = checked_step(a, from(S2, accepted(Term{2}, Index{8}, 2))).state;
    require(progress_of(a, S2).match == Index{8} and a.commit_index == Index{8}, "8 first");
    for (auto repetition = 0; repetition < 2; ++repetition) {
        auto const [after, outgoing] = checked_step(a, from(S2, accepted(Term{2}, Index{5}, 1)));
        require(progress_of(after, S2).match == Index{8} and progress_of(after, S2).next == Index{9},
                "match 8, next 9");
        require(after.commit_index == Index{8}, "the commit index stays");
        require(did_nothing(outgoing), "and nothing is sent again");
        a = after;
    }
};
TOTORA_PROVE(acknowledgements_in_any_order_never_move_match_back, "5.3", "case_21");

/// Case 22, steps 1 to 3: 12/1 is being written at B when another leader puts 12/2 there, and a third one 12/1 again (it can:
/// the third leader is the first one, in a later term, whose log still has it).
constexpr auto b_with_three_writes_under_way = [] {
    auto servers = std::vector<State>{};
    servers.push_back(follower(S1, Term{1}, {{Term{1}, Index{1}, 12}}));
    servers.push_back(follower(S2, Term{1}, {{Term{1}, Index{1}, 11}}));
    auto cluster = Cluster{std::move(servers)};
    cluster.arrives(S2, from(S1, append_of(Term{1}, {Term{1}, Index{11}}, Term{1}, 1, {}, 1)));
    require(cluster.outgoing().messages ==
                just(S1, accepted(Term{1}, Index{12}, 1), Release::once_durable(WriteNumber{1})),
            "1: w1 writes 12/1");
    cluster.arrives(S2, from(S3, append_of(Term{2}, {Term{1}, Index{11}}, Term{2}, 1, {}, 2)));
    require(cluster.outgoing().messages ==
                just(S3, accepted(Term{2}, Index{12}, 2), Release::once_durable(WriteNumber{4})),
            "2: w2 (the term, a truncation and 12/2) waits for it");
    cluster.arrives(S2, from(S1, append_of(Term{3}, {Term{1}, Index{11}}, Term{1}, 1, {}, 3)));
    require(cluster.outgoing().messages ==
                just(S1, accepted(Term{3}, Index{12}, 3), Release::once_durable(WriteNumber{7})),
            "3: w3 (the term, a truncation and 12/1) after that");
    return cluster;
};

constexpr auto a_confirmed_write_does_not_confirm_what_was_put_in_its_place = [] {
    auto cluster = b_with_three_writes_under_way();

    cluster.persists(S2, WriteNumber{1});
    require(cluster[S2].writes.durable_index == Index{11}, "4: what w1 confirms was truncated by w2");
    require(cluster.messages_in_flight(S2, S1) == std::vector<Rpc>{Rpc{accepted(Term{1}, Index{12}, 1)}},
            "only the answer of term 1 leaves, with its term");
    cluster.arrives(S2, from(S1, heartbeat_of(Term{3}, {Term{1}, Index{12}}, {}, 4)));
    require(cluster.outgoing().messages ==
                just(S1, accepted(Term{3}, Index{11}, 4), Release::once_durable(WriteNumber{5})),
            "an answer of term 3 acknowledges 11, and waits for the write of its term");

    cluster.persists(S2, WriteNumber{4});
    require(cluster[S2].writes.durable_index == Index{11}, "nor does w2 confirm 12/1");
    auto powerless = cluster;
    powerless.loses_power(S2);
    require(last_position(powerless[S2]) == LogPosition{Term{2}, Index{12}}, "5: the disk holds 12/2");
    for (auto const& rpc : cluster.messages_in_flight(S2, S1)) {
        auto const* answer = std::get_if<AppendEntriesResponse>(&rpc);
        require(answer->term < Term{3} or answer->match < Index{12}, "and no leader of term 3 counts B for 12");
    }

    cluster.persists(S2, WriteNumber{7});
    require(cluster[S2].writes.durable_index == Index{12}, "w3 does");
    require(cluster.messages_in_flight(S2, S1).back() == Rpc{accepted(Term{3}, Index{11}, 4)} or
                cluster.messages_in_flight(S2, S1).back() == Rpc{accepted(Term{3}, Index{12}, 3)},
            "and now the answer leaves");
};
TOTORA_PROVE(a_confirmed_write_does_not_confirm_what_was_put_in_its_place, "dissertation 10.2.1", "case_22");

/// Case 23: what a leader or candidate owes to its own disk comes from the disk, and means nothing in another role or term.
constexpr auto a_late_word_of_the_own_disk_counts_for_nothing_in_another_term = [] {
    auto a = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}));
    a = step(a, local(Proposed{1})).state; // 5/2: its write is under way.
    auto const queued = persisted(a);
    a = step(a, from(S2, append_of(Term{3}, {Term{1}, Index{3}}, Term{3}, 1))).state; // 4/3 truncates it.
    require(is_follower(a) and last_position(a) == LogPosition{Term{3}, Index{4}}, "2: A follows in term 3");

    auto const [after, outgoing] = checked_step(a, queued);
    require(after.writes.durable_index == Index{3} and after.commit_index == Index{},
            "3: the write of 5/2 confirms nothing");
    require(did_nothing(outgoing), "and nothing follows");
};
TOTORA_PROVE(a_late_word_of_the_own_disk_counts_for_nothing_in_another_term, "dissertation 10.2.1", "case_23");

constexpr auto a_late_vote_for_itself_counts_only_in_its_own_campaign = [] {
    auto a = follower(S1, Term{2}, {{Term{1}, Index{1}, 3}});
    a.settings.pre_vote = false;
    auto const campaigning = step(a, ring(a, Alarm::election)).state;
    auto const queued = persisted(campaigning);

    auto const lost = step(campaigning, from(S2, heartbeat_of(Term{3}, {Term{1}, Index{3}}))).state;
    auto const [after, outgoing] = checked_step(lost, queued);
    require(is_follower(after) and known_leader(after) == S2 and did_nothing(outgoing),
            "4: B won; A's vote comes late");

    auto const again = step(campaigning, ring(campaigning, Alarm::election)).state;
    auto const next_term = checked_step(again, queued).state;
    require(is_candidate(next_term) and not next_term.votes.contains(S1), "nor does it count in the next campaign");
    auto const voted = checked_step(next_term, persisted(next_term)).state;
    require(voted.votes.contains(S1), "whose own vote does");
};
TOTORA_PROVE(a_late_vote_for_itself_counts_only_in_its_own_campaign, "5.2", "case_23");

constexpr auto a_message_from_oneself_or_nobody_is_a_violation = [] {
    auto const log = log_of({{Term{1}, Index{1}, 3}});
    auto       asking = server(S1, Term{1}, log);
    asking = step(asking, ring(asking, Alarm::election)).state;
    for (auto const& a :
         {server(S1, Term{1}, log), asking, candidate(server(S1, Term{1}, log)), leader(server(S1, Term{1}, log))})
        for (auto const sender : {S1, nobody})
            for (auto const& message : {from(sender, RequestVote{Term{9}, {Term{1}, Index{3}}}),
                                        from(sender, RequestVoteResponse{Term{2}, true}),
                                        from(sender, RequestPreVote{Term{1}, {Term{1}, Index{3}}, Round{1}}),
                                        from(sender, RequestPreVoteResponse{Term{1}, Round{1}, true}),
                                        from(sender, append_of(Term{2}, {Term{1}, Index{3}}, Term{2}, 1)),
                                        from(sender, accepted(Term{2}, Index{4}))})
                require_nothing_but(Decision::violation_sender, a, checked_step(a, message));
};
TOTORA_PROVE(a_message_from_oneself_or_nobody_is_a_violation, "5.1", "case_23");

} // namespace
} // namespace totora::test::late_messages_tests
