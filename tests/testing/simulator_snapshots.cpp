// SPDX-License-Identifier: BSL-1.0
// Snapshots in the simulator: each law about them with what it must detect, each fault that it takes effect, and parts that are wrong.
#include "support/builders.hpp"
#include "support/calm_scenario.hpp"
#include "support/log/recovered.hpp"
#include "support/log_entries.hpp"
#include "support/sabotage.hpp"
#include "support/simulated.hpp"
#include "totora/testing/simulate/checks.hpp"
#include "totora/testing/simulate/checks/checking_machine.hpp"
#include "totora/testing/simulate/clients/durable_store.hpp"
#include "totora/testing/simulate/simulation.hpp"
#include "totora/testing/simulate/simulation_totals.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace totora::test::simulator_snapshots_tests
{
namespace
{

using boost::unit_test::label;
using simulate::Fault;
using simulate::SnapshotCount;

/// S1 with three entries of term 1, durable, of which two are committed and applied.
struct Witness
{
    Witness()
    {
        checks.appended(0, {}, entries_of(Term{1}, Index{1}, 3));
        checks.append_written(0, WriteNumber{1}, {Term{1}, Index{3}});
        checks.durable_reported(0, WriteNumber{1});
        state.commit_index = state.apply_index = Index{2};
        checks.after_event(0, state);
    }

    void compacts(Index base, Index newest) { checks.compact_written(0, WriteNumber{2}, {Term{1}, base}, newest); }

    [[nodiscard]] std::string const& broken() const { return checks.broken(); }

    simulate::Checks checks;
    State            state = follower(S1, Term{1}, {{Term{1}, Index{1}, 3}});
};

[[nodiscard]] SnapshotId up_to(Index index) { return {.last = {Term{1}, index}, .bytes = 100, .checksum = 7}; }

BOOST_AUTO_TEST_CASE(a_compaction_beyond_the_snapshots_or_the_committed_is_seen, *label("7"))
{
    auto witness = Witness{};
    witness.compacts(Index{2}, Index{2});
    BOOST_TEST(witness.broken() == "");
    witness.compacts(Index{2}, Index{1});
    BOOST_TEST(witness.broken() ==
               "a log is compacted only by a durable snapshot of its own, or by what its machine keeps");

    auto too_far = Witness{};
    too_far.compacts(Index{3}, Index{3});
    BOOST_TEST(too_far.broken() == "what is compacted is committed");
}

BOOST_AUTO_TEST_CASE(a_compaction_beyond_what_a_machine_keeps_is_seen, *label("7"))
{
    for (auto const kept : {1U, 2U}) {
        auto witness = Witness{};
        witness.checks.machine_keeps(0, Index{kept});
        witness.compacts(Index{2}, Index{});
        BOOST_TEST(witness.broken().empty() == (kept == 2));
    }
}

BOOST_AUTO_TEST_CASE(a_durable_compaction_that_is_undone_by_a_crash_is_seen, *label("case_33"))
{
    for (auto const is_durable : {false, true}) {
        auto witness = Witness{};
        witness.compacts(Index{2}, Index{2});
        if (is_durable)
            witness.checks.durable_reported(0, WriteNumber{2});
        starts(witness.checks, witness.state);
        BOOST_TEST(witness.broken() == (is_durable ? "what was compacted durably stays compacted" : ""));
    }
}

BOOST_AUTO_TEST_CASE(a_start_from_a_log_that_was_compacted_is_known, *label("7"))
{
    auto witness = Witness{};
    witness.compacts(Index{2}, Index{2});
    witness.checks.durable_reported(0, WriteNumber{2});
    auto state = follower(S1, Term{1}, {});
    state.log = TermRuns{LogPosition{Term{1}, Index{2}}};
    state.log.append({Term{1}, Index{3}, 1});
    state.commit_index = state.apply_index = Index{2};
    state.writes.durable_index = Index{3};
    starts(witness.checks, state);
    witness.checks.after_event(0, state);
    witness.checks.in_full(state);
    BOOST_TEST(witness.broken() == "");

    state.log.append({Term{1}, Index{4}, 1}); // No leader made it.
    witness.checks.in_full(state);
    BOOST_TEST(witness.broken() == "all entries of a log were made by the leaders of their terms");
}

BOOST_AUTO_TEST_CASE(an_install_of_what_is_not_committed_is_seen, *label("case_107"))
{
    auto witness = Witness{};
    witness.checks.install_written(0, WriteNumber{2}, {Term{1}, Index{2}});
    BOOST_TEST(witness.broken() == "");
    BOOST_TEST((witness.checks.durable_last(0) == Index{2}), "what a snapshot replaces is not durable any more");
    witness.checks.install_written(0, WriteNumber{3}, {Term{1}, Index{3}});
    BOOST_TEST(witness.broken() == "a snapshot that is installed stands for what is committed");
}

BOOST_AUTO_TEST_CASE(a_snapshot_that_does_not_survive_a_crash_is_seen, *label("case_33"))
{
    auto witness = Witness{};
    witness.checks.snapshot_kept(0, up_to(Index{1}));
    witness.checks.snapshot_kept(0, up_to(Index{2}));
    witness.checks.snapshot_removed(0, up_to(Index{1}));
    witness.checks.started_with(0, witness.state, {{up_to(Index{2}), {}, {}, false}}, false);
    BOOST_TEST(witness.broken() == "");
    witness.checks.started_with(0, witness.state, {}, true);
    BOOST_TEST(witness.broken() == "", "what is damaged may be gone");

    witness.checks.snapshot_kept(0, up_to(Index{2}));
    witness.checks.started_with(0, witness.state, {}, false);
    BOOST_TEST(witness.broken() == "a snapshot that was reported durable survives a crash");
}

BOOST_AUTO_TEST_CASE(a_start_without_what_the_newest_snapshot_stands_for_is_seen, *label("7"))
{
    auto witness = Witness{};
    witness.checks.started_with(0, witness.state, {{up_to(Index{2}), {}, {}, false}, {up_to(Index{3}), {}, {}, true}},
                                false);
    BOOST_TEST(witness.broken() == "", "a received one is to be installed first");
    witness.checks.snapshot_removed(0, up_to(Index{2}));
    witness.checks.started_with(0, witness.state, {{up_to(Index{3}), {}, {}, false}}, false);
    BOOST_TEST(witness.broken() == "a server starts with what its newest snapshot stands for");
}

BOOST_AUTO_TEST_CASE(a_snapshot_that_fails_without_a_reason_is_seen)
{
    auto witness = Witness{};
    witness.checks.snapshot_failed(0, SnapshotStep::write, true);
    BOOST_TEST(witness.broken() == "");
    witness.checks.snapshot_failed(0, SnapshotStep::write, false);
    BOOST_TEST(witness.broken() == "a snapshot fails only with the disk, the memory or the data of a server");
}

BOOST_AUTO_TEST_CASE(chunks_that_are_sent_again_and_again_are_seen)
{
    auto witness = Witness{};
    witness.checks.chunk_stored(1'000);
    witness.checks.chunk_sent(325'000);
    BOOST_TEST(witness.broken() == "");
    witness.checks.chunk_sent(1);
    BOOST_TEST(witness.broken() == "what is sent of snapshots is a bounded multiple of what followers store");
}

/// The file of one server is set back, so that it refuses to start; then all lose their power.
BOOST_AUTO_TEST_CASE(a_damaged_server_that_stays_away_may_be_sent_a_chunk_with_each_heartbeat)
{
    auto report = simulated(simulate::make_scenario(4036, {.only = std::set<std::uint32_t>{6, 18}}));

    BOOST_TEST(report.broken == "");
    BOOST_TEST(report.snapshots[simulate::SnapshotCount::chunk_bytes_sent] > 300'000U);
}

/// Bytes that a capture writes, and that a machine is restored from.
struct Bytes final : SnapshotSink, SnapshotSource
{
    Bytes() : SnapshotSource(1) {}

    void write(std::span<std::byte const> more) override { bytes.insert(bytes.end(), more.begin(), more.end()); }

    [[nodiscard]] std::size_t read(std::span<std::byte> into) override
    {
        auto const size = std::min(into.size(), bytes.size() - at);
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), size, into.begin());
        at += size;
        return size;
    }

    std::vector<std::byte> bytes;
    std::size_t            at = 0;
};

BOOST_AUTO_TEST_CASE(a_machine_that_is_set_back_by_a_snapshot_is_seen, *label("7"))
{
    auto       checks = simulate::Checks{};
    auto       counts = simulate::FaultCounts{};
    auto const now_us = std::uint64_t{0};
    auto       time = simulate::LocalTime{now_us};
    auto       burdens = simulate::Burdens{time, counts, 0};
    auto       reference = simulate::OneByOne<simulate::Store>{};
    auto       store = simulate::Store{};
    auto       payload = std::vector<std::byte>(simulate::store_command_size);
    simulate::encode_command(payload, {.number = 0, .key = 1, .value = 5});
    auto const entries = entry_slice(Index{1}, Term{1}, payload);
    auto const empty = simulate::Store{}.capture();
    auto       all = Entries{};
    all.add(entries, 1);
    auto responses = std::vector<std::uint64_t>{};
    auto views = std::vector<EntryView>(all.begin(), all.end());
    store.apply(views, responses);
    auto machine = simulate::CheckingMachine<simulate::Store>{store, reference, burdens, checks, 0};

    auto of_nothing = Bytes{};
    empty.write(of_nothing);
    BOOST_TEST(not machine.restore(of_nothing).has_value());
    BOOST_TEST(checks.broken() == "a machine is not restored to what was before all that it had applied");
}

BOOST_AUTO_TEST_CASE(a_store_is_restored_from_what_it_wrote_and_from_nothing_else, *label("7"))
{
    auto store = simulate::Store{};
    auto payload = std::vector<std::byte>(simulate::store_command_size);
    auto responses = std::vector<std::uint64_t>{};
    for (auto key = std::uint32_t{0}; key < 40; ++key) {
        simulate::encode_command(payload, {.number = key, .key = key, .value = key + 1});
        auto entries = Entries{};
        entries.add(entry_slice(Index{key + 1}, Term{1}, payload), 1);
        store.apply(std::vector<EntryView>(entries.begin(), entries.end()), responses);
    }
    auto whole = Bytes{};
    store.capture().write(whole);
    auto in_parts = Bytes{};
    auto parts = std::uint64_t{0};
    while (store.capture().write_part(in_parts, parts))
        ++parts;
    BOOST_TEST(parts > 1U);
    BOOST_TEST((in_parts.bytes == whole.bytes));

    auto restored = simulate::Store{};
    BOOST_TEST(not restored.restore(whole).has_value());
    BOOST_TEST(restored.digest() == store.digest());
    BOOST_TEST(restored.value(39) == 40U);
    in_parts.bytes.pop_back();
    BOOST_TEST(restored.restore(in_parts).has_value());
    BOOST_TEST(restored.digest() == store.digest());
}

// --- Whole clusters --------------------------------------------------------------------------------------------------------

/// Three servers that take snapshots every few dozen entries, and to which nothing happens but what a test plans.
[[nodiscard]] simulate::Scenario with_snapshots(std::uint64_t seed, std::uint64_t events)
{
    auto  scenario = calm_scenario(seed, events);
    auto& snapshots = scenario.settings.snapshots;
    snapshots = SnapshotSettings{};
    snapshots.entries_max = 40;
    snapshots.trailing_entries = 0;
    snapshots.follower_bytes_max = 0;
    snapshots.pause_ms = 50;
    snapshots.chunk_bytes = 64;
    scenario.captures_in_parts = true;
    scenario.machines_forget = true;
    scenario.clients = {.count = 4, .thinks_us = 1'000};
    return scenario;
}

BOOST_AUTO_TEST_CASE(servers_that_were_left_behind_are_brought_back_by_snapshots, *label("7"))
{
    auto totals = simulate::SimulationTotals{};
    for (auto seed = std::uint64_t{1}; seed <= 4; ++seed) {
        auto scenario = with_snapshots(seed, 30'000);
        plan_often(scenario, Fault::server_left_behind, 12);
        auto const report = simulated(scenario);
        BOOST_TEST(report.broken == "");
        totals.add(report);
    }

    BOOST_TEST(totals.faults[Fault::server_left_behind] > 4U);
    BOOST_TEST(totals.snapshots[SnapshotCount::saved] > 80U);
    BOOST_TEST(totals.snapshots[SnapshotCount::restored] > 4U);
    BOOST_TEST(totals.snapshots[SnapshotCount::restored_at_start] > 4U);
    BOOST_TEST(totals.snapshots[SnapshotCount::chunk_bytes_sent] <=
               8 * totals.snapshots[SnapshotCount::chunk_bytes_stored]);
}

/// What a fault that is planned often leads to.
[[nodiscard]] simulate::SimulationReport with_many(Fault fault)
{
    auto scenario = with_snapshots(2, 30'000);
    plan_often(scenario, fault, 15);
    if (fault >= Fault::power_lost_receiving_snapshot and fault <= Fault::power_lost_before_restore)
        plan_often(scenario, Fault::server_left_behind, 15);
    if (fault == Fault::memory_ran_out_restoring)
        plan_often(scenario, Fault::process_killed, 15);
    std::stable_sort(scenario.plan.begin(), scenario.plan.end(),
                     [](auto const& one, auto const& other) { return one.at_event < other.at_event; });
    auto report = simulated(scenario);
    BOOST_TEST(report.broken == "", simulate::to_string(fault) << ": " << report.broken);
    BOOST_TEST(report.faults[fault] > 0U, simulate::to_string(fault) << " never happened");
    return report;
}

BOOST_AUTO_TEST_CASE(the_power_fails_in_each_phase_of_a_snapshot, *label("7") * label("case_33"))
{
    for (auto phase = std::size_t{0}; phase < simulate::snapshot_phases; ++phase)
        static_cast<void>(with_many(simulate::fault_of(static_cast<simulate::SnapshotPhase>(phase))));
}

BOOST_AUTO_TEST_CASE(what_fails_for_want_of_space_or_memory_is_tried_again, *label("7"))
{
    for (auto const fault :
         {Fault::snapshot_disk_full, Fault::memory_ran_out_capturing, Fault::memory_ran_out_writing}) {
        auto report = with_many(fault);
        BOOST_TEST(report.snapshots[SnapshotCount::saved_after_failure] > 0U, simulate::to_string(fault));
    }
    static_cast<void>(with_many(Fault::memory_ran_out_restoring));
}

BOOST_AUTO_TEST_CASE(a_damaged_snapshot_is_found_and_its_server_serves_nothing_wrong, *label("case_68"))
{
    auto found = std::uint64_t{0};
    for (auto const trailing : {0U, 100U}) {
        auto scenario = with_snapshots(3, 30'000);
        scenario.settings.snapshots.trailing_entries = trailing;
        scenario.damageable = 1;
        plan_often(scenario, Fault::snapshot_rot, 30);
        auto report = simulated(scenario);
        BOOST_TEST(report.broken == "");
        BOOST_TEST(report.faults[Fault::snapshot_rot] > 0U);
        found += report.snapshots[trailing > 0 ? SnapshotCount::older_restored : SnapshotCount::start_refused];
    }
    BOOST_TEST(found > 0U);
}

// --- Parts that are wrong --------------------------------------------------------------------------------------------------

[[nodiscard]] std::string find(Sabotage which)
{
    auto const wrong = WithSabotage{which};
    auto       scenario = with_snapshots(1, 20'000);
    plan_often(scenario, Fault::server_left_behind, 8);
    return simulate::Simulation<SabotagedParts>{scenario}.run().broken;
}

BOOST_AUTO_TEST_CASE(a_machine_that_is_not_what_its_snapshot_stands_for_is_detected, *label("7"))
{
    BOOST_TEST(find(Sabotage::a_restore_loses) == "machines that have applied the same entries are equal");
}

// --- Machines that keep themselves

[[nodiscard]] simulate::Scenario with_durable_machines()
{
    auto scenario = with_snapshots(1, 20'000);
    scenario.machine_saves_every = 5;
    plan_often(scenario, Fault::server_left_behind, 8);
    plan_often(scenario, Fault::power_lost, 20);
    return scenario;
}

BOOST_AUTO_TEST_CASE(some_seeds_have_machines_that_keep_themselves, *label("7"))
{
    auto found = 0;
    for (auto seed = std::uint64_t{1}; seed <= 400; ++seed)
        found += simulate::make_scenario(seed, {}).machine_saves_every > 0 ? 1 : 0;
    BOOST_TEST(found > 25);
    BOOST_TEST(found < 100);
}

BOOST_AUTO_TEST_CASE(logs_of_machines_that_keep_themselves_are_compacted_with_few_snapshots, *label("7"))
{
    auto       report = simulated(with_durable_machines());
    auto const compactions = report.decisions[static_cast<std::size_t>(Decision::log_compacted)];
    BOOST_TEST(report.broken == "");
    BOOST_TEST(report.snapshots[SnapshotCount::saved] > 0U);
    BOOST_TEST(report.snapshots[SnapshotCount::restored] > 0U);
    BOOST_TEST(compactions > 2 * report.snapshots[SnapshotCount::saved]);
}

/// Says that it keeps what it applied, and saves it later.
struct LyingStore : simulate::DurableStore
{
    [[nodiscard]] Index durable_index() const { return applied_index(); }
};

struct LyingParts : simulate::DefaultParts
{
    using Machine = LyingStore;
};

BOOST_AUTO_TEST_CASE(a_machine_that_does_not_keep_what_it_says_is_detected, *label("case_68"))
{
    auto scenario = with_durable_machines();
    scenario.machine_saves_every = 200;
    auto const broken = simulate::Simulation<LyingParts>{scenario}.run().broken;
    BOOST_TEST(
        broken.starts_with("a server that lost only what was not durable does not start: the state machine keeps"),
        broken);
}

} // namespace
} // namespace totora::test::simulator_snapshots_tests
