// SPDX-License-Identifier: BSL-1.0
// What a node does with snapshots: it takes them, compacts its log by them, begins with them, sends them, and installs them.
#include "support/snapshot/snapshot_bytes.hpp"
#include "support/stage.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace totora::test::snapshots_tests
{
namespace
{

using boost::unit_test::label;
using Commands = std::vector<std::string>;

/// Snapshots are taken by hand, and nothing before them is kept.
[[nodiscard]] NodeSettings by_hand()
{
    auto settings = NodeSettings{};
    settings.snapshots.automatic = false;
    settings.snapshots.trailing_entries = 0;
    settings.snapshots.chunk_bytes = 64;
    settings.snapshots.chunks_in_flight = 1;
    return settings;
}

/// Commits these commands on a leader.
void commit(Stage& stage, Commands const& commands)
{
    for (auto const& command : commands)
        static_cast<void>(stage.propose(command));
    stage.run();
    stage.accept_all(S2);
}

void take_snapshot(Stage& stage)
{
    stage.node->take_snapshot();
    stage.run();
}

/// The leader S2 of term 1 sends the stage all of a snapshot, in chunks of 64 bytes.
void receive_all(Stage& stage, SnapshotBytes const& snapshot, Term term = Term{1})
{
    for (auto offset = std::uint64_t{0}; offset < snapshot.id.bytes; offset += 64) {
        auto const size = std::min<std::uint64_t>(64, snapshot.id.bytes - offset);
        stage.receive_chunk(S2, part_of(term, snapshot, offset, size), std::span{snapshot.bytes}.subspan(offset, size));
    }
}

void expect_failed(Stage const& stage, NodeFailure why, std::string_view what)
{
    auto const status = stage.status();
    BOOST_REQUIRE(status.failed.has_value());
    BOOST_TEST((status.failed->why == why));
    BOOST_TEST(status.failed->what.find(what) != std::string::npos, status.failed->what);
}

auto const received_commands = Commands{"reed", "rush", "sedge", "cane"};

[[nodiscard]] SnapshotBytes received_snapshot() { return snapshot_of({Term{1}, Index{8}}, received_commands); }

BOOST_AUTO_TEST_CASE(a_snapshot_compacts_the_log_when_it_is_durable, *label("7"))
{
    auto stage = Stage{3, by_hand()};
    stage.lead_with_follower();
    commit(stage, {"reed", "rush"});
    stage.log.memory.kept_snapshots().hold();

    take_snapshot(stage);
    BOOST_TEST((stage.status().base == Index{}));
    BOOST_TEST(stage.log.snapshots().empty());
    stage.log.memory.kept_snapshots().complete();
    stage.run();

    auto const status = stage.status();
    BOOST_REQUIRE(status.snapshot.has_value());
    BOOST_TEST((status.snapshot->last == LogPosition{Term{1}, Index{3}}));
    BOOST_TEST((status.base == Index{3}));
    BOOST_TEST((status.last == Index{3}));
    BOOST_TEST(stage.log.bytes(Index{1}, Index{3}) == 0U);
    BOOST_REQUIRE(stage.events.of<SnapshotSaved>().size() == 1U);
    BOOST_TEST((stage.events.of<SnapshotSaved>()[0].snapshot == *status.snapshot));
}

BOOST_AUTO_TEST_CASE(entries_before_a_snapshot_are_kept_for_followers_that_lag, *label("7"))
{
    auto settings = by_hand();
    settings.snapshots.trailing_entries = 2;
    auto stage = Stage{3, settings};
    stage.lead_with_follower();
    commit(stage, {"reed", "rush", "sedge"});

    take_snapshot(stage);

    BOOST_TEST((stage.status().snapshot->last.index == Index{4}));
    BOOST_TEST((stage.status().base == Index{2}));
}

BOOST_AUTO_TEST_CASE(what_a_follower_within_reach_needs_is_kept_if_it_is_not_too_much, *label("7"))
{
    for (auto const bytes_max : {0U, 1000U}) {
        auto settings = by_hand();
        settings.snapshots.follower_bytes_max = bytes_max;
        auto stage = Stage{3, settings};
        stage.lead_with_follower();
        stage.accept_all(S3);
        commit(stage, {"reed", "rush"}); // S3 answers no more than it did.

        take_snapshot(stage);

        BOOST_TEST((stage.status().base == (bytes_max > 0 ? Index{1} : Index{3})));
    }
}

/// Otherwise all of it could wait in memory for a slow disk.
BOOST_AUTO_TEST_CASE(a_snapshot_is_written_no_faster_than_the_log_can, *label("7"))
{
    auto stage = Stage{3, by_hand()};
    stage.lead_with_follower();
    commit(stage, {"reed", "rush"});
    stage.log.backlog = snapshot_backlog_max;
    take_snapshot(stage);
    stage.pass_ms(200);
    BOOST_TEST(stage.machine.captures == 1);
    BOOST_TEST(stage.log.snapshots().empty());

    stage.log.backlog = snapshot_backlog_max - 1;
    stage.run();

    BOOST_TEST(stage.log.snapshots().size() == 1U);
    BOOST_TEST((stage.status().base == Index{3}));
}

BOOST_AUTO_TEST_CASE(chunks_that_come_faster_than_the_log_can_write_are_lost, *label("7") * label("case_90"))
{
    auto       stage = Stage{3, by_hand()};
    auto const snapshot = received_snapshot();
    stage.log.backlog = snapshot_backlog_max;
    stage.receive_chunk(S2, part_of(Term{1}, snapshot, 0, 64), std::span{snapshot.bytes}.first(64));
    BOOST_TEST(not stage.status().reception.has_value());
    BOOST_TEST(stage.messages_to<InstallSnapshotResponse>(S2).empty());

    stage.log.backlog = 0;
    receive_all(stage, snapshot);

    BOOST_TEST((stage.status().base == snapshot.id.last.index));
}

BOOST_AUTO_TEST_CASE(nothing_is_taken_where_nothing_is_new, *label("7"))
{
    auto stage = Stage{3, by_hand()};
    stage.lead_with_follower();
    commit(stage, {"reed"});
    take_snapshot(stage);
    take_snapshot(stage);
    BOOST_TEST(stage.machine.captures == 1);

    commit(stage, {"rush"});
    BOOST_TEST(stage.machine.captures == 1); // It was asked for when there was one of that state.
    take_snapshot(stage);
    BOOST_TEST(stage.machine.captures == 2);
    BOOST_TEST(stage.log.snapshots().size() == 1U); // The older one reaches back to nothing in the log.
}

BOOST_AUTO_TEST_CASE(a_snapshot_is_taken_when_enough_was_applied, *label("7"))
{
    auto settings = by_hand();
    settings.snapshots.automatic = true;
    settings.snapshots.log_bytes_min = 400;
    auto stage = Stage{3, settings};
    stage.lead_with_follower();
    for (auto count = 0; count < 7; ++count)
        commit(stage, {"reed"});
    BOOST_TEST(stage.machine.captures == 0);
    for (auto count = 0; count < 7; ++count)
        commit(stage, {"rush"});
    stage.pass_ms(50);
    BOOST_TEST(stage.machine.captures == 1);
    BOOST_TEST((stage.status().base > Index{}));
}

BOOST_AUTO_TEST_CASE(a_large_capture_is_written_in_parts_between_which_the_node_goes_on, *label("7"))
{
    auto stage = Stage{3, by_hand()};
    stage.machine.part_size = 1;
    stage.lead_with_follower();
    commit(stage, {"reed", "rush", "sedge"});
    stage.node->take_snapshot();

    auto turns = 0;
    for (; stage.log.snapshots().empty() and turns < 100; ++turns) {
        if (turns == 2)
            stage.receive(S2, heartbeat_of(Term{1}, {})); // Nothing is in the way of messages.
        static_cast<void>(stage.node->turn());
    }
    stage.run();

    BOOST_TEST((stage.status().base == Index{4}));
    stage.restart();
    BOOST_TEST(stage.machine.commands() == (Commands{"reed", "rush", "sedge"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_start_restores_the_newest_snapshot_and_applies_what_follows, *label("7") * label("case_31"))
{
    auto by_log = Stage{3, by_hand()};
    by_log.lead_with_follower();
    commit(by_log, {"reed", "rush", "sedge"});

    auto stage = Stage{3, by_hand()};
    stage.lead_with_follower();
    commit(stage, {"reed"});
    take_snapshot(stage);
    commit(stage, {"rush"});
    take_snapshot(stage);
    commit(stage, {"sedge"});
    auto const captured = stage.status();
    stage.machine.calls = 0;

    stage.restart();
    BOOST_REQUIRE(stage.started.has_value());
    BOOST_TEST(stage.machine.restores == 1);
    BOOST_TEST((stage.status().applied == Index{3}));
    BOOST_TEST((stage.status().base == captured.base));
    BOOST_REQUIRE(stage.events.of<MachineRestored>().size() == 1U);
    stage.lead_with_follower();

    BOOST_TEST((stage.machine.applied == by_log.machine.applied)); // By log = by snapshot.
    BOOST_TEST((stage.node->state().configurations.in_force == cluster(3)));
}

/// Servers have forgotten the one before at different times; their snapshots up to one entry must not differ for that.
BOOST_AUTO_TEST_CASE(a_snapshot_names_the_configuration_in_force_alone, *label("7") * label("case_31"))
{
    auto stage = Stage{3, by_hand()};
    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 1), configuration_entry(Term{1}, Index{1}, {1, 2, 3, 4}));
    stage.receive(S2, append_of(Term{1}, {Term{1}, Index{1}}, Term{1}, 1, Index{2}),
                  command_entry(Term{1}, Index{2}, "reed"));
    BOOST_TEST((stage.node->state().configurations.previous == cluster(3)));

    take_snapshot(stage);

    BOOST_REQUIRE(stage.log.memory.snapshots().size() == 1U);
    auto const& named = stage.log.memory.snapshots().front().configurations;
    BOOST_TEST((named.in_force == stage.node->state().configurations.in_force));
    BOOST_TEST((named.previous == named.in_force));
}

BOOST_AUTO_TEST_CASE(a_machine_that_keeps_its_state_is_not_set_back_by_a_snapshot, *label("7"))
{
    auto stage = Stage{3, by_hand()};
    stage.machine.keeps = true;
    stage.lead_with_follower();
    commit(stage, {"reed"});
    take_snapshot(stage);
    commit(stage, {"rush"});

    stage.restart();

    BOOST_TEST(stage.machine.restores == 0);
    BOOST_TEST((stage.status().applied == Index{3}));
}

BOOST_AUTO_TEST_CASE(a_snapshot_that_the_machine_does_not_read_keeps_a_server_from_starting, *label("7"))
{
    auto stage = Stage{3, by_hand()};
    stage.lead_with_follower();
    commit(stage, {"reed"});
    take_snapshot(stage);
    stage.machine.format = 2;

    stage.restart();
    BOOST_REQUIRE(not stage.started.has_value());
    BOOST_TEST(stage.started.error().what.find("it is of format 1") != std::string::npos, stage.started.error().what);
    BOOST_TEST(not stage.started.error().machine_threw);
    stage.machine.format = 1;
    stage.machine.restores_throw = true;
    stage.restart();
    BOOST_REQUIRE(not stage.started.has_value());
    BOOST_TEST(stage.started.error().what.find("withered") != std::string::npos, stage.started.error().what);
    BOOST_TEST(stage.started.error().machine_threw);
}

BOOST_AUTO_TEST_CASE(an_older_snapshot_does_where_the_newest_is_damaged_and_the_log_reaches_back, *label("case_68"))
{
    for (auto const trailing : {0U, 10U}) {
        auto settings = by_hand();
        settings.snapshots.trailing_entries = trailing;
        auto stage = Stage{3, settings};
        stage.lead_with_follower();
        commit(stage, {"reed", "rush"});
        take_snapshot(stage);
        commit(stage, {"sedge"});
        take_snapshot(stage);
        auto const newest = *stage.status().snapshot;
        stage.log.memory.kept_snapshots().damage(newest, newest.bytes - 6);

        stage.restart();

        BOOST_TEST(stage.started.has_value() == (trailing > 0));
        if (trailing == 0) {
            auto const& what = stage.started.error().what;
            BOOST_TEST(what.find("no snapshot") != std::string::npos, what);
            BOOST_TEST(what.find("up to entry 4 (term 1) cannot be read back: it is damaged") != std::string::npos,
                       what);
        } else {
            BOOST_TEST((stage.status().applied == Index{3}));
            BOOST_REQUIRE(stage.events.of<SnapshotFailed>().size() == 1U);
            stage.lead_with_follower();
            BOOST_TEST(stage.machine.commands() == (Commands{"reed", "rush", "sedge"}),
                       boost::test_tools::per_element());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_pause_without_end_does_not_end, *label("7"))
{
    auto settings = by_hand();
    settings.snapshots.pause_ms = ~std::uint64_t{0};
    auto stage = Stage{3, settings};
    stage.pass_ms(50);
    stage.lead_with_follower();
    commit(stage, {"reed"});
    stage.machine.captures_throw = true;
    take_snapshot(stage);
    stage.pass_ms(50);
    stage.machine.captures_throw = false;
    stage.pass_ms(20'000);

    BOOST_TEST(stage.events.of<SnapshotFailed>().size() == 1U);
    BOOST_TEST((stage.status().base == Index{}));
}

/// It may be whole: neither does an older one, nor is it removed.
BOOST_AUTO_TEST_CASE(a_snapshot_that_cannot_be_read_at_a_start_is_not_taken_for_damaged,
                     *label("case_65") * label("case_68"))
{
    for (auto const failure : {LogFailure::not_now, LogFailure::read_failed}) {
        auto settings = by_hand();
        settings.snapshots.trailing_entries = 10;
        auto stage = Stage{3, settings};
        stage.lead_with_follower();
        commit(stage, {"reed", "rush"});
        take_snapshot(stage);
        commit(stage, {"sedge"});
        take_snapshot(stage);
        stage.log.fails_to_read_snapshot = LogError{failure, "Cannot open it: Too many open files."};

        stage.restart();

        BOOST_REQUIRE(not stage.started.has_value());
        auto const& what = stage.started.error().what;
        BOOST_TEST(
            what.find("up to entry 4 (term 1) cannot be read back: Cannot open it: Too many open files. Nothing was "
                      "removed: start the server again") != std::string::npos,
            what);
        BOOST_TEST(stage.log.snapshots().size() == 2U);
        stage.log.fails_to_read_snapshot.reset();
        stage.restart();
        BOOST_REQUIRE(stage.started.has_value());
        BOOST_TEST((stage.status().applied == Index{4}));
        BOOST_TEST(stage.machine.restores == 1);
    }
}

BOOST_AUTO_TEST_CASE(an_attempt_that_fails_is_named_and_made_again_after_a_pause, *label("7"))
{
    auto const fails = [](auto fail, auto mend, SnapshotStep step) {
        auto stage = Stage{3, by_hand()};
        stage.lead_with_follower();
        commit(stage, {"reed"});
        fail(stage);
        take_snapshot(stage);

        BOOST_TEST(stage.status().running);
        BOOST_TEST((stage.status().base == Index{}));
        auto const failures = stage.events.of<SnapshotFailed>();
        BOOST_REQUIRE(failures.size() == 1U);
        BOOST_TEST((failures[0].step == step));
        stage.pass_ms(50);
        BOOST_TEST(stage.events.of<SnapshotFailed>().size() == 1U);

        mend(stage);
        stage.pass_ms(10'000);
        BOOST_TEST((stage.status().base == Index{2}));
    };
    fails([](Stage& stage) { stage.machine.captures_throw = true; },
          [](Stage& stage) { stage.machine.captures_throw = false; }, SnapshotStep::capture);
    fails([](Stage& stage) { stage.machine.writes_throw = true; },
          [](Stage& stage) { stage.machine.writes_throw = false; }, SnapshotStep::write);
    fails([](Stage& stage) { stage.log.memory.kept_snapshots().fail_next(); }, [](Stage&) {}, SnapshotStep::write);
}

// --- Sending

/// S2 is behind what the leader has compacted, and has shown it.
void fall_behind(Stage& stage)
{
    stage.lead_with_follower();
    commit(stage, {"reed", "rush", "sedge"});
    stage.accept_all(S3);
    take_snapshot(stage);
    stage.restart();
    stage.lead();
    stage.wire.sent.clear();
    auto const newest = stage.sent_to(S2).value;
    stage.receive(S2, refused(stage.term(), Index{progress_of(stage.node->state(), S2).next.value - 1}, {}, newest));
}

/// The chunks that were sent to a follower since the wire was last emptied.
[[nodiscard]] std::vector<Wire::Sent> chunks_to(Stage const& stage, ServerId follower)
{
    auto found = std::vector<Wire::Sent>{};
    for (auto const& one : stage.wire.sent)
        if (auto const* chunk = std::get_if<InstallSnapshot>(&one.rpc);
            chunk != nullptr and one.to == follower and chunk->bytes > 0)
            found.push_back(one);
    return found;
}
[[nodiscard]] std::vector<Wire::Sent> chunks_to_s2(Stage const& stage) { return chunks_to(stage, S2); }

BOOST_AUTO_TEST_CASE(a_follower_that_needs_what_is_compacted_is_sent_a_snapshot_in_chunks,
                     *label("7") * label("case_29"))
{
    auto stage = Stage{3, by_hand()};
    fall_behind(stage);
    auto const snapshot = *stage.status().snapshot;

    auto received = std::vector<std::byte>{};
    for (auto chunks = chunks_to_s2(stage); received.size() < snapshot.bytes; chunks = chunks_to_s2(stage)) {
        BOOST_REQUIRE(chunks.size() == 1U); // One is on its way at a time.
        auto const& rpc = std::get<InstallSnapshot>(chunks[0].rpc);
        BOOST_TEST((rpc.snapshot == snapshot));
        BOOST_TEST(rpc.offset == received.size());
        BOOST_TEST(rpc.bytes == chunks[0].chunk.size());
        BOOST_TEST(rpc.bytes <= 64U);
        received.insert(received.end(), chunks[0].chunk.begin(), chunks[0].chunk.end());
        BOOST_TEST(stage.status().followers[0].transfer->snapshot.bytes == snapshot.bytes);
        stage.wire.sent.clear();
        stage.receive(S2, InstallSnapshotResponse{stage.term(), snapshot, received.size(), {}});
        BOOST_TEST(stage.status().followers[0].transfer->bytes == received.size());
    }
    auto const kept = stage.log.read_snapshot(snapshot, 0, snapshot.bytes)->bytes;
    BOOST_TEST((received == std::vector(kept.begin(), kept.end())));

    stage.receive(S2, InstallSnapshotResponse{stage.term(), snapshot, snapshot.bytes, snapshot.last.index});
    BOOST_TEST(not stage.status().followers[0].transfer.has_value());
    BOOST_TEST((stage.status().followers[0].match == snapshot.last.index));
}

/// S2 is sent all of a snapshot, and its checksum is wrong.
void send_in_vain(Stage& stage, SnapshotId const& snapshot)
{
    for (auto offset = std::uint64_t{64}; offset < snapshot.bytes + 64; offset += 64)
        stage.receive(S2, InstallSnapshotResponse{stage.term(), snapshot, std::min(offset, snapshot.bytes), {}});
    stage.wire.sent.clear();
    stage.receive(S2, InstallSnapshotResponse{stage.term(), snapshot, 0, {}});
}

/// Otherwise the same bytes would be sent and refused until somebody scrubs them.
BOOST_AUTO_TEST_CASE(a_snapshot_that_was_damaged_on_disk_is_found_by_its_receiver_and_replaced,
                     *label("7") * label("case_65") * label("case_106"))
{
    auto settings = by_hand();
    settings.snapshots.pause_ms = 1000;
    auto stage = Stage{3, settings};
    fall_behind(stage);
    stage.accept_all(S3);
    auto const damaged = *stage.status().snapshot;
    stage.log.memory.kept_snapshots().damage(damaged, damaged.bytes / 2);

    send_in_vain(stage, damaged);

    BOOST_TEST(chunks_to_s2(stage).empty());
    auto const failures = stage.events.of<SnapshotFailed>();
    BOOST_REQUIRE(failures.size() == 1U);
    BOOST_TEST((failures[0].step == SnapshotStep::read));
    BOOST_TEST(failures[0].what.find("up to entry 4 (term 1) cannot be sent: it is damaged") != std::string::npos,
               failures[0].what);
    BOOST_TEST(stage.log.snapshots().empty());
    for (auto heartbeats = 0; heartbeats < 25; ++heartbeats) {
        stage.pass_ms(50);
        stage.accept_all(S3);
        stage.receive(S2, InstallSnapshotResponse{stage.term(), damaged, 0, {}});
    }
    BOOST_REQUIRE(stage.log.snapshots().size() == 1U);
    auto const chunks = chunks_to_s2(stage);
    BOOST_REQUIRE(not chunks.empty());
    BOOST_TEST((std::get<InstallSnapshot>(chunks[0].rpc).snapshot == stage.log.snapshots()[0].id));
    BOOST_TEST(stage.events.of<SnapshotFailed>().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_snapshot_that_is_as_it_was_written_is_sent_again_to_who_refused_it,
                     *label("7") * label("case_106"))
{
    auto stage = Stage{3, by_hand()};
    fall_behind(stage);
    auto const snapshot = *stage.status().snapshot;

    send_in_vain(stage, snapshot);

    auto const chunks = chunks_to_s2(stage);
    BOOST_REQUIRE(chunks.size() == 1U);
    BOOST_TEST(std::get<InstallSnapshot>(chunks[0].rpc).offset == 0U);
    BOOST_TEST(stage.events.of<SnapshotFailed>().empty());
    BOOST_TEST(stage.log.snapshots().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_bounded_number_of_chunks_is_on_its_way_to_a_follower, *label("7"))
{
    auto settings = by_hand();
    settings.snapshots.chunk_bytes = 16;
    settings.snapshots.chunks_in_flight = 3;
    auto stage = Stage{3, settings};
    fall_behind(stage);
    auto const snapshot = *stage.status().snapshot;
    BOOST_TEST(chunks_to_s2(stage).size() == 3U);

    stage.receive(S2, InstallSnapshotResponse{stage.term(), snapshot, 16, {}});
    BOOST_TEST(chunks_to_s2(stage).size() == 4U);
    stage.wire.sent.clear();

    // The second one was lost: what follows it was not taken either.
    stage.receive(S2, InstallSnapshotResponse{stage.term(), snapshot, 16, {}});
    BOOST_TEST(chunks_to_s2(stage).empty());
    stage.receive(S2, InstallSnapshotResponse{stage.term(), snapshot, 16, {}});
    auto const again = chunks_to_s2(stage);
    BOOST_REQUIRE(again.size() == 3U);
    BOOST_TEST(std::get<InstallSnapshot>(again[0].rpc).offset == 16U);
}

BOOST_AUTO_TEST_CASE(a_bounded_number_of_followers_is_sent_a_snapshot_at_a_time, *label("7"))
{
    auto settings = by_hand();
    settings.snapshots.transfers_max = 1;
    auto stage = Stage{3, settings};
    fall_behind(stage);
    BOOST_TEST(chunks_to(stage, S2).size() == 1U);
    auto const refuse = [&](ServerId follower) {
        stage.receive(follower, refused(stage.term(), Index{progress_of(stage.node->state(), follower).next.value - 1},
                                        {}, stage.sent_to(follower).value));
    };
    refuse(S3);
    BOOST_TEST(chunks_to(stage, S3).empty());

    // S2 has all of it: its place is free when S3 is asked again.
    auto const snapshot = *stage.status().snapshot;
    stage.receive(S2, InstallSnapshotResponse{stage.term(), snapshot, snapshot.bytes, snapshot.last.index});
    for (auto heartbeats = 0; heartbeats < 3; ++heartbeats)
        stage.pass_ms(50);
    BOOST_TEST(chunks_to(stage, S3).size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_snapshot_before_the_newest_is_kept_if_the_log_reaches_back_to_it, *label("7"))
{
    auto settings = by_hand();
    settings.snapshots.trailing_entries = 100;
    auto stage = Stage{3, settings};
    stage.lead_with_follower();
    commit(stage, {"reed"});
    take_snapshot(stage);
    BOOST_TEST(stage.log.snapshots().size() == 1U);
    commit(stage, {"rush"});
    take_snapshot(stage);
    commit(stage, {"sedge"});
    take_snapshot(stage);
    BOOST_TEST(stage.log.snapshots().size() == 2U); // The newest, and the one before: the log reaches back to it.
}

// --- Receiving

BOOST_AUTO_TEST_CASE(a_received_snapshot_is_installed_file_first_then_boundary_then_machine,
                     *label("7") * label("case_33"))
{
    auto       stage = Stage{3, by_hand()};
    auto const snapshot = received_snapshot();
    stage.receive(S2, heartbeat_of(Term{1}, {}));
    stage.log.memory.kept_snapshots().hold();
    stage.log.memory.hold_syncs();
    stage.wire.sent.clear();

    receive_all(stage, snapshot);
    BOOST_TEST((stage.log.last() == LogPosition{})); // The file is not durable: the log is as it was.
    BOOST_TEST(stage.status().reception->bytes == snapshot.id.bytes);

    stage.log.memory.kept_snapshots().complete();
    stage.run();
    BOOST_TEST((stage.log.last() == snapshot.id.last)); // The boundary is written, and not durable.
    BOOST_TEST(stage.machine.restores == 0);
    auto answers = stage.messages_to<InstallSnapshotResponse>(S2);
    BOOST_TEST((answers.back().match == Index{}));

    stage.log.memory.release_syncs();
    stage.run();
    BOOST_TEST(stage.machine.restores == 1);
    BOOST_TEST(stage.machine.commands() == received_commands, boost::test_tools::per_element());
    auto const status = stage.status();
    BOOST_TEST((status.applied == Index{8}));
    BOOST_TEST((status.base == Index{8}));
    BOOST_TEST((status.commit == Index{8}));
    BOOST_TEST(not status.reception.has_value());
    BOOST_TEST((status.snapshot == snapshot.id));
    answers = stage.messages_to<InstallSnapshotResponse>(S2);
    BOOST_TEST((answers.back().match == Index{8}));

    stage.receive(S2, append_of(Term{1}, snapshot.id.last, Term{1}, 1, Index{9}),
                  command_entry(Term{1}, Index{9}, "totora"));
    BOOST_TEST(stage.machine.commands().back() == "totora");
}

/// Cuts the power when the install has got so far; what was received must be lost, or all of it there.
enum class Phase
{
    chunks,           ///< Some are stored.
    file,             ///< All are; the file is not durable.
    boundary,         ///< It is; the boundary is written, and not durable.
    boundary_durable, ///< It is; the machine was not restored.
};

BOOST_AUTO_TEST_CASE(a_loss_of_power_in_any_phase_of_an_install_leaves_a_server,
                     *label("7") * label("case_33") * label("case_68"))
{
    for (auto const phase : {Phase::chunks, Phase::file, Phase::boundary, Phase::boundary_durable}) {
        BOOST_TEST_CONTEXT("phase " << static_cast<int>(phase))
        {
            auto       stage = Stage{3, by_hand()};
            auto const snapshot = received_snapshot();
            stage.receive(S2, append_of(Term{1}, {}, Term{1}, 1, Index{1}), command_entry(Term{1}, Index{1}, "old"));
            auto& files = stage.log.memory.kept_snapshots();
            if (phase == Phase::chunks)
                stage.receive_chunk(S2, part_of(Term{1}, snapshot, 0, 64), std::span{snapshot.bytes}.first(64));
            if (phase == Phase::file)
                files.hold();
            if (phase >= Phase::boundary)
                stage.log.memory.hold_syncs();
            if (phase != Phase::chunks)
                receive_all(stage, snapshot);
            if (phase == Phase::boundary_durable)
                stage.log.memory.complete_through(WriteNumber{10});
            BOOST_TEST(stage.machine.restores == 0);

            stage.crash();
            files.complete();
            stage.log.memory.release_syncs();

            BOOST_REQUIRE(stage.started.has_value());
            stage.run();
            BOOST_TEST((stage.status().applied == (phase >= Phase::boundary ? Index{8} : Index{})));
            receive_all(stage, snapshot);
            BOOST_TEST((stage.status().applied == Index{8}));
            BOOST_TEST(stage.machine.commands() == received_commands, boost::test_tools::per_element());
            BOOST_TEST((stage.log.last() == snapshot.id.last));
            BOOST_TEST(stage.log.snapshots().size() == 1U);
        }
    }
}

/// The log knows more to be committed than the machine was given, and begins after it before the machine is restored.
BOOST_AUTO_TEST_CASE(a_machine_waits_while_an_install_that_replaces_its_entries_is_not_durable,
                     *label("7") * label("case_33"))
{
    auto       stage = Stage{3, by_hand()};
    auto const snapshot = received_snapshot();
    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 1, Index{1}), command_entry(Term{1}, Index{1}, "old"));
    stage.receive(S2, append_of(Term{1}, {Term{1}, Index{1}}, Term{1}, 1, Index{1}, 2),
                  command_entry(Term{1}, Index{2}, "older"));
    stage.log.memory.hold_syncs();
    receive_all(stage, snapshot);

    stage.crash(); // The file is durable; the boundary is written again, and is not.
    stage.run();

    BOOST_TEST(not stage.status().failed.has_value());
    BOOST_TEST((stage.log.last() == snapshot.id.last));
    BOOST_TEST(not stage.node->turn(), "there is nothing to do until the boundary is durable");
    stage.log.memory.release_syncs();
    stage.run();
    BOOST_TEST((stage.status().applied == Index{8}));
    BOOST_TEST(stage.machine.commands() == received_commands, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_restart_goes_on_with_the_chunks_that_were_received, *label("case_29"))
{
    auto       stage = Stage{3, by_hand()};
    auto const snapshot = received_snapshot();
    stage.receive_chunk(S2, part_of(Term{1}, snapshot, 0, 64), std::span{snapshot.bytes}.first(64));

    stage.restart();

    stage.receive(S2, part_of(Term{1}, snapshot, 0, 0)); // Asks.
    auto const answers = stage.messages_to<InstallSnapshotResponse>(S2);
    BOOST_REQUIRE(not answers.empty());
    BOOST_TEST(answers.back().next == 64U);
}

BOOST_AUTO_TEST_CASE(chunks_that_a_restart_has_no_use_for_are_dropped, *label("case_29") * label("case_107"))
{
    auto       stage = Stage{3, by_hand()};
    auto const snapshot = snapshot_of({Term{1}, Index{1}}, {"reed"});
    stage.receive_chunk(S2, part_of(Term{1}, snapshot, 0, 64), std::span{snapshot.bytes}.first(64));
    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 1, Index{1}), command_entry(Term{1}, Index{1}, "reed"));
    BOOST_TEST(stage.log.reception().received == 64U); // Nothing was received since that would say so.

    stage.restart();
    stage.pass_ms(1);

    BOOST_TEST((stage.log.reception() == SnapshotReception{}));
    BOOST_TEST(stage.status().running);
}

BOOST_AUTO_TEST_CASE(a_snapshot_that_is_not_what_it_was_said_to_be_is_received_again, *label("case_106"))
{
    auto stage = Stage{3, by_hand()};
    auto snapshot = received_snapshot();
    snapshot.bytes[100] ^= std::byte{1};
    receive_all(stage, snapshot);

    BOOST_TEST(stage.status().running);
    BOOST_TEST((stage.status().applied == Index{}));
    BOOST_TEST(stage.events.of<SnapshotFailed>().size() == 1U);
    BOOST_TEST(stage.messages_to<InstallSnapshotResponse>(S2).back().next == 0U);
    receive_all(stage, received_snapshot());
    BOOST_TEST((stage.status().applied == Index{8}));
}

BOOST_AUTO_TEST_CASE(a_snapshot_that_could_not_be_stored_is_received_again_after_a_pause,
                     *label("7") * label("case_90"))
{
    auto       stage = Stage{3, by_hand()};
    auto const snapshot = received_snapshot();
    stage.log.memory.kept_snapshots().fail_next();
    receive_all(stage, snapshot);

    BOOST_TEST(stage.events.of<SnapshotFailed>().size() == 1U);
    stage.wire.sent.clear();
    stage.receive_chunk(S2, part_of(Term{1}, snapshot, 0, 0), {}); // How much it has, asks the leader.
    BOOST_TEST(stage.messages_to<InstallSnapshotResponse>(S2).back().next == snapshot.id.bytes);

    stage.pass_ms(10'000);
    stage.receive_chunk(S2, part_of(Term{1}, snapshot, 0, 0), {});
    BOOST_TEST(stage.messages_to<InstallSnapshotResponse>(S2).back().next == 0U);
    receive_all(stage, snapshot);
    BOOST_TEST((stage.status().applied == Index{8}));
}

/// The rest of it would be sent for nothing.
BOOST_AUTO_TEST_CASE(a_reception_that_fails_on_the_way_is_named_at_once_and_takes_no_more_until_a_pause_ends,
                     *label("7") * label("case_90"))
{
    auto       stage = Stage{3, by_hand()};
    auto const snapshot = received_snapshot();
    auto const receive = [&](std::uint64_t offset, std::uint64_t bytes) {
        stage.wire.sent.clear();
        stage.receive_chunk(S2, part_of(Term{1}, snapshot, offset, bytes),
                            std::span{snapshot.bytes}.subspan(offset, bytes));
        return stage.messages_to<InstallSnapshotResponse>(S2);
    };
    static_cast<void>(receive(0, 64));
    stage.log.ends_early = SnapshotEnd{snapshot.id, true, LogError{LogFailure::no_space, "no space is left"}};
    stage.run();

    BOOST_REQUIRE(stage.events.of<SnapshotFailed>().size() == 1U);
    BOOST_TEST((stage.events.of<SnapshotFailed>()[0].step == SnapshotStep::receive));
    BOOST_TEST(receive(64, 64).empty());
    BOOST_TEST(stage.log.reception().received == 64U);
    BOOST_REQUIRE(receive(64, 0).size() == 1U); // How much it has, asks the leader.
    BOOST_TEST(stage.messages_to<InstallSnapshotResponse>(S2).back().next == 64U);

    stage.pass_ms(10'000);
    BOOST_REQUIRE(receive(64, 0).size() == 1U);
    BOOST_TEST(stage.messages_to<InstallSnapshotResponse>(S2).back().next == 0U);
    receive_all(stage, snapshot);
    BOOST_TEST((stage.status().applied == Index{8}));
    BOOST_TEST(stage.events.of<SnapshotFailed>().size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_received_and_not_needed_any_more_is_removed, *label("case_107"))
{
    auto       stage = Stage{3, by_hand()};
    auto const snapshot = snapshot_of({Term{1}, Index{1}}, {"reed"});
    stage.receive_chunk(S2, part_of(Term{1}, snapshot, 0, 64), std::span{snapshot.bytes}.first(64));
    BOOST_TEST(stage.log.reception().received == 64U);

    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 1, Index{1}), command_entry(Term{1}, Index{1}, "reed"));
    stage.receive_chunk(S2, part_of(Term{1}, snapshot, 64, 8), std::span{snapshot.bytes}.subspan(64, 8));

    BOOST_TEST(stage.log.reception().received == 0U);
    BOOST_TEST(not stage.status().reception.has_value());
}

BOOST_AUTO_TEST_CASE(a_chunk_of_another_length_than_its_message_names_is_dropped, *label("case_93"))
{
    auto       stage = Stage{3, by_hand()};
    auto const snapshot = received_snapshot();
    auto const before = stage.node->state();
    stage.receive_chunk(S2, part_of(Term{1}, snapshot, 0, 64), std::span{snapshot.bytes}.first(63));
    stage.receive(S2, part_of(Term{1}, snapshot, 0, 64));

    BOOST_TEST((stage.node->state() == before));
    BOOST_TEST(stage.status().payload_mismatches == 2U);
}

BOOST_AUTO_TEST_CASE(a_chunk_without_room_is_not_stored, *label("case_90"))
{
    auto       stage = Stage{3, by_hand()};
    auto const snapshot = received_snapshot();
    stage.log.room = 0;
    stage.receive_chunk(S2, part_of(Term{1}, snapshot, 0, 64), std::span{snapshot.bytes}.first(64));
    BOOST_TEST(stage.log.reception().received == 0U);

    stage.log.room.reset();
    stage.pass_ms(50);
    receive_all(stage, snapshot);
    BOOST_TEST((stage.status().applied == Index{8}));
}

BOOST_AUTO_TEST_CASE(a_machine_that_cannot_be_restored_fails_the_node, *label("7"))
{
    auto stage = Stage{3, by_hand()};
    stage.machine.restores_throw = true;
    receive_all(stage, received_snapshot());
    expect_failed(stage, NodeFailure::restore, "the reeds are withered");
    BOOST_TEST(stage.machine.applied.empty());

    auto other = Stage{3, by_hand()};
    receive_all(other, snapshot_of({Term{1}, Index{8}}, received_commands, 7));
    expect_failed(other, NodeFailure::restore, "it is of format 7");
    BOOST_TEST(other.machine.applied.empty());
}

BOOST_AUTO_TEST_CASE(a_proposal_whose_entry_a_snapshot_takes_the_place_of_ends_once, *label("case_67"))
{
    auto stage = Stage{3, by_hand()};
    stage.lead_with_follower();
    auto const lost = stage.propose("lost");
    auto const read = stage.read();
    stage.run();
    receive_all(stage, snapshot_of({Term{2}, Index{8}}, received_commands), Term{2});

    BOOST_TEST((stage.status().applied == Index{8}));
    BOOST_TEST((lost->as<OutcomeUnknown>() != nullptr));
    BOOST_TEST(read->times == 1);
}

} // namespace
} // namespace totora::test::snapshots_tests
