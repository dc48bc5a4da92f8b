// SPDX-License-Identifier: BSL-1.0
#include "support/cluster.hpp"
#include "support/prove.hpp"

// docs/cases.md, chapters H and J, cases 58 and 67: what a server does whose disk hangs or is full. A is S1, B is S2, C is S3.
//
// What could go wrong: a leader steps down though nobody could do better, and an election costs what little service is left;
// it stays though others could; it campaigns again at once; a slow disk is taken for one that hangs; a server writes what it has
// no room for.

namespace totora::test::slow_and_full_disks_tests
{
namespace
{

constexpr auto term_2 = Term{2};

/// A leads term 2; its log is 1/1 to 3/1 and 4/2, and all of it is durable at A.
constexpr auto leading = [](std::uint64_t voters = 3) {
    return leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}, voters));
};

/// The answers of these followers: each holds A's log up to `match`.
constexpr auto answered = [](State state, Index match, std::initializer_list<ServerId> followers,
                             bool no_room = false) {
    for (auto const server : followers) {
        auto answer = accepted(term_2, match, progress_of(state, server).sent.value);
        answer.no_room = no_room;
        state = checked_step(state, from(server, answer)).state;
    }
    return state;
};

/// A has appended an entry, and its disk has not answered for a `storage_stall`; what it was watching before is durable.
constexpr auto with_a_late_write = [](State state) {
    state = step(state, ring(state, Alarm::storage_stall)).state;
    return step(state, local(Proposed{1})).state;
};

constexpr auto a_leader_whose_disk_hangs_gives_up_when_a_quorum_has_what_it_lacks = [] {
    auto const waiting = answered(with_a_late_write(leading()), Index{5}, {S2, S3});
    require(waiting.commit_index == Index{5} and waiting.writes.durable_index == Index{4},
            "B and C committed without A");

    auto const [after, outgoing] = checked_step(waiting, ring(waiting, Alarm::storage_stall));

    require(is_follower(after) and after.current_term == term_2, "A follows, in its term");
    require(outgoing.decisions == decisions_of({Decision::stepped_down_disk_hangs, Decision::timeout_now_sent}),
            "by this name");
    require(outgoing.messages == just(S2, TimeoutNow{term_2, {term_2, Index{5}}}),
            "and hands over, without another heartbeat");
    require(order_for(outgoing, Alarm::heartbeat) != nullptr and not arms(outgoing, Alarm::heartbeat),
            "nor a later one");
    auto const asks = from(S2, RequestPreVote{term_2, {term_2, Index{5}}, Round{1}});
    require(checked_step(after, asks).outgoing.messages == just(S2, RequestPreVoteResponse{term_2, Round{1}, true}),
            "B may follow it");
};
TOTORA_PROVE(a_leader_whose_disk_hangs_gives_up_when_a_quorum_has_what_it_lacks, "dissertation 10.2.1", "case_58");

/// All disks hang, the others are down, or there is nobody else: an election would help nobody.
constexpr auto a_leader_whose_disk_hangs_stays_where_no_quorum_is_ahead = [] {
    auto const nobody_answers = with_a_late_write(leading());
    auto const one_of_two = answered(with_a_late_write(leading()), Index{5}, {S2});
    auto const not_the_newest = answered(with_a_late_write(leading()), Index{4}, {S2, S3});
    auto const of_two = answered(with_a_late_write(leading(2)), Index{5}, {S2});
    auto const alone = with_a_late_write(leading(1));
    for (auto const& state : {nobody_answers, one_of_two, not_the_newest, of_two, alone}) {
        auto const [after, outgoing] = checked_step(state, ring(state, Alarm::storage_stall));
        require(is_leader(after), "it leads on");
        auto const soon = Settings{}.heartbeat_ms;
        require(order_for(outgoing, Alarm::storage_stall)->delay == Delay{soon, soon}, "and looks again soon");
    }
    auto const late = checked_step(one_of_two, ring(one_of_two, Alarm::storage_stall)).state;
    auto const ahead = answered(late, Index{5}, {S3});
    require(is_follower(checked_step(ahead, ring(ahead, Alarm::storage_stall)).state), "until another quorum is ahead");
};
TOTORA_PROVE(a_leader_whose_disk_hangs_stays_where_no_quorum_is_ahead, "dissertation 10.2.1", "case_58");

