// SPDX-License-Identifier: BSL-1.0
#include "support/snapshots.hpp"
#include "support/cluster.hpp"
#include "support/prove.hpp"

// docs/cases.md, chapter E and its neighbours: what is compacted, and what takes its place. A is S1, B is S2, C is S3.

namespace totora::test::snapshots_tests
{
namespace
{

/// Case 25: commit(B) = applied(B) = 20; B is in term 3, and A leads it.
constexpr auto b_at_20 = [] {
    auto const b = follower(S2, Term{3}, {{Term{1}, Index{1}, 12}, {Term{3}, Index{13}, 10}});
    return applied(step(b, from(S1, heartbeat_of(Term{3}, {Term{3}, Index{22}}))).state, Index{20});
};

constexpr auto a_stale_snapshot_changes_nothing = [] {
    auto const b = b_at_20();
    for (auto const last : {LogPosition{Term{1}, Index{12}}, LogPosition{Term{3}, Index{20}}}) {
        auto const snapshot = snapshot_at(last.term, last.index);
        auto const [after, outgoing] = checked_step(b, from(S1, whole(Term{3}, snapshot)));
        require(after.log == b.log and after.commit_index == Index{20} and after.apply_index == Index{20},
                "entries 13 to 20 stay, and so does what is applied");
        require(outgoing.writes.empty() and not outgoing.store_chunk and not outgoing.restore, "nothing is installed");
        require(outgoing.messages == just(S1, answer_about(Term{3}, snapshot, 10, Index{20})),
                "the leader can go on: match = 20");
    }
    auto const stale = checked_step(b, from(S1, whole(Term{2}, snapshot_at(Term{1}, Index{12}))));
    require(stale.state == b and stale.outgoing.messages == just(S1, answer_about(Term{3}, SnapshotId{}, 0)),
            "of an older term: refused with the term");
};
TOTORA_PROVE(a_stale_snapshot_changes_nothing, "7", "case_25");

constexpr auto everything_moves_with_a_restored_snapshot = [] {
    auto const empty = follower(S2, Term{7}, {});
    auto       cluster = Cluster{{follower(S1, Term{7}, {}), empty, follower(S3, Term{7}, {})}};
    auto const snapshot = snapshot_at(Term{4}, Index{100});
    cluster.begins_after(snapshot.last);
    cluster.arrives(S2, from(S1, whole(Term{7}, snapshot)));
    cluster.receives_snapshot(S2);
    require(not cluster.outgoing().restore, "nothing is restored before the log begins with the snapshot, durably");
    cluster.persists(S2);
    require(cluster.outgoing().restore == snapshot.last and not cluster.outgoing().apply_through,
            "then the machine is, and is given nothing more");
    for (auto restarts = 0; restarts < 2; ++restarts) {
        auto const& b = cluster[S2];
        require(b.log.base() == snapshot.last and last_position(b) == snapshot.last,
                "the log begins and ends at 100/4");
        require(b.commit_index == Index{100} and b.apply_index == Index{100}, "commit = applied = 100");
        require(b.current_term == Term{7}, "the term is not the snapshot's");
        cluster.loses_power(S2);
    }
    cluster.arrives(S2, from(S1, append_of(Term{7}, snapshot.last, Term{7}, 1)));
    require(last_index(cluster[S2]) == Index{101}, "101/7 follows 100/4");

    auto const asks = checked_step(
        checked_step(compacted(server(S2, Term{7}, log_of({{Term{4}, Index{1}, 100}})), Index{100}), local(Started{}))
            .state,
        local(AlarmRang{Alarm::election, Arming{1}}));
    require(sent<RequestPreVote>(asks.outgoing, S1).at(0).last_log == snapshot.last, "it asks with 100/4");
};
TOTORA_PROVE(everything_moves_with_a_restored_snapshot, "7", "case_26", "case_75");

constexpr auto configurations_move_with_a_restored_snapshot = [] {
    auto const snapshot = snapshot_at(Term{4}, Index{100});
    auto const b = receiving(follower(S2, Term{7}, {}), snapshot);
    auto       of_five = received(snapshot, 5);
    of_five.configurations.in_force.index = Index{90};
    auto const [after, outgoing] = checked_step(b, local(of_five));
    require(after.configurations == of_five.configurations, "C(A,B,C,D,E) is in force, as of 90");
    require(outgoing.writes == writes_of({Install{WriteNumber{1}, snapshot}}), "the boundary is one write");
};
TOTORA_PROVE(configurations_move_with_a_restored_snapshot, "7", "case_26");

constexpr auto the_term_at_the_base_is_known = [] {
    auto const a = leader(compacted(follower(S1, Term{4}, {{Term{4}, Index{1}, 100}}), Index{100}));
    auto const b = follower(S2, Term{5}, {{Term{4}, Index{1}, 100}});
    require(a.log.base() == LogPosition{Term{4}, Index{100}} and a.log.term_at(Index{100}) == Term{4}, "it is 100/4");

    auto const probe = step(a, ring(a, Alarm::heartbeat)).outgoing;
    auto const numbered = sent<AppendEntries>(probe, S2).back();
    require(numbered.previous.index == Index{101} and probe.chunks_wanted.empty(), "no snapshot is wanted");
    auto const append = append_of(Term{5}, a.log.base(), Term{5}, 1);
    auto const accepting = checked_step(b, from(S1, append));
    require(noted(accepting.outgoing, Decision::append_accepted), "AE(prev = 100/4; 101) is accepted");
    auto const refused = checked_step(a, from(S2, accepted(Term{5}, Index{100}, 1)));
    require(not sent_snapshot(refused.state, S2), "and B is sent entries");
};
TOTORA_PROVE(the_term_at_the_base_is_known, "7", "case_27");

/// Case 28: A and B are at 100 with logs from 65 on, C is at 50. B leads.
constexpr auto after_the_compaction = [] {
    auto const runs = log_of({{Term{1}, Index{1}, 100}});
    auto       cluster =
        Cluster{{compacted(server(S1, Term{1}, runs), Index{64}), compacted(server(S2, Term{1}, runs), Index{64}),
                 follower(S3, Term{1}, {{Term{1}, Index{1}, 50}})}};
    cluster.campaigns(S2, {S1, S2, S3});
    return cluster;
};

constexpr auto a_follower_whose_entries_are_compacted_is_sent_a_snapshot = [] {
    auto cluster = after_the_compaction();
    require(is_leader(cluster[S2]) and cluster[S2].commit_index == Index{101}, "two of three make progress");
    require(sent_snapshot(cluster[S2], S3) != nullptr, "C needs 51, which is compacted");

    cluster.sends_snapshot(S2, S3);
    require(sent_snapshot(cluster[S2], S3)->received == 2, "both bytes are there");
    cluster.receives_snapshot(S3);
    cluster.settle({S1, S2, S3});
    require(last_position(cluster[S3]) == last_position(cluster[S2]) and cluster[S3].log.base().index == Index{64},
            "C has the entries after the snapshot");
    require(not sent_snapshot(cluster[S2], S3) and progress_of(cluster[S2], S3).match == Index{101}, "and B knows");
    cluster.rings(S2, Alarm::heartbeat);
    cluster.settle({S1, S2, S3});
    require(cluster[S3].apply_index == Index{101}, "C applies them after the snapshot");
};
TOTORA_PROVE(a_follower_whose_entries_are_compacted_is_sent_a_snapshot, "7", "case_28", "case_48");

constexpr auto a_heartbeat_below_the_base_tests_nothing = [] {
    auto       cluster = after_the_compaction();
    auto const heartbeat = step(cluster[S2], ring(cluster[S2], Alarm::heartbeat));
    auto const to_c = sent<AppendEntries>(heartbeat.outgoing, S3).at(0);
    require(to_c.previous == LogPosition{} and to_c.leader_commit == Index{}, "it is at index 0, of term 0");
    auto const at_c = checked_step(cluster[S3], from(S2, to_c));
    require(noted(at_c.outgoing, Decision::append_accepted), "which every log holds");
    auto const at_a = checked_step(cluster[S1], from(S2, to_c));
    require(noted(at_a.outgoing, Decision::append_accepted), "compacted ones too");
};
TOTORA_PROVE(a_heartbeat_below_the_base_tests_nothing, "7", "case_28");

constexpr auto a_receiver_that_restarts_names_what_it_needs = [] {
    auto       cluster = Cluster{{follower(S1, Term{3}, {}), follower(S2, Term{3}, {}), follower(S3, Term{3}, {})}};
    auto const snapshot = snapshot_at(Term{3}, Index{100});
    for (auto offset = std::uint64_t{0}; offset < 4; ++offset)
        cluster.arrives(S3, from(S1, chunk_of(Term{3}, snapshot, offset, 1)));
    require(cluster[S3].reception.received == 4, "1: chunks 0 to 3 of 10");
    cluster.loses_power(S3);

    cluster.drop_all();
    cluster.arrives(S3, from(S1, chunk_of(Term{3}, snapshot, 4, 1)));
    require(not cluster.outgoing().store_chunk, "3: chunk 4 has no place");
    require(cluster.outgoing().messages == just(S1, answer_about(Term{3}, snapshot, 0)), "begin again at 0");
};
TOTORA_PROVE(a_receiver_that_restarts_names_what_it_needs, "7", "case_29");

constexpr auto chunks_of_two_snapshots_are_not_mixed = [] {
    auto const first = snapshot_at(Term{2}, Index{100});
    auto const second = snapshot_at(Term{3}, Index{120}, 10, 8);
    auto       c = follower(S3, Term{3}, {});
    for (auto offset = std::uint64_t{0}; offset < 3; ++offset)
        c = checked_step(c, from(S1, chunk_of(Term{3}, first, offset, 1))).state;

    for (auto offset = std::uint64_t{0}; offset < 4; ++offset)
        c = checked_step(c, from(S2, chunk_of(Term{4}, second, offset, 1))).state;
    auto const late = checked_step(c, from(S1, chunk_of(Term{3}, first, 3, 1)));
    require(late.state == c and late.outgoing.messages == just(S1, answer_about(Term{4}, SnapshotId{}, 0)),
            "3: a late chunk of the first, at the same offset, is refused with the term");
    auto const heartbeat = checked_step(c, from(S2, heartbeat_of(Term{4}, {})));
    require(heartbeat.state.reception == c.reception, "an append works meanwhile");
    auto const also_late = checked_step(c, from(S2, chunk_of(Term{4}, first, 4, 1)));
    require(noted(also_late.outgoing, Decision::chunk_outdated) and also_late.outgoing.messages.empty() and
                also_late.state.reception == c.reception,
            "and so is one of an older snapshot of the same leader");

    auto const whole = checked_step(c, from(S2, chunk_of(Term{4}, second, 4, 6))).state;
    require(whole.reception.snapshot == second and whole.reception.is_complete(), "the bytes are the second's");
};
TOTORA_PROVE(chunks_of_two_snapshots_are_not_mixed, "7", "case_30");

constexpr auto a_new_leader_goes_on_with_the_same_snapshot = [] {
    auto const snapshot = snapshot_at(Term{2}, Index{100});
    auto const c = step(follower(S3, Term{3}, {}), from(S1, chunk_of(Term{3}, snapshot, 0, 3))).state;
    auto const [after, outgoing] = checked_step(c, from(S2, chunk_of(Term{4}, snapshot, 3, 7)));
    require(after.reception.is_complete() and outgoing.store_chunk == StoreChunk{snapshot, 3, 7}, "from where it was");
    auto const older = checked_step(c, from(S2, chunk_of(Term{4}, snapshot_at(Term{2}, Index{90}), 0, 1)));
    require(older.state.reception.snapshot.last.index == Index{90}, "or with an older one, if it has no other");
};
TOTORA_PROVE(a_new_leader_goes_on_with_the_same_snapshot, "7", "case_30");

constexpr auto a_snapshot_has_the_configuration_in_force_at_its_index = [] {
    auto known = Configurations{cluster(4), cluster(3)};
    known.in_force.index = Index{12};
    known.previous.index = Index{8};
    require(configurations_at(known, Index{10})->in_force == known.previous, "at 10 it is that of 8");
    require(configurations_at(known, Index{12}) == known, "at 12 it is that of 12");
    require(not configurations_at(known, Index{7}), "of 7 nothing is known");

    auto a = applied(follower(S1, Term{1}, {{Term{1}, Index{1}, 20}}), Index{20});
    a.configurations = known;
    auto const refused = checked_step(a, local(SnapshotTaken{Index{7}}));
    require_nothing_but(Decision::compaction_refused, a, refused);
    require(noted(checked_step(a, local(SnapshotTaken{Index{8}})).outgoing, Decision::log_compacted), "8 is known");
};
TOTORA_PROVE(a_snapshot_has_the_configuration_in_force_at_its_index, "7", "case_31");

constexpr auto a_snapshot_is_answered_when_it_is_durable = [] {
    auto       cluster = Cluster{{follower(S1, Term{3}, {}), follower(S2, Term{3}, {}), follower(S3, Term{3}, {})}};
    auto const snapshot = snapshot_at(Term{3}, Index{100});
    cluster.begins_after(snapshot.last);
    cluster.arrives(S3, from(S1, whole(Term{3}, snapshot)));
    require(cluster.messages_in_flight(S3, S1) == std::vector<Rpc>{answer_about(Term{3}, snapshot, 10)},
            "that it is whole is answered at once, and promises nothing");
    cluster.drop_all();
    cluster.receives_snapshot(S3);
    require(cluster.outgoing().messages ==
                just(S1, answer_about(Term{3}, snapshot, 10, Index{100}), Release::once_durable(WriteNumber{1})),
            "that it is installed, when the log begins with it");
    require(cluster.messages_in_flight(S3, S1).empty(), "which it does not yet");
    cluster.loses_power(S3);
    require(last_index(cluster[S3]) == Index{}, "and may never: then nothing was acknowledged");

    cluster.arrives(S3, from(S1, chunk_of(Term{3}, snapshot, 10, 0)));
    cluster.receives_snapshot(S3);
    cluster.drop_all();
    cluster.persists(S3);
    require(cluster.messages_in_flight(S3, S1) == std::vector<Rpc>{answer_about(Term{3}, snapshot, 10, Index{100})},
            "now");
    cluster.loses_power(S3);
    require(last_index(cluster[S3]) == Index{100}, "and then it is not lost");
};
TOTORA_PROVE(a_snapshot_is_answered_when_it_is_durable, "7", "case_33");

/// What survived of a server whose log ends at 6 and whose machine is at 9.
constexpr auto machine_beyond_log = [] {
    auto survived = RecoveredState{};
    survived.current_term = Term{3};
    survived.log = log_of({{Term{3}, Index{1}, 6}});
    survived.configuration = cluster(3);
    survived.previous_configuration = cluster(3);
    survived.applied_index = Index{9};
    return survived;
};

constexpr auto an_install_that_had_begun_is_finished = [] {
    auto const start = [](RecoveredState const& survived) {
        return recover(Settings{}, Member{S1, Incarnation{1}, MemberKind::voter}, finish_install(survived));
    };
    auto survived = machine_beyond_log();
    require(start(survived).error() == RecoveryError::applied_beyond_log,
            "a log that lost what was applied is damaged");
    survived.received = received(snapshot_at(Term{3}, Index{8}));
    require(start(survived).error() == RecoveryError::applied_beyond_log, "a snapshot up to 8 does not help");
    survived.received = received(snapshot_at(Term{3}, Index{9}));
    auto const finished = start(survived);
    require(finished.has_value() and finished->log.base() == LogPosition{Term{3}, Index{9}} and
                finished->commit_index == Index{9},
            "one up to 9 was being installed");

    survived.applied_index = Index{6};
    require(start(survived)->log == survived.log, "a snapshot whose install had not begun discards nothing");
    survived.log.compact({Term{3}, Index{5}});
    survived.applied_index = Index{4};
    require(start(survived).error() == RecoveryError::snapshot_missing, "what is compacted must have been applied");
};
TOTORA_PROVE(an_install_that_had_begun_is_finished, "7", "case_68");

/// The machine could be restored from nothing else, and what the log holds up to there never was committed.
constexpr auto entries_that_a_restored_machine_contradicts_are_discarded = [] {
    auto survived = machine_beyond_log();
    survived.log = log_of({{Term{1}, Index{1}, 10}});
    survived.received = received(snapshot_at(Term{3}, Index{9}));
    auto const finished = finish_install(survived);
    require(finished.log.base() == LogPosition{Term{3}, Index{9}} and finished.log.last() == finished.log.base(),
            "the log begins and ends at the snapshot");

    survived.log = log_of({{Term{1}, Index{1}, 7}, {Term{3}, Index{8}, 3}});
    require(finish_install(survived).log == survived.log, "what goes on from it stays");
};
TOTORA_PROVE(entries_that_a_restored_machine_contradicts_are_discarded, "7", "case_25");

constexpr auto a_server_whose_disk_failed_answers_no_chunk = [] {
    auto const c = step(follower(S3, Term{3}, {}), local(Halted{HaltReason::storage})).state;
    auto const [after, outgoing] = step(c, from(S1, whole(Term{3}, snapshot_at(Term{3}, Index{100}))));
    require(outgoing.messages.empty() and not outgoing.store_chunk and outgoing.failed.has_value(), "it has failed");
};
TOTORA_PROVE(a_server_whose_disk_failed_answers_no_chunk, "7", "case_71");

constexpr auto a_thousand_terms_are_trimmed_by_compaction = [] {
    auto log = TermRuns{};
    for (auto term = std::uint64_t{1}; term <= 1'000; ++term)
        log.append({Term{term}, Index{term}, 1});
    auto const a = compacted(server(S1, Term{1'000}, log), Index{998});
    require(a.log.starts().size() == 2 and last_position(a) == log.last(),
            "of each entry that is gone, its term is too");
};
TOTORA_PROVE(a_thousand_terms_are_trimmed_by_compaction, "7", "case_85");

/// A leads term 5 with a log from 65 on, and has sent B a chunk.
constexpr auto a_that_sends = [] {
    return sending(compacted(follower(S1, Term{4}, {{Term{1}, Index{1}, 100}}), Index{64}),
                   snapshot_at(Term{1}, Index{64}));
};

constexpr auto an_answer_of_an_older_term_counts_for_nothing = [] {
    auto const a = a_that_sends();
    auto const snapshot = snapshot_at(Term{1}, Index{64});
    auto const late = checked_step(a, from(S2, answer_about(Term{3}, snapshot, 10, Index{64})));
    require_nothing_but(Decision::response_outdated, a, late);
    auto const newer = checked_step(a, from(S2, answer_about(Term{6}, SnapshotId{}, 0)));
    require(newer.state.current_term == Term{6} and is_follower(newer.state), "a newer term in it is adopted");
};
TOTORA_PROVE(an_answer_of_an_older_term_counts_for_nothing, "7", "case_102");

constexpr auto receiving_a_snapshot_is_contact = [] {
    auto const a = a_that_sends();
    auto const asked = step(a, ring(a, Alarm::quorum_check)).state; // The answers to its election were contact.
    auto const alone = checked_step(asked, ring(asked, Alarm::quorum_check));
    require(is_follower(alone.state), "a leader that nobody answers steps down");
    auto const answered =
        checked_step(asked, from(S2, answer_about(Term{5}, snapshot_at(Term{1}, Index{64}), 1))).state;
    require(is_leader(checked_step(answered, ring(answered, Alarm::quorum_check)).state), "a chunk's answer counts");

    auto const b = step(follower(S2, Term{5}, {}), ring(follower(S2, Term{5}, {}), Alarm::leader_silent)).state;
    auto const chunk = checked_step(b, from(S1, chunk_of(Term{5}, snapshot_at(Term{1}, Index{64}), 0, 1)));
    require(chunk.state.leader_recently_active and arms(chunk.outgoing, Alarm::election) and
                arms(chunk.outgoing, Alarm::leader_silent),
            "and a chunk is a message of a leader");
};
TOTORA_PROVE(receiving_a_snapshot_is_contact, "7", "case_103");

constexpr auto an_append_that_begins_below_the_base_is_answered = [] {
    auto const b = compacted(follower(S2, Term{3}, {{Term{2}, Index{1}, 20}}), Index{10});
    auto const below = checked_step(b, from(S1, append_of(Term{3}, {Term{2}, Index{3}}, Term{2}, 4)));
    require(below.outgoing.messages == just(S1, test::accepted(Term{3}, Index{7})) and below.state.log == b.log,
            "what is compacted is held: match = 7");
    auto const across = checked_step(b, from(S1, append_of(Term{3}, {Term{2}, Index{8}}, Term{2}, 4)));
    require(across.outgoing.messages == just(S1, test::accepted(Term{3}, Index{12})) and across.state.log == b.log,
            "4 entries after 8: match = 12");
    auto const other = checked_step(b, from(S1, append_of(Term{3}, {Term{2}, Index{8}}, Term{3}, 4)));
    require_nothing_but(Decision::violation_conflict_committed, b, other);
};
TOTORA_PROVE(an_append_that_begins_below_the_base_is_answered, "7", "case_9", "case_104");

constexpr auto a_place_to_resume_belongs_to_one_snapshot = [] {
    auto const first = snapshot_at(Term{2}, Index{100}, 100, 1);
    auto const second = snapshot_at(Term{2}, Index{100}, 100, 2);
    auto const c = step(follower(S3, Term{3}, {}), from(S1, chunk_of(Term{3}, first, 0, 40))).state;
    auto const [after, outgoing] = checked_step(c, from(S2, chunk_of(Term{4}, second, 40, 20)));
    require(not outgoing.store_chunk and after.reception.received == 0, "40 bytes of another are no bytes of this");
    require(outgoing.messages == just(S2, answer_about(Term{4}, second, 0)), "it begins at 0");
};
TOTORA_PROVE(a_place_to_resume_belongs_to_one_snapshot, "7", "case_106");

constexpr auto a_redundant_install_cuts_nothing = [] {
    auto const b = follower(S2, Term{3}, {{Term{2}, Index{1}, 150}});
    auto const snapshot = snapshot_at(Term{2}, Index{100});
    auto const [after, outgoing] = checked_step(b, from(S1, whole(Term{3}, snapshot)));
    require(after.log == b.log and after.writes.durable_index == Index{150} and outgoing.writes.empty(),
            "101 to 150 stay, durable as before");
    require(after.commit_index == Index{100} and outgoing.apply_through == Index{100},
            "what it stands for is committed");
    require(outgoing.messages == just(S1, answer_about(Term{3}, snapshot, 10, Index{100})), "and answered");

    auto meanwhile = receiving(follower(S2, Term{3}, {}), snapshot);
    meanwhile = step(meanwhile, from(S1, append_of(Term{3}, {}, Term{2}, 150))).state;
    auto const late = checked_step(meanwhile, local(received(snapshot)));
    require(late.state.log == meanwhile.log and late.state.commit_index == Index{100} and
                not late.state.reception.is_under_way(),
            "also if the log came to hold it while it was verified");
    require(late.outgoing.messages ==
                just(S1, answer_about(Term{3}, snapshot, 10, Index{100}), Release::once_durable(WriteNumber{1})),
            "which is answered when it is durable");
};
TOTORA_PROVE(a_redundant_install_cuts_nothing, "7", "case_107");

} // namespace
} // namespace totora::test::snapshots_tests
