// SPDX-License-Identifier: BSL-1.0
// A snapshot that is installed where the machine keeps itself: the received file is durable, then the boundary of the log, then the machine
// is restored, and the file is kept until the machine has it durably. After a crash in between the server is whole again, or says why not.
#include "support/snapshot/snapshot_bytes.hpp"
#include "support/stage.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace totora::test::durable_machine_install_tests
{
namespace
{

using boost::unit_test::label;
using Commands = std::vector<std::string>;
using DurableStage = StageOf<DurableRecorder>;

auto const received_commands = Commands{"reed", "rush", "sedge", "cane"};

[[nodiscard]] SnapshotBytes received_snapshot() { return snapshot_of({Term{1}, Index{4}}, received_commands); }

/// The leader S2 of term 1 sends all of it.
void receive_all(DurableStage& stage, SnapshotBytes const& snapshot)
{
    stage.receive_chunk(S2, part_of(Term{1}, snapshot, 0, snapshot.id.bytes), snapshot.bytes);
}

/// A received file that is durable, and of which nothing is installed.
void keep_file(DurableStage& stage, SnapshotBytes const& snapshot)
{
    stage.receive(S2, heartbeat_of(Term{1}, {}));
    stage.log.store_chunk(snapshot.id, 0, snapshot.bytes);
    stage.log.finish_chunks(snapshot.id);
}

/// The machine has these commands durably, at the indexes from 1 on.
void give_disk(DurableStage& stage, Commands const& commands)
{
    stage.machine.disk.clear();
    for (auto const& command : commands)
        stage.machine.disk.push_back({{Term{1}, Index{stage.machine.disk.size() + 1}}, command});
}

void expect_refused(DurableStage const& stage, std::string_view what)
{
    BOOST_REQUIRE(not stage.started.has_value());
    BOOST_TEST(stage.started.error().what.find(what) != std::string::npos, stage.started.error().what);
}

BOOST_AUTO_TEST_CASE(a_received_file_is_kept_until_the_machine_has_it_durably, *label("7") * label("case_33"))
{
    auto       stage = DurableStage{};
    auto const snapshot = received_snapshot();
    stage.machine.holds_back = true;
    receive_all(stage, snapshot);
    stage.pass_ms(50);
    BOOST_TEST((stage.status().base == Index{4}));
    BOOST_TEST((stage.status().applied == Index{4}));
    BOOST_TEST(stage.log.snapshots().size() == 1U);

    stage.machine.flush();
    stage.run();
    BOOST_TEST(stage.log.snapshots().empty());
    stage.crash();
    BOOST_REQUIRE(stage.started.has_value());
    BOOST_TEST(stage.machine.commands() == received_commands, boost::test_tools::per_element());
    BOOST_TEST(stage.machine.restores == 1);
}

/// It was checked by other descriptors than those that it is read again by.
BOOST_AUTO_TEST_CASE(a_snapshot_that_cannot_be_read_again_now_is_restored_later, *label("7") * label("case_33"))
{
    auto stage = DurableStage{};
    stage.log.fails_to_read_snapshot = LogError{LogFailure::not_now, "too many open files"};
    stage.log.fails_from = 1;
    receive_all(stage, received_snapshot());
    stage.pass_ms(50);
    BOOST_TEST(not stage.status().failed.has_value());
    BOOST_TEST((stage.status().applied == Index{}));

    stage.log.fails_to_read_snapshot.reset();
    stage.pass_ms(50);
    BOOST_TEST((stage.status().applied == Index{4}));
    BOOST_TEST(stage.machine.commands() == received_commands, boost::test_tools::per_element());
}

/// The power fails when the install has got so far.
enum class Phase
{
    file,             ///< All chunks are stored; the file is not durable.
    boundary,         ///< It is; the boundary is written, and not durable.
    boundary_durable, ///< It is; the machine was not restored.
    restored,         ///< It was, and has nothing of that durably.
    kept,             ///< It has.
};

void crash_in(DurableStage& stage, Phase phase)
{
    auto& files = stage.log.memory.kept_snapshots();
    stage.machine.holds_back = phase <= Phase::restored;
    if (phase == Phase::file)
        files.hold();
    if (phase == Phase::boundary or phase == Phase::boundary_durable)
        stage.log.memory.hold_syncs();
    receive_all(stage, received_snapshot());
    if (phase == Phase::boundary_durable)
        stage.log.memory.complete_through(WriteNumber{10});
    BOOST_TEST(stage.machine.restores == (phase >= Phase::restored ? 1 : 0));

    stage.crash();
    files.complete();
    stage.log.memory.release_syncs();
    stage.machine.holds_back = false;
}

BOOST_AUTO_TEST_CASE(a_loss_of_power_in_any_phase_of_an_install_leaves_a_machine_that_is_whole,
                     *label("7") * label("case_33") * label("case_68"))
{
    for (auto const phase : {Phase::file, Phase::boundary, Phase::boundary_durable, Phase::restored, Phase::kept}) {
        BOOST_TEST_CONTEXT("phase " << static_cast<int>(phase))
        {
            auto stage = DurableStage{};
            stage.receive(S2, append_of(Term{1}, {}, Term{1}, 1, Index{1}), command_entry(Term{1}, Index{1}, "old"));
            crash_in(stage, phase);

            BOOST_REQUIRE(stage.started.has_value());
            stage.run();
            // As long as the boundary is not durable, the log is what it was; then only the snapshot is left.
            BOOST_TEST((stage.status().base == (phase == Phase::file ? Index{} : Index{4})));
            receive_all(stage, received_snapshot());
            BOOST_TEST((stage.status().applied == Index{4}));
            BOOST_TEST(stage.machine.commands() == received_commands, boost::test_tools::per_element());
            BOOST_TEST(stage.machine.restores == (phase == Phase::restored ? 2 : 1));
            stage.machine.flush();
            stage.pass_ms(50);
            BOOST_TEST(stage.log.snapshots().empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_machine_beyond_the_log_needs_a_received_file_that_reaches_as_far, *label("case_68"))
{
    auto const snapshot = received_snapshot();
    auto const start = [&](DurableStage& stage, Commands const& commands) {
        keep_file(stage, snapshot);
        give_disk(stage, commands);
        stage.restart();
    };
    for (auto const count : {1U, 4U}) { // Of less than the file it is restored; what it has all of is finished.
        auto stage = DurableStage{};
        start(stage, Commands(received_commands.begin(), received_commands.begin() + count));
        BOOST_REQUIRE(stage.started.has_value());
        BOOST_TEST((stage.status().base == Index{4}));
        BOOST_TEST((stage.status().applied == Index{4}));
        BOOST_TEST(stage.machine.commands() == received_commands, boost::test_tools::per_element());
        BOOST_TEST(stage.machine.restores == (count == 1 ? 1 : 0));
    }

    auto beyond = DurableStage{};
    start(beyond, {"reed", "rush", "sedge", "cane", "totora"});
    expect_refused(beyond, "entries up to 5, but the log ends at entry 0");
}

/// Nor is the log changed before the machine is what the file stands for.
BOOST_AUTO_TEST_CASE(a_machine_beyond_the_log_is_not_helped_by_a_file_that_is_damaged, *label("case_68"))
{
    auto       stage = DurableStage{};
    auto const snapshot = received_snapshot();
    keep_file(stage, snapshot);
    stage.log.memory.kept_snapshots().damage(snapshot.id, snapshot.id.bytes / 2);
    give_disk(stage, {"reed"});

    stage.restart();

    expect_refused(stage, "entries up to 1, but the log ends at entry 0");
    BOOST_TEST((stage.log.last() == LogPosition{}));
}

BOOST_AUTO_TEST_CASE(a_machine_that_lost_its_disk_is_restored_where_a_file_is_left, *label("case_68"))
{
    auto stage = DurableStage{};
    stage.machine.holds_back = true;
    receive_all(stage, received_snapshot());
    stage.machine.disk.clear();

    stage.crash();

    BOOST_REQUIRE(stage.started.has_value());
    BOOST_TEST((stage.status().applied == Index{4}));
}

/// What it has is more than what it would be given.
BOOST_AUTO_TEST_CASE(a_machine_that_the_log_goes_on_from_is_not_restored, *label("7"))
{
    auto       stage = DurableStage{};
    auto const snapshot = received_snapshot();
    for (auto index = std::uint64_t{1}; index <= 4; ++index)
        stage.receive(S2, append_of(Term{1}, {index == 1 ? Term{} : Term{1}, Index{index - 1}}, Term{1}, 1, Index{4}),
                      command_entry(Term{1}, Index{index}, received_commands[index - 1]));
    stage.log.begin_snapshot();
    stage.log.write_snapshot(snapshot.bytes);
    stage.log.finish_snapshot(snapshot.id);
    give_disk(stage, {"reed", "rush"});

    stage.restart();

    BOOST_REQUIRE(stage.started.has_value());
    BOOST_TEST((stage.status().applied == Index{2}));
    stage.run();
    BOOST_TEST(stage.machine.restores == 0);
    BOOST_TEST(stage.log.snapshots().empty()); // Of an earlier run, and nobody needs it.
}

BOOST_AUTO_TEST_CASE(a_log_is_told_at_each_start_that_its_machine_keeps_itself, *label("7"))
{
    auto stage = DurableStage{};
    BOOST_TEST(stage.log.reliances == 1);
    stage.restart();
    BOOST_TEST(stage.log.reliances == 2);
    stage.log.fails_to_rely = LogError{LogFailure::write_failed, "the log is wet"};
    stage.restart();
    expect_refused(stage, "the log is wet");

    auto const other = Stage{};
    BOOST_TEST(other.log.reliances == 0);
}

} // namespace
} // namespace totora::test::durable_machine_install_tests