/// The alarm is armed once in a stall, and asks only for what was in flight then.
constexpr auto a_slow_disk_is_not_a_hanging_one = [] {
    auto const maximum = Settings{}.election.at_most_ms;
    auto const idle = step(leading(), ring(leading(), Alarm::storage_stall)).state;
    auto const first = checked_step(idle, local(Proposed{1}));
    require(order_for(first.outgoing, Alarm::storage_stall)->delay == Delay{maximum, maximum}, "the election maximum");
    auto const second = checked_step(first.state, local(Proposed{1}));
    require(order_for(second.outgoing, Alarm::storage_stall) == nullptr, "the oldest is watched");
    auto const one_durable = checked_step(second.state, local(Persisted{second.state.writes.watch.oldest})).state;
    auto const others_have_all = answered(one_durable, Index{6}, {S2, S3});

    auto const [after, outgoing] = checked_step(others_have_all, ring(others_have_all, Alarm::storage_stall));

    require(is_leader(after), "the disk goes on");
    require(order_for(outgoing, Alarm::storage_stall)->delay == Delay{maximum, maximum}, "the second has its time");
    require(is_follower(checked_step(after, ring(after, Alarm::storage_stall)).state), "and no more");
    auto const all = checked_step(after, persisted(after)).state;
    auto const quiet = checked_step(all, ring(all, Alarm::storage_stall));
    require(is_leader(quiet.state) and quiet.outgoing.alarms.empty(), "an idle disk is not watched");
    auto settings = Settings{};
    settings.storage_stall_ms = 77;
    auto set = follower(S2, Term{1}, {});
    set.settings = settings;
    require(order_for(step(set, from(S1, RequestVote{Term{2}, {}})).outgoing, Alarm::storage_stall)->delay ==
                Delay{77, 77},
            "any other time may be set");
    set.settings.watch_storage = false;
    require(not arms(step(set, from(S1, RequestVote{Term{2}, {}})).outgoing, Alarm::storage_stall), "or none");
};
TOTORA_PROVE(a_slow_disk_is_not_a_hanging_one, "dissertation 10.2.1", "case_58");

constexpr auto a_server_does_not_campaign_while_its_own_write_is_late = [] {
    auto const server = follower(S2, Term{1}, {{Term{1}, Index{1}, 3}});
    auto const writing = step(server, from(S1, append_of(Term{1}, {Term{1}, Index{3}}, Term{1}, 1))).state;
    auto const in_time = checked_step(writing, ring(writing, Alarm::election));
    require(is_pre_candidate(in_time.state), "a write may be in flight");
    require(is_follower(checked_step(in_time.state, ring(in_time.state, Alarm::storage_stall)).state),
            "a pre-vote ends when it is late");

    auto const late = checked_step(writing, ring(writing, Alarm::storage_stall)).state;
    auto const held = checked_step(late, ring(late, Alarm::election));
    require(held.outgoing.decisions == decisions_of({Decision::campaign_withheld_disk_hangs}), "it is named");
    require(is_follower(held.state) and held.outgoing.messages.empty(), "and nobody is asked");
    require(arms(held.outgoing, Alarm::election), "but later");

    auto const durable = checked_step(held.state, persisted(held.state)).state;
    require(is_pre_candidate(checked_step(durable, ring(durable, Alarm::election)).state), "when the disk is back");
};
TOTORA_PROVE(a_server_does_not_campaign_while_its_own_write_is_late, "dissertation 10.2.1", "case_58");

/// The whole story: A's disk hangs, heartbeats go on, B leads; then A's disk is back.
constexpr auto another_leads_when_the_disk_of_the_leader_hangs = [] {
    auto cluster = Cluster{3};
    cluster.campaigns(S1, {S1, S2, S3});
    cluster.rings(S1, Alarm::heartbeat);
    cluster.settle({S1, S2, S3});
    cluster.rings(S1, Alarm::storage_stall);
    cluster.happens(S1, Proposed{1});
    for (auto const other : {S2, S3}) {
        cluster.deliver_all(S1, other);
        cluster.persists(other);
        cluster.deliver_all(other, S1);
    }
    cluster.rings(S1, Alarm::storage_stall);
    require(is_follower(cluster[S1]), "A gives up");
    cluster.rings(S1, Alarm::election);
    require(is_follower(cluster[S1]) and cluster.messages_in_flight(S1, S2).size() == 1 and
                std::holds_alternative<TimeoutNow>(cluster.messages_in_flight(S1, S2).front()),
            "does not ask, and hands over to B");
    cluster.drop_all(); // Which does not arrive.

    cluster.campaigns(S2, {S2, S3});
    require(is_leader(cluster[S2]), "B leads");
    cluster.persists(S1);
    cluster.settle({S1, S2, S3});
    cluster.rings(S2, Alarm::heartbeat);
    cluster.settle({S1, S2, S3});
    require(cluster[S1].commit_index == Index{3} and cluster[S1].writes.durable_index == Index{3}, "A has all again");
};
TOTORA_PROVE(another_leads_when_the_disk_of_the_leader_hangs, "dissertation 10.2.1", "case_58");

