// SPDX-License-Identifier: BSL-1.0
// A state machine that keeps itself: the log is compacted by what it has durably, and files are made only for followers.
#include "support/snapshot/snapshot_bytes.hpp"
#include "support/stage.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace totora::test::durable_machine_tests
{
namespace
{

using boost::unit_test::label;
using Commands = std::vector<std::string>;
using DurableStage = StageOf<DurableRecorder>;

/// The log is compacted by hand, and nothing that may go stays.
[[nodiscard]] NodeSettings by_hand()
{
    auto settings = NodeSettings{};
    settings.snapshots.automatic = false;
    settings.snapshots.trailing_entries = 0;
    settings.snapshots.chunk_bytes = 64;
    settings.snapshots.chunks_in_flight = 1;
    return settings;
}

void commit(DurableStage& stage, Commands const& commands)
{
    for (auto const& command : commands)
        static_cast<void>(stage.propose(command));
    stage.run();
    stage.accept_all(S2);
}

void compact(DurableStage& stage)
{
    stage.node->take_snapshot();
    stage.run();
}

/// S3 is asked for its last entry, and refuses: what it needs is compacted.
void refuse(DurableStage& stage, ServerId follower)
{
    auto const probe = progress_of(stage.node->state(), follower).next.value - 1;
    stage.receive(follower, refused(stage.term(), Index{probe}, {}, stage.sent_to(follower).value));
}

/// A leader whose log begins after entry 4, which has no file, and a follower S3 that needs one.
void fall_behind(DurableStage& stage)
{
    stage.lead_with_follower();
    commit(stage, {"reed", "rush", "sedge"});
    compact(stage);
    stage.restart();
    stage.lead_with_follower();
    stage.wire.sent.clear();
    refuse(stage, S3);
}

[[nodiscard]] std::vector<InstallSnapshot> chunks_to(DurableStage const& stage, ServerId follower)
{
    auto chunks = stage.messages_to<InstallSnapshot>(follower);
    std::erase_if(chunks, [](InstallSnapshot const& one) { return one.bytes == 0; });
    return chunks;
}

void answer(DurableStage& stage, SnapshotId const& snapshot, std::uint64_t next, Index match = {})
{
    stage.wire.sent.clear();
    stage.receive(S3, InstallSnapshotResponse{stage.term(), snapshot, next, match});
}

/// S3 receives everything that is sent, until it has all of the snapshot.
void receive_rest(DurableStage& stage, SnapshotId const& snapshot)
{
    auto offset = std::uint64_t{0};
    for (auto chunks = chunks_to(stage, S3); offset < snapshot.bytes; chunks = chunks_to(stage, S3)) {
        BOOST_REQUIRE(chunks.size() == 1U);
        offset = chunks[0].offset + chunks[0].bytes;
        if (offset < snapshot.bytes)
            answer(stage, snapshot, offset);
    }
    answer(stage, snapshot, snapshot.bytes, snapshot.last.index);
}

void expect_failed(DurableStage const& stage, std::string_view what)
{
    auto const status = stage.status();
    BOOST_REQUIRE(status.failed.has_value());
    BOOST_TEST((status.failed->why == NodeFailure::untrusted_machine));
    BOOST_TEST(status.failed->what.find(what) != std::string::npos, status.failed->what);
}

void expect_refused(DurableStage const& stage, std::string_view what)
{
    BOOST_REQUIRE(not stage.started.has_value());
    BOOST_TEST(stage.started.error().what.find(what) != std::string::npos, stage.started.error().what);
}

BOOST_AUTO_TEST_CASE(a_log_is_compacted_up_to_what_its_machine_has_durably_without_a_snapshot, *label("7"))
{
    auto stage = DurableStage{3, by_hand()};
    stage.lead_with_follower();
    commit(stage, {"reed"});
    stage.machine.holds_back = true;
    commit(stage, {"rush", "sedge"});

    compact(stage);
    BOOST_TEST((stage.status().applied == Index{4}));
    BOOST_TEST((stage.status().base == Index{2}));

    compact(stage);
    BOOST_TEST((stage.status().base == Index{2})); // There is nothing new yet; it is remembered.
    stage.machine.flush();
    stage.run();
    BOOST_TEST((stage.status().base == Index{4}));
    BOOST_TEST(stage.machine.captures == 0);
    BOOST_TEST(stage.log.snapshots().empty());
}

BOOST_AUTO_TEST_CASE(a_log_is_compacted_when_its_machine_has_enough_more, *label("7"))
{
    auto settings = by_hand();
    settings.snapshots.automatic = true;
    settings.snapshots.log_bytes_min = 400;
    settings.snapshots.trailing_entries = 2;
    auto stage = DurableStage{3, settings};
    stage.lead_with_follower();
    stage.machine.holds_back = true;
    for (auto count = 0; count < 14; ++count)
        commit(stage, {"reed"});
    stage.pass_ms(50);
    BOOST_TEST((stage.status().base == Index{}));

    stage.machine.flush();
    stage.pass_ms(50);
    BOOST_TEST((stage.status().base == Index{13})); // Of 15; and as long as no more is there, no other.
    stage.machine.holds_back = false;
    commit(stage, {"rush"});
    BOOST_TEST((stage.status().base == Index{13}));
}

BOOST_AUTO_TEST_CASE(a_server_starts_with_what_its_machine_kept, *label("7"))
{
    auto stage = DurableStage{3, by_hand()};
    stage.lead_with_follower();
    commit(stage, {"reed", "rush"});
    compact(stage);
    stage.machine.holds_back = true;
    commit(stage, {"sedge"});

    stage.crash();

    BOOST_REQUIRE(stage.started.has_value());
    BOOST_TEST((stage.status().applied == Index{3}));
    BOOST_TEST((stage.status().base == Index{3}));
    BOOST_TEST(stage.machine.restores == 0);
    stage.lead_with_follower();
    BOOST_TEST(stage.machine.commands() == (Commands{"reed", "rush", "sedge"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_machine_that_keeps_itself_is_believed_no_more_than_can_be, *label("case_68"))
{
    auto stage = DurableStage{3, by_hand()};
    stage.lead_with_follower();
    commit(stage, {"reed"});
    stage.machine.lies_about_durable = Index{9};
    stage.run();
    expect_failed(stage, "keeps entry 9, and was given entries up to 2");

    auto other = DurableStage{3, by_hand()};
    other.lead_with_follower();
    commit(other, {"reed"});
    other.run();
    other.machine.lies_about_durable = Index{1};
    other.run();
    expect_failed(other, "keeps entry 2, and now only entry 1");
}

BOOST_AUTO_TEST_CASE(a_machine_that_lost_what_is_compacted_keeps_a_server_from_starting, *label("case_68"))
{
    auto stage = DurableStage{3, by_hand()};
    stage.lead_with_follower();
    commit(stage, {"reed", "rush"});
    compact(stage);
    stage.machine.disk.pop_back();

    stage.restart();

    expect_refused(stage, "entries up to 2, but the log begins after entry 3");
}

BOOST_AUTO_TEST_CASE(a_log_that_lost_what_its_machine_has_keeps_a_server_from_starting, *label("case_68"))
{
    auto stage = DurableStage{3, by_hand()};
    stage.lead_with_follower();
    commit(stage, {"reed"});
    stage.machine.disk.push_back({{Term{1}, Index{7}}, "rush"});

    stage.restart();

    expect_refused(stage, "entries up to 7, but the log ends at entry 2");
}

// --- A follower that needs a snapshot

BOOST_AUTO_TEST_CASE(a_capture_is_made_when_a_follower_needs_one_and_goes_when_none_does, *label("7"))
{
    auto stage = DurableStage{3, by_hand()};
    fall_behind(stage);
    BOOST_TEST(stage.machine.captures == 1);
    BOOST_REQUIRE(stage.log.snapshots().size() == 1U);
    auto const id = stage.log.snapshots()[0].id;
    BOOST_TEST((id.last.index == Index{5}));

    stage.pass_ms(50);
    stage.pass_ms(50); // It is asked again with a heartbeat.
    receive_rest(stage, id);

    BOOST_TEST((stage.status().followers[1].match == Index{5}));
    BOOST_TEST(stage.machine.captures == 1);
    BOOST_TEST(stage.log.snapshots().empty());
}

BOOST_AUTO_TEST_CASE(a_node_rests_while_a_capture_becomes_durable, *label("7"))
{
    auto stage = DurableStage{3, by_hand()};
    stage.log.memory.kept_snapshots().hold();
    fall_behind(stage); // It comes to rest.
    BOOST_TEST(stage.machine.captures == 1);
    BOOST_TEST(chunks_to(stage, S3).empty());
    for (auto heartbeats = 0; heartbeats < 4; ++heartbeats) {
        stage.pass_ms(50);
        stage.receive(S3, accepted(stage.term(), {}, 0));
    }
    BOOST_TEST(stage.machine.captures == 1); // One at a time.

    stage.log.memory.kept_snapshots().complete();
    stage.pass_ms(50);
    BOOST_TEST(chunks_to(stage, S3).size() == 1U);
}

/// It may never answer again, and each of them would cost a capture.
BOOST_AUTO_TEST_CASE(no_capture_is_made_for_a_follower_that_does_not_answer, *label("7"))
{
    auto stage = DurableStage{3, by_hand()};
    stage.machine.captures_throw = true;
    fall_behind(stage);
    BOOST_TEST(stage.machine.captures == 1);
    stage.machine.captures_throw = false;
    auto const pass = [&] {
        for (auto heartbeats = 0; heartbeats < 20; ++heartbeats) {
            stage.pass_ms(50);
            stage.accept_all(S2);
        }
    };
    for (auto seconds = 0; seconds < 11; ++seconds)
        pass();
    BOOST_TEST(stage.machine.captures == 1);

    stage.receive(S3, accepted(stage.term(), {}, 0));
    BOOST_TEST(stage.machine.captures == 2);
}

BOOST_AUTO_TEST_CASE(nothing_is_compacted_while_a_capture_is_written, *label("7"))
{
    auto settings = by_hand();
    settings.snapshots.follower_bytes_max = 0;
    settings.snapshots.log_percent_min = 0;
    auto stage = DurableStage{3, settings};
    stage.log.memory.kept_snapshots().hold();
    fall_behind(stage);
    commit(stage, {"cane"});
    compact(stage);
    BOOST_TEST((stage.status().base == Index{4}));

    stage.log.memory.kept_snapshots().complete();
    stage.run();
    stage.pass_ms(50);
    BOOST_TEST((stage.status().base == Index{6}));
}

BOOST_AUTO_TEST_CASE(what_follows_a_file_stays_for_who_waits_for_it_if_it_is_not_too_much, *label("7"))
{
    for (auto const bytes_max : {0U, 1000U}) {
        auto settings = by_hand();
        settings.snapshots.follower_bytes_max = bytes_max;
        settings.snapshots.log_percent_min = 0;
        auto stage = DurableStage{3, settings};
        fall_behind(stage);
        BOOST_TEST(chunks_to(stage, S3).empty());
        commit(stage, {"cane"});
        compact(stage);
        BOOST_TEST((stage.status().base == (bytes_max > 0 ? Index{5} : Index{6})));
        BOOST_TEST(stage.log.snapshots().size() == 1U);

        // One that the log does not go on from is of no use: another takes its place.
        stage.pass_ms(50);
        BOOST_TEST(stage.machine.captures == (bytes_max > 0 ? 1 : 2));
        BOOST_TEST(stage.log.snapshots().size() == 1U);
        BOOST_TEST((stage.log.snapshots()[0].id.last.index >= stage.status().base));
    }
}

/// Otherwise each file would be outrun before it has arrived, if not before it is whole, and the follower would never have one.
BOOST_AUTO_TEST_CASE(what_follows_a_file_stays_while_as_many_bytes_as_it_has_are_written_since_it_is_whole, *label("7"))
{
    auto settings = by_hand();
    settings.snapshots.follower_bytes_max = 0;
    auto stage = DurableStage{3, settings};
    stage.log.memory.kept_snapshots().hold();
    fall_behind(stage);
    for (auto count = 0; count < 20; ++count)
        commit(stage, {"more than the file while it is written"});
    stage.log.memory.kept_snapshots().complete();
    stage.run();
    auto const id = stage.log.snapshots().at(0).id;

    compact(stage);
    commit(stage, {"cane"});
    compact(stage);
    BOOST_TEST((stage.status().base == id.last.index));
    stage.pass_ms(50);
    stage.pass_ms(50); // It is asked again with a heartbeat.
    BOOST_TEST(chunks_to(stage, S3).size() == 1U);

    commit(stage, {std::string(id.bytes, 'r')});
    compact(stage);
    BOOST_TEST((stage.status().base == stage.status().applied));
    stage.pass_ms(50);
    BOOST_TEST(stage.machine.captures == 2);
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_read_is_replaced_after_a_pause, *label("7") * label("case_65"))
{
    auto settings = by_hand();
    settings.snapshots.pause_ms = 1000;
    auto stage = DurableStage{3, settings};
    stage.log.fails_to_read_snapshot = LogError{LogFailure::damaged, "it is withered"};
    fall_behind(stage);
    auto const pass = [&](int heartbeats) {
        for (; heartbeats > 0; --heartbeats) {
            stage.pass_ms(50);
            stage.accept_all(S2);
            stage.receive(S3, accepted(stage.term(), {}, 0));
        }
    };
    pass(10);
    auto const failures = stage.events.of<SnapshotFailed>();
    BOOST_REQUIRE(failures.size() == 1U);
    BOOST_TEST((failures[0].step == SnapshotStep::read));
    BOOST_TEST(stage.log.snapshots().empty());
    BOOST_TEST(stage.machine.captures == 1);

    stage.log.fails_to_read_snapshot.reset();
    pass(20);
    BOOST_TEST(stage.machine.captures == 2);
    BOOST_TEST(chunks_to(stage, S3).size() == 1U);
}

} // namespace
} // namespace totora::test::durable_machine_tests
