// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/decision.hpp"
#include "totora/testing/linearizability/flat_json.hpp"
#include "totora/testing/simulate/faults/faults.hpp"
#include "totora/testing/simulate/members/member_counts.hpp"
#include "totora/testing/simulate/simulation_report.hpp"
#include "totora/testing/simulate/snapshot_counts.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace totora::inline v0::simulate
{

/// The totals of many runs.
struct SimulationTotals
{
    struct Failure
    {
        std::uint64_t seed = 0;
        std::string   broken;
        std::string   replay; ///< The command that does it again.
    };

    std::uint64_t        seeds = 0;
    std::uint64_t        events = 0;
    std::uint64_t        answered = 0;
    std::uint64_t        undecided = 0; ///< Histories of clients that took too much to check.
    std::uint64_t        simulated_us = 0;
    std::uint64_t        hash = 0; ///< Of the hashes of all seeds, in order.
    EntryBytes           entry_bytes;
    std::uint64_t        elections_checked = 0;
    std::uint64_t        calm_looks = 0;
    std::uint64_t        worse_leaders = 0;
    QueuesMost           queues;
    FaultCounts          faults;
    SnapshotCounts       snapshots;
    MemberCounts         members;
    DecisionCounts       decisions{};
    std::vector<Failure> failures;

    void add(SimulationReport const& report)
    {
        ++seeds;
        events += report.events;
        answered += report.answered;
        undecided += report.is_undecided ? 1U : 0U;
        simulated_us += report.simulated_us;
        hash = testing::mixed(hash ^ report.hash);
        elections_checked += report.elections_checked;
        calm_looks += report.calm_looks;
        worse_leaders += report.worse_leaders;
        entry_bytes.sent += report.entry_bytes.sent;
        entry_bytes.stored += report.entry_bytes.stored;
        queues.raise(report.queues);
        faults += report.faults;
        snapshots += report.snapshots;
        members += report.members;
        for (auto outcome = std::size_t{0}; outcome < decision_count; ++outcome)
            decisions[outcome] += report.decisions[outcome];
    }

    [[nodiscard]] std::uint64_t faults_in_all() const
    {
        auto all = std::uint64_t{0};
        for_each_fault([&](Fault, std::uint64_t count) { all += count; });
        return all;
    }

    template <typename Visit>
    void for_each_fault(Visit visit) const
    {
        for (auto kind = std::size_t{0}; kind < fault_kinds; ++kind)
            visit(static_cast<Fault>(kind), faults[static_cast<Fault>(kind)]);
    }
};

/// The hash of a run as it is written.
[[nodiscard]] inline std::string spelled_hash(std::uint64_t hash)
{
    auto text = std::string{};
    for (auto digit = 16U; digit-- > 0;)
        text.push_back("0123456789abcdef"[hash >> 4U * digit & 0xFU]);
    return text;
}

/// All counters in lines. Zero counts are listed too.
[[nodiscard]] inline std::string to_string(SimulationTotals const& totals)
{
    auto       text = std::string{};
    auto const line = [&](std::string_view name, std::uint64_t count) {
        auto padded = std::string{name};
        padded.resize(std::max<std::size_t>(padded.size(), 32), ' ');
        text += "  " + padded + std::to_string(count);
        text += count == 0 ? "   <-- NEVER HAPPENED\n" : "\n";
    };
    text += "faults\n";
    totals.for_each_fault([&](Fault fault, std::uint64_t count) { line(to_string(fault), count); });
    text += "decisions\n";
    for (auto outcome = std::size_t{0}; outcome < decision_count; ++outcome)
        line(to_string(static_cast<Decision>(outcome)), totals.decisions[outcome]);
    text += "snapshots\n";
    totals.snapshots.for_each([&](SnapshotCount what, std::uint64_t count) { line(to_string(what), count); });
    text += "members\n";
    totals.members.for_each([&](MemberCount what, std::uint64_t count) { line(to_string(what), count); });
    text += "laws\n";
    line("elections_checked", totals.elections_checked);
    line("calm_looks", totals.calm_looks);
    line("worse_leaders", totals.worse_leaders);
    text += "at most\n";
    line("messages not taken by a node", totals.queues.arrivals);
    line("bytes waiting for links", totals.queues.link_bytes);
    line("bytes of entries not synced", totals.queues.unsynced_bytes);
    text += "entry bytes sent                " + std::to_string(totals.entry_bytes.sent) + "\n";
    text += "entry bytes stored by followers " + std::to_string(totals.entry_bytes.stored) + "\n";
    if (totals.undecided > 0)
        text += "histories of clients             " + std::to_string(totals.undecided) + "   <-- NOT JUDGED\n";
    return text;
}

[[nodiscard]] inline std::string to_json(SimulationTotals const& totals, double events_per_s)
{
    auto text = "{\"seeds\": " + std::to_string(totals.seeds) + ", \"events\": " + std::to_string(totals.events) +
                ", \"events_per_s\": " + std::to_string(static_cast<std::uint64_t>(events_per_s)) +
                ", \"simulated_seconds\": " + std::to_string(totals.simulated_us / 1'000'000) +
                ", \"entry_bytes_sent\": " + std::to_string(totals.entry_bytes.sent) +
                ", \"entry_bytes_stored\": " + std::to_string(totals.entry_bytes.stored) +
                ", \"elections_checked\": " + std::to_string(totals.elections_checked) +
                ", \"calm_looks\": " + std::to_string(totals.calm_looks) +
                ", \"worse_leaders\": " + std::to_string(totals.worse_leaders) +
                ", \"arrivals_most\": " + std::to_string(totals.queues.arrivals) +
                ", \"link_bytes_most\": " + std::to_string(totals.queues.link_bytes) +
                ", \"unsynced_bytes_most\": " + std::to_string(totals.queues.unsynced_bytes) +
                ", \"answered\": " + std::to_string(totals.answered) +
                ", \"undecided_histories\": " + std::to_string(totals.undecided) + ", \"hash\": \"" +
                spelled_hash(totals.hash) + "\", \"faults\": {";
    auto       separator = "";
    auto const count = [&](std::string_view name, std::uint64_t value) {
        text += separator;
        linearizability::append_json(text, name);
        text += ": " + std::to_string(value);
        separator = ", ";
    };
    totals.for_each_fault([&](Fault fault, std::uint64_t value) { count(to_string(fault), value); });
    text += "}, \"snapshots\": {";
    separator = "";
    totals.snapshots.for_each([&](SnapshotCount what, std::uint64_t value) { count(to_string(what), value); });
    text += "}, \"members\": {";
    separator = "";
    totals.members.for_each([&](MemberCount what, std::uint64_t value) { count(to_string(what), value); });
    text += "}, \"decisions\": {";
    separator = "";
    for (auto outcome = std::size_t{0}; outcome < decision_count; ++outcome)
        count(to_string(static_cast<Decision>(outcome)), totals.decisions[outcome]);
    text += "}, \"failures\": [";
    separator = "";
    for (auto const& failure : totals.failures) {
        text += separator + ("{\"seed\": " + std::to_string(failure.seed) + ", \"broken\": ");
        linearizability::append_json(text, std::string_view{failure.broken});
        text += ", \"replay\": ";
        linearizability::append_json(text, std::string_view{failure.replay});
        text += "}";
        separator = ", ";
    }
    return text + "]}\n";
}

} // namespace totora::inline v0::simulate