/// A's log has no room for entries.
constexpr auto full = [](State const& state) { return checked_step(state, local(RoomChanged{LogRoom::reserve_only})); };

constexpr auto a_leader_without_room_gives_up_if_a_quorum_has_room_and_one_of_it_all = [] {
    auto const maximum = Settings{}.election.at_most_ms;
    auto const minimum = Settings{}.election.at_least_ms;

    auto const [after, outgoing] = full(answered(answered(leading(), Index{4}, {S2}), Index{3}, {S3}));

    require(is_follower(after), "B can lead with C");
    require(outgoing.decisions ==
                decisions_of({Decision::room_exhausted, Decision::stepped_down_no_room, Decision::timeout_now_sent}),
            "it is named");
    require(outgoing.messages == just(S2, TimeoutNow{term_2, {term_2, Index{4}}}), "and B is asked to go on");
    require(order_for(outgoing, Alarm::election)->delay == Delay{minimum + maximum, 2 * maximum},
            "and A waits an election maximum longer");
    auto const again = checked_step(after, local(RoomChanged{LogRoom::enough})).state;
    require(order_for(checked_step(again, ring(again, Alarm::election)).outgoing, Alarm::election)->delay ==
                Settings{}.election,
            "until it has room");
};
TOTORA_PROVE(a_leader_without_room_gives_up_if_a_quorum_has_room_and_one_of_it_all, "5.2", "case_67");

/// A vote of its own, or the entry with which it begins, would be a write that fails.
constexpr auto a_candidate_without_the_reserve_gives_up = [] {
    auto asking = follower(S1, Term{1}, {{Term{1}, Index{1}, 3}});
    asking = step(asking, ring(asking, Alarm::election)).state;
    require(is_pre_candidate(asking), "it asks");
    for (auto const& state : {asking, candidate(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}))}) {
        auto const [after, outgoing] = checked_step(state, local(RoomChanged{LogRoom::nothing}));
        require(is_follower(after) and outgoing.writes.empty() and noted(outgoing, Decision::campaign_withheld_no_room),
                "it waits");
        auto const late = checked_step(after, from(S2, RequestVoteResponse{after.current_term, true}));
        require(is_follower(late.state) and late.outgoing.writes.empty(), "whatever is granted later");
    }
};
TOTORA_PROVE(a_candidate_without_the_reserve_gives_up, "5.2", "case_67");

/// Otherwise its reads are better than nothing.
constexpr auto a_leader_without_room_stays_where_nobody_would_do_better = [] {
    auto const nobody_answered = leading();
    auto const one_answered = answered(leading(), Index{4}, {S2});
    auto const none_has_all = answered(leading(), Index{3}, {S2, S3});
    auto const all_full = answered(leading(), Index{4}, {S2, S3}, true);
    auto const one_full = answered(answered(leading(), Index{4}, {S2}, true), Index{4}, {S3});
    auto const the_one_that_has_all_is_full =
        answered(answered(leading(5), Index{4}, {S2}, true), Index{3}, {S3, S4, S5});
    auto const alone = leading(1);
    for (auto const& state :
         {nobody_answered, one_answered, none_has_all, all_full, one_full, the_one_that_has_all_is_full, alone}) {
        auto const [after, outgoing] = full(state);
        require(is_leader(after), "it leads on");
        require(outgoing.decisions == decisions_of({Decision::room_exhausted, Decision::leading_without_room}),
                "and reports it");
        auto const beat = checked_step(after, ring(after, Alarm::heartbeat));
        require(is_leader(beat.state) and arms(beat.outgoing, Alarm::heartbeat), "and goes on with its heartbeats");
    }
    auto const waiting = full(one_answered).state;
    auto const later = answered(waiting, Index{4}, {S3});
    auto const beat = checked_step(later, ring(later, Alarm::heartbeat));
    require(is_follower(beat.state) and beat.outgoing.messages == just(S2, TimeoutNow{term_2, {term_2, Index{4}}}),
            "until the others can do without it");
    auto const read = checked_step(full(all_full).state, local(ReadRequested{}));
    require(std::holds_alternative<ReadStarted>(*read.outgoing.answer), "reads are served");
    require(full(full(all_full).state).outgoing == Outgoing{}, "it is reported once");
};
TOTORA_PROVE(a_leader_without_room_stays_where_nobody_would_do_better, "5.2", "case_67");

