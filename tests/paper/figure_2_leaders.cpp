// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"

// Figure 2, "Rules for Servers", Leaders.

namespace totora::test::figure_2_leaders_tests
{
namespace
{

/// Leads term 2 with 1/1, 2/1 and its no-op 3/2, durable here only.
constexpr auto new_leader = [] { return leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 2}})); };

/// "Upon election: send initial empty AppendEntries RPCs (heartbeat) to each server." Differs: the entry that begins the
/// term (§8) goes with it at once; "nextIndex[] initialized to leader last log index + 1, matchIndex[] to 0".
constexpr auto a_new_leader_sends_to_every_server_at_once = [] {
    auto const electing = candidate(follower(S1, Term{1}, {{Term{1}, Index{1}, 2}}));

    auto const [after, outgoing] = checked_step(electing, from(S2, RequestVoteResponse{Term{2}, true}));

    auto const append = append_of(Term{2}, {Term{1}, Index{2}}, Term{2}, 1);
    require(outgoing.messages ==
                exactly({{S2, Rpc{append}, Release::at_once()}, {S3, Rpc{append}, Release::at_once()}}),
            "the first entry of its term, to each, without waiting for its own disk");
    require(outgoing.writes == writes_of({Append{WriteNumber{2}, {Term{2}, Index{3}, 1}, EntryKind::no_op}}),
            "which writes meanwhile");
    require(progress_of(after, S2).match == Index{} and progress_of(after, S2).next == Index{4},
            "nothing is known yet");
    require(is_probing(after, S2) and is_probing(after, S3), "so that it looks for the place of agreement");
    require(arms(outgoing, Alarm::heartbeat) and arms(outgoing, Alarm::quorum_check),
            "it will send heartbeats and check its quorum");
    require(order_for(outgoing, Alarm::election)->delay == std::nullopt, "and campaigns no more");
};
TOTORA_PROVE(a_new_leader_sends_to_every_server_at_once, "Figure 2", "5.2", "8");

/// "Repeat during idle periods to prevent election timeouts."
constexpr auto a_leader_repeats_its_heartbeats = [] {
    auto const server = new_leader();

    auto const [after, outgoing] = checked_step(server, ring(server, Alarm::heartbeat));

    auto const heartbeat = heartbeat_of(Term{2}, {});
    auto const test = heartbeat_of(Term{2}, {Term{2}, Index{3}}, Index{}, 2);
    require(outgoing.messages == exactly({{S2, Rpc{heartbeat}, Release::at_once()},
                                          {S3, Rpc{heartbeat}, Release::at_once()},
                                          {S2, Rpc{test}, Release::at_once()},
                                          {S3, Rpc{test}, Release::at_once()}}),
            "without entries, to everybody; and who has not answered is asked again");
    require(outgoing.alarms.size() == 1 and arms(outgoing, Alarm::heartbeat), "and will do it again");
    require(outgoing.writes.empty() and after.log == server.log, "nothing else happens");
};
TOTORA_PROVE(a_leader_repeats_its_heartbeats, "Figure 2", "5.2");

/// "If command received from client: append entry to local log, respond after entry applied to state machine."
constexpr auto a_command_is_appended_and_applied_when_it_is_committed = [] {
    auto server = new_leader();
    server = step(server, from(S2, accepted(Term{2}, Index{3}))).state;

    auto const proposed = checked_step(server, local(Proposed{2}));
    auto const durable = checked_step(proposed.state, persisted(proposed.state));
    auto const committed = checked_step(durable.state, from(S2, accepted(Term{2}, Index{5}, 2)));

    require(proposed.outgoing.answer == Answer{Accepted{{Term{2}, Index{4}, 2}}}, "the client learns index and term");
    require(proposed.outgoing.writes == writes_of({Append{WriteNumber{3}, {Term{2}, Index{4}, 2}, EntryKind::command}}),
            "it is written");
    require(proposed.outgoing.messages == just(S2, append_of(Term{2}, {Term{2}, Index{3}}, Term{2}, 2, Index{3}, 2)),
            "and goes to whom the place of agreement is known, and to nobody whose answer is awaited");
    require(not proposed.outgoing.apply_through and not durable.outgoing.apply_through, "one copy is not enough");
    require(committed.outgoing.apply_through == Index{5}, "two of three are");
};
TOTORA_PROVE(a_command_is_appended_and_applied_when_it_is_committed, "Figure 2", "5.3");

