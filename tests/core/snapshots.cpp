// SPDX-License-Identifier: BSL-1.0
#include "totora/core/rules/snapshots.hpp"

#include "support/prove.hpp"
#include "support/snapshots.hpp"

#include <cstdint>

// Figure 13: what a follower does with chunks and with the whole, and what a leader makes of the answers. The cases of docs/cases.md
// are in cases/snapshots.cpp.

namespace totora::test::snapshots_tests
{
namespace
{

constexpr auto snapshot = snapshot_at(Term{3}, Index{20});

/// What becomes of a follower of term 4 with this log when the snapshot up to 20/3 is installed.
constexpr auto install_over = [](State b, Index durable) {
    auto const whole_one = receiving(std::move(b), snapshot);
    auto const [after, outgoing] = checked_step(whole_one, local(received(snapshot)));
    require(noted(outgoing, Decision::snapshot_installed), "its log lacks 20/3");
    require(after.log == TermRuns{snapshot.last} and after.commit_index == Index{20}, "the log is what follows 20/3");
    require(after.writes.durable_index == durable and after.apply_index == whole_one.apply_index,
            "what is committed stays durable, and nothing is applied yet");
    require(outgoing.messages == just(S1, answer_about(after.current_term, snapshot, 10, Index{20}),
                                      Release::once_durable(after.writes.last)),
            "the answer waits for the boundary");
    auto const done = checked_step(after, persisted(after));
    require(done.state.writes.durable_index == Index{20} and done.state.apply_index == Index{20} and
                done.outgoing.restore == snapshot.last,
            "with which the machine is restored");
};

constexpr auto a_snapshot_takes_the_place_of_a_log_that_lacks_its_last_entry = [] {
    install_over(follower(S2, Term{4}, {}), Index{});
    install_over(follower(S2, Term{4}, {{Term{3}, Index{1}, 9}}), Index{});
    install_over(applied(follower(S2, Term{4}, {{Term{3}, Index{1}, 9}}), Index{5}), Index{5});
    install_over(follower(S2, Term{4}, {{Term{2}, Index{1}, 20}}), Index{});
    install_over(applied(follower(S2, Term{4}, {{Term{2}, Index{1}, 30}}), Index{7}), Index{7});
};
TOTORA_PROVE(a_snapshot_takes_the_place_of_a_log_that_lacks_its_last_entry, "7", "case_26");

constexpr auto a_snapshot_takes_the_place_of_writes_under_way = [] {
    auto b = follower(S2, Term{4}, {{Term{3}, Index{1}, 5}});
    b = step(b, from(S1, append_of(Term{4}, {Term{3}, Index{5}}, Term{3}, 4, Index{7}))).state;
    require(b.commit_index == Index{7} and b.writes.durable_index == Index{5}, "6 to 9 are being written");
    b = step(receiving(b, snapshot), local(received(snapshot))).state;
    auto const earlier = checked_step(b, local(Persisted{WriteNumber{1}}));
    require(earlier.state.writes.durable_index == Index{5} and not earlier.outgoing.apply_through and
                not earlier.outgoing.restore,
            "what an earlier write confirms is gone, and is not applied");
    auto const after = checked_step(earlier.state, from(S1, append_of(Term{4}, snapshot.last, Term{4}, 2, Index{22})));
    require(last_index(after.state) == Index{22}, "entries follow the snapshot at once");
    auto const durable = checked_step(after.state, persisted(after.state));
    require(durable.outgoing.restore == snapshot.last and durable.outgoing.apply_through == Index{22},
            "the machine is restored, and then given 21 and 22");
};
TOTORA_PROVE(a_snapshot_takes_the_place_of_writes_under_way, "7", "case_33");

constexpr auto who_asks_for_votes_follows_who_sends_a_snapshot = [] {
    auto const b = candidate(follower(S2, Term{4}, {}));
    auto const [after, outgoing] = checked_step(b, from(S1, whole(Term{5}, snapshot)));
    require(is_follower(after) and known_leader(after) == S1 and after.voted_for == S2, "a candidate yields");
    auto const a = leader(follower(S2, Term{4}, {}));
    require_nothing_but(Decision::violation_second_leader, a, checked_step(a, from(S1, whole(Term{5}, snapshot))));

    auto const whole_one = receiving(follower(S2, Term{4}, {}), snapshot);
    auto const asks = candidate(step(whole_one, local(Started{})).state);
    auto const installed = checked_step(asks, local(received(snapshot)));
    require(is_follower(installed.state) and installed.outgoing.messages.empty(),
            "one that installs asks no more, and answers nobody");
    require(installed.state.voted_for == S2 and installed.state.current_term == asks.current_term, "its vote stays");
    auto const leads = leader(whole_one);
    require(not leads.reception.is_under_way(), "a leader needs no snapshot");
    require_nothing_but(Decision::snapshot_unexpected, leads, checked_step(leads, local(received(snapshot))));
};
TOTORA_PROVE(who_asks_for_votes_follows_who_sends_a_snapshot, "7", "case_5");

constexpr auto chunks_are_stored_in_order = [] {
    auto const empty = follower(S2, Term{4}, {});
    auto const first = checked_step(empty, from(S1, chunk_of(Term{4}, snapshot, 0, 4)));
    require(first.outgoing.store_chunk == StoreChunk{snapshot, 0, 4}, "the first");
    require(first.outgoing.messages == just(S1, answer_about(Term{4}, snapshot, 4)), "4 is next, at once");
    for (auto const& [offset, bytes] : {std::pair{0U, 4U}, {6U, 4U}, {3U, 4U}, {4U, 0U}, {10U, 0U}}) {
        auto const other = checked_step(first.state, from(S1, chunk_of(Term{4}, snapshot, offset, bytes)));
        require(noted(other.outgoing, Decision::chunk_out_of_order) and not other.outgoing.store_chunk,
                "a repeated one, a later one, one that overlaps, and a question are not");
        require(other.outgoing.messages == just(S1, answer_about(Term{4}, snapshot, 4)), "and are answered with 4");
    }
    auto full = first.state;
    full = step(full, local(RoomChanged{LogRoom::reserve_only})).state;
    auto const dropped = checked_step(full, from(S1, chunk_of(Term{4}, snapshot, 4, 4)));
    require(noted(dropped.outgoing, Decision::chunk_refused_no_room) and dropped.outgoing.messages.empty() and
                dropped.state.reception == full.reception,
            "what has no room is dropped");
};
TOTORA_PROVE(chunks_are_stored_in_order, "7", "case_29");

constexpr auto a_damaged_snapshot_is_received_again = [] {
    auto const b = receiving(follower(S2, Term{4}, {}), snapshot);
    auto const [after, outgoing] = checked_step(b, local(SnapshotDamaged{snapshot}));
    require(after.reception.snapshot == snapshot and after.reception.received == 0, "from its beginning");
    require(outgoing.messages == just(S1, answer_about(Term{4}, snapshot, 0)), "which the leader is asked for");
    require_nothing_but(Decision::snapshot_unexpected, after, checked_step(after, local(received(snapshot))));
    auto const other = snapshot_at(Term{3}, Index{20}, 10, 8);
    require_nothing_but(Decision::snapshot_unexpected, b, checked_step(b, local(SnapshotDamaged{other})));
    require_nothing_but(Decision::snapshot_unexpected, b, checked_step(b, local(received(other))));

    auto unsound = received(snapshot);
    unsound.configurations.in_force.index = Index{21};
    require(checked_step(b, local(unsound)).state == after, "a configuration that lies after it is damage too");
    unsound.configurations = {cluster(3), Configuration{}};
    require(checked_step(b, local(unsound)).state == after, "and one without members");
};
TOTORA_PROVE(a_damaged_snapshot_is_received_again, "7", "case_30");

constexpr auto no_correct_leader_sends_such_a_chunk = [] {
    auto const b = applied(follower(S2, Term{4}, {{Term{2}, Index{1}, 30}}), Index{20});
    auto const changes_nothing = [&](InstallSnapshot const& chunk, Decision violation) {
        require_nothing_but(violation, b, checked_step(b, from(S1, chunk)));
    };
    using enum Decision;
    changes_nothing(chunk_of(Term{4}, snapshot_at(Term{2}, Index{40}), 8, 3), violation_number);
    changes_nothing(chunk_of(Term{4}, snapshot_at(Term{2}, Index{40}), 11, 0), violation_number);
    changes_nothing(chunk_of(Term{4}, snapshot_at(Term{2}, Index{40}, 0), 0, 0), violation_number);
    changes_nothing(chunk_of(Term{4}, snapshot_at(Term{}, Index{40}), 0, 1), violation_number);
    changes_nothing(chunk_of(Term{4}, snapshot_at(Term{}, Index{}), 0, 1), violation_number);
    changes_nothing(chunk_of(Term{4}, snapshot_at(Term{5}, Index{40}), 0, 1), violation_shape);
    changes_nothing(whole(Term{4}, snapshot), violation_conflict_committed);
};
TOTORA_PROVE(no_correct_leader_sends_such_a_chunk, "7", "case_44");

/// A leader of term 5, whose log begins after 10/3, that has sent S2 a byte of this snapshot.
constexpr auto base = snapshot_at(Term{3}, Index{10}, 2);
constexpr auto a_sender = [] {
    return sending(applied(compacted(follower(S1, Term{4}, {{Term{3}, Index{1}, 20}}), Index{10}), Index{15}), base);
};

constexpr auto a_chunk_leaves_with_the_term_of_now = [] {
    auto const a = a_sender();
    auto const [after, outgoing] = checked_step(a, local(ChunkReady{S2, base, 1, 1}));
    require(outgoing.messages == just(S2, chunk_of(Term{5}, base, 1, 1)), "it promises nothing");
    for (auto const& unwanted : {ChunkReady{S3, base, 0, 1}, ChunkReady{S5, base, 0, 1}, ChunkReady{S2, base, 1, 2},
                                 ChunkReady{S2, base, 1, 0}, ChunkReady{S2, snapshot_at(Term{3}, Index{9}, 2), 0, 1},
                                 ChunkReady{S2, snapshot_at(Term{2}, Index{11}, 2), 0, 1},
                                 ChunkReady{S2, snapshot_at(Term{3}, Index{16}, 2), 0, 1}})
        require_nothing_but(Decision::chunk_unwanted, a, checked_step(a, local(unwanted)));
    auto const newer = snapshot_at(Term{3}, Index{15}, 2);
    auto const other = checked_step(a, local(ChunkReady{S2, newer, 0, 1}));
    require(noted(other.outgoing, Decision::transfer_restarted) and sent_snapshot(other.state, S2)->snapshot == newer,
            "a newer one takes its place");
    require_nothing_but(Decision::chunk_unwanted, other.state,
                        checked_step(other.state, local(ChunkReady{S2, base, 1, 1})));
    auto const full = step(a, local(LinkChanged{S2, Link::full})).state;
    require_nothing_but(Decision::chunk_unwanted, full, checked_step(full, local(ChunkReady{S2, base, 1, 1})));
    auto const open = checked_step(full, local(LinkChanged{S2, Link::open}));
    require(open.outgoing.chunks_wanted == std::vector<ChunkWanted>{{S2, Index{10}, base, 0}}, "until it is open");
};
TOTORA_PROVE(a_chunk_leaves_with_the_term_of_now, "7", "case_30");

constexpr auto answers_move_a_transfer_on_and_end_it = [] {
    auto const a = a_sender();
    auto const one = checked_step(a, from(S2, answer_about(Term{5}, base, 1)));
    require(one.outgoing.chunks_wanted == std::vector<ChunkWanted>{{S2, Index{10}, base, 1}},
            "the second byte is next");
    auto const lost = checked_step(one.state, from(S2, answer_about(Term{5}, base, 0)));
    require(sent_snapshot(lost.state, S2)->received == 0, "or the first again, if they are lost");
    auto const other = checked_step(one.state, from(S2, answer_about(Term{5}, snapshot, 5)));
    require(sent_snapshot(other.state, S2)->received == 1 and other.outgoing.chunks_wanted.empty(),
            "an answer about another one is none about this");
    auto const all = checked_step(one.state, from(S2, answer_about(Term{5}, base, 2)));
    require(all.outgoing.chunks_wanted.empty() and sent_snapshot(all.state, S2), "it is verified and installed there");

    auto const done = checked_step(all.state, from(S2, answer_about(Term{5}, base, 2, Index{10})));
    require(is_probing(done.state, S2) and progress_of(done.state, S2).match == Index{10}, "10 matches");
    require(sent<AppendEntries>(done.outgoing, S2).at(0).previous == LogPosition{Term{3}, Index{10}}, "11 is next");
    auto const more = checked_step(a, from(S2, answer_about(Term{5}, base, 2, Index{17})));
    require(is_probing(more.state, S2) and progress_of(more.state, S2).next >= Index{18},
            "a follower that has more is sent what follows that");
    auto const absurd = checked_step(a, from(S2, answer_about(Term{5}, base, 2, Index{22})));
    require_nothing_but(Decision::violation_never_sent, a, absurd);
    require_nothing_but(Decision::violation_shape, a, checked_step(a, from(S2, answer_about(Term{5}, base, 3))));
};
TOTORA_PROVE(answers_move_a_transfer_on_and_end_it, "7", "case_28");

constexpr auto an_unanswered_chunk_is_asked_about = [] {
    auto       a = a_sender();
    auto const first = checked_step(a, ring(a, Alarm::heartbeat));
    a = first.state;
    auto const [after, outgoing] = checked_step(a, ring(a, Alarm::heartbeat));
    require(sent<InstallSnapshot>(outgoing, S2) == std::vector<InstallSnapshot>{chunk_of(Term{5}, base, 0, 0)},
            "a question is a chunk without bytes");
    auto const answered = checked_step(after, from(S2, answer_about(Term{5}, base, 1)));
    auto const next = checked_step(answered.state, ring(answered.state, Alarm::heartbeat));
    require(sent<InstallSnapshot>(next.outgoing, S2).empty(), "what is answered is not");
};
TOTORA_PROVE(an_unanswered_chunk_is_asked_about, "7", "case_29");

constexpr auto who_installs_a_snapshot_does_not_stall = [] {
    auto a = a_sender();
    a = step(a, from(S2, answer_about(Term{5}, base, 1))).state;
    a = step(a, ring(a, Alarm::quorum_check)).state;
    a = step(a, from(S2, test::accepted(Term{5}, Index{}, 0))).state;
    require(stalls(a, progress_of(a, S2)), "one whose next byte does not come through does");
    a = step(a, from(S2, answer_about(Term{5}, base, 2))).state;
    a = step(a, ring(a, Alarm::quorum_check)).state;
    a = step(a, from(S2, test::accepted(Term{5}, Index{}, 0))).state;
    require(not stalls(a, progress_of(a, S2)), "one that has all of it installs it");
};
TOTORA_PROVE(who_installs_a_snapshot_does_not_stall, "7", "case_94", "case_103");

} // namespace
} // namespace totora::test::snapshots_tests