/// All disks are full: somebody must serve reads, and the reserve has room for the entry with which it begins.
constexpr auto a_server_without_room_is_elected_where_nobody_has_any = [] {
    auto const elected = leader(full(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}})).state);
    require(is_leader(elected) and last_position(elected) == LogPosition{term_2, Index{4}}, "it leads");
    auto const asking = candidate(full(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}})).state);
    auto const won = checked_step(asking, from(S2, RequestVoteResponse{term_2, true}));
    require(noted(won.outgoing, Decision::leading_without_room), "and reports that it has no room");
};
TOTORA_PROVE(a_server_without_room_is_elected_where_nobody_has_any, "5.2", "case_67");

/// Not even a term or a vote can be written: what would need one does not happen, and is named.
constexpr auto a_server_without_reserve_neither_votes_nor_campaigns_nor_adopts_a_term = [] {
    auto const sane = follower(S2, Term{3}, {{Term{1}, Index{1}, 3}});
    auto const server = checked_step(sane, local(RoomChanged{LogRoom::nothing})).state;
    auto const last = LogPosition{Term{1}, Index{3}};

    auto const vote = checked_step(server, from(S1, RequestVote{Term{3}, last}));
    require(vote.outgoing.messages == just(S1, RequestVoteResponse{Term{3}, false}), "no vote");
    require(vote.outgoing.decisions == decisions_of({Decision::vote_withheld_no_room}), "by this name");
    auto const pre_vote = checked_step(server, from(S1, RequestPreVote{Term{3}, last, Round{1}}));
    require(pre_vote.outgoing.messages == just(S1, RequestPreVoteResponse{Term{3}, Round{1}, false}),
            "nor a promise of one");
    for (auto const& message : {from(S1, RequestVote{Term{4}, last}), from(S1, heartbeat_of(Term{4}, last)),
                                from(S1, RequestVoteResponse{Term{4}, false})})
        require_nothing_but(Decision::newer_term_ignored_no_room, server, checked_step(server, message));
    auto const campaign = checked_step(server, ring(server, Alarm::election));
    require(is_follower(campaign.state) and campaign.outgoing.messages.empty(), "no campaign");
    require(campaign.outgoing.decisions == decisions_of({Decision::campaign_withheld_no_room}), "by this name");
    auto const followed = checked_step(server, from(S1, heartbeat_of(Term{3}, last)));
    require(known_leader(followed.state) == S1 and followed.outgoing.writes.empty(),
            "a leader of its term is followed");

    auto const again = checked_step(server, local(RoomChanged{LogRoom::reserve_only})).state;
    require(checked_step(again, from(S1, RequestVote{Term{4}, last})).state.voted_for == S1, "the reserve suffices");
};
TOTORA_PROVE(a_server_without_reserve_neither_votes_nor_campaigns_nor_adopts_a_term, "5.2", "case_67");

/// Its log had no room for entries when it began to campaign, and then not even for its vote.
constexpr auto a_candidate_gives_up_when_the_last_of_its_reserve_is_gone = [] {
    for (auto const pre_vote : {true, false}) {
        auto state = full(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}})).state;
        state.settings.pre_vote = pre_vote;
        state = step(state, ring(state, Alarm::election)).state;
        require(is_pre_candidate(state) or is_candidate(state), "the reserve is enough for a campaign");

        auto const [after, outgoing] = checked_step(state, local(RoomChanged{LogRoom::nothing}));

        require(is_follower(after), "nothing is not");
        require(outgoing.decisions == decisions_of({Decision::campaign_withheld_no_room}),
                "the lack of room is not new");
    }
};
TOTORA_PROVE(a_candidate_gives_up_when_the_last_of_its_reserve_is_gone, "5.2", "case_67");

/// Many writes are in flight, and the disk confirms one of them in each `storage_stall`: always the oldest is looked at.
constexpr auto a_disk_that_confirms_its_oldest_write_in_time_does_not_hang = [] {
    auto a = leading();
    a = step(a, ring(a, Alarm::storage_stall)).state;
    for (auto entry = 0; entry < 6; ++entry)
        a = step(a, local(Proposed{1})).state;
    a = answered(std::move(a), Index{10}, {S2, S3});
    require(a.writes.last.value - a.writes.durable.value == 6, "six writes are in flight, which B and C have");

    for (auto stall = 0; stall < 5; ++stall) {
        a = checked_step(a, local(Persisted{next(a.writes.durable)})).state;
        a = checked_step(a, ring(a, Alarm::storage_stall)).state;
        require(is_leader(a) and not a.writes.watch.late, "it is slow");
    }
    require(is_follower(checked_step(a, ring(a, Alarm::storage_stall)).state), "the last one was given its time, too");
};
TOTORA_PROVE(a_disk_that_confirms_its_oldest_write_in_time_does_not_hang, "dissertation 10.2.1", "case_58");

} // namespace
} // namespace totora::test::slow_and_full_disks_tests