/// "If last log index >= nextIndex for a follower: send AppendEntries RPC with log entries starting at nextIndex."
constexpr auto a_follower_gets_all_entries_from_the_next_one_on = [] {
    auto const server = new_leader();

    auto const [after, outgoing] = checked_step(server, from(S2, refused(Term{2}, Index{2}, {})));

    require(outgoing.messages == just(S2, append_of(Term{2}, {}, Term{1}, 1, Index{}, 2)),
            "the first, alone: the place of agreement is being looked for");
    require(progress_of(after, S2).next == Index{2} and is_probing(after, S2), "one append at a time");
    auto const [found, rest] = checked_step(after, from(S2, accepted(Term{2}, Index{1}, 2)));
    require(
        rest.messages ==
            exactly({{S2, Rpc{append_of(Term{2}, {Term{1}, Index{1}}, Term{1}, 1, Index{}, 3)}, Release::at_once()},
                     {S2, Rpc{append_of(Term{2}, {Term{1}, Index{2}}, Term{2}, 1, Index{}, 4)}, Release::at_once()}}),
        "and the rest, a run of one term at a time");
    require(progress_of(found, S2).next == Index{4} and not is_probing(found, S2), "now without waiting");
};
TOTORA_PROVE(a_follower_gets_all_entries_from_the_next_one_on, "Figure 2", "5.3");

/// "If successful: update nextIndex and matchIndex for follower."
constexpr auto a_success_moves_match_and_next = [] {
    auto const server = new_leader();

    auto const [after, outgoing] = checked_step(server, from(S3, accepted(Term{2}, Index{3})));

    require(progress_of(after, S3).match == Index{3} and progress_of(after, S3).next == Index{4}, "both move");
    require(progress_of(after, S2) == progress_of(server, S2), "of this follower alone");
    require(outgoing.messages.empty(), "there is nothing more to send");
};
TOTORA_PROVE(a_success_moves_match_and_next, "Figure 2", "5.3");

/// "If AppendEntries fails because of log inconsistency: decrement nextIndex and retry." Differs: by whole terms (end of §5.3).
constexpr auto a_refusal_moves_next_back_and_is_answered_by_another_try = [] {
    auto const server = leader(follower(S1, Term{4}, {{Term{1}, Index{1}, 3}, {Term{4}, Index{4}, 5}}));

    auto const [after, outgoing] = checked_step(server, from(S2, refused(Term{5}, Index{8}, {Term{2}, Index{7}})));

    require(progress_of(after, S2).next == Index{5} and progress_of(after, S2).match == Index{},
            "the first of term 4 is on its way");
    require(outgoing.decisions == decisions_of({Decision::probe_moved_back}), "by this name");
    require(outgoing.messages == just(S2, append_of(Term{5}, {Term{1}, Index{3}}, Term{4}, 1, Index{}, 2)),
            "tried again");
};
TOTORA_PROVE(a_refusal_moves_next_back_and_is_answered_by_another_try, "Figure 2", "5.3");

/// "If there exists an N such that N > commitIndex, a majority of matchIndex[i] >= N, and log[N].term == currentTerm: set
/// commitIndex = N."
constexpr auto a_majority_of_copies_of_the_current_term_commits = [] {
    auto server = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 2}}, 5));

    server = checked_step(server, from(S2, accepted(Term{2}, Index{3}))).state;
    require(server.commit_index == Index{}, "two of five are too few");
    auto const old_only = checked_step(server, from(S3, accepted(Term{2}, Index{2}))).state;
    require(old_only.commit_index == Index{}, "three copies of an entry of an older term commit nothing");
    auto const [after, outgoing] = checked_step(server, from(S3, accepted(Term{2}, Index{3})));
    require(after.commit_index == Index{3}, "three copies of an entry of this term commit it, and all before it");
    require(outgoing.apply_through == Index{3}, "and they are applied");
    require(outgoing.messages.empty(), "followers learn it with the next append");
};
TOTORA_PROVE(a_majority_of_copies_of_the_current_term_commits, "Figure 2", "5.3", "5.4.2");

} // namespace
} // namespace totora::test::figure_2_leaders_tests
