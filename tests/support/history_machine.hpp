// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/state.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/log/memory_log.hpp"
#include "totora/policy/snapshot_machine.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace totora::test
{

/// Remembers what was applied, and answers with the position in the history.
struct HistoryMachine
{
    using Response = std::uint64_t;

    struct Step
    {
        LogPosition   position;
        std::uint64_t command = 0;

        friend bool operator==(Step const&, Step const&) = default;
    };

    /// What it keeps over restarts: nothing.
    struct Disk
    {};

    explicit HistoryMachine(Disk&) {}
    HistoryMachine() = default;

    std::vector<Step> history;

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        for (auto const& command : commands) {
            history.push_back({{command.term, command.index}, get<std::uint64_t>(command.payload.data())});
            responses.push_back(history.size());
        }
    }

    [[nodiscard]] Index applied_index() const { return {}; }

    struct Capture
    {
        std::vector<Step> history;

        void write(SnapshotSink& sink) const
        {
            for (auto const& [position, command] : history) {
                auto bytes = std::array<std::byte, 24>{};
                put(put(put(bytes.data(), position.index.value), position.term.value), command);
                sink.write(bytes);
            }
        }
    };

    [[nodiscard]] Capture       capture() const { return {history}; }
    [[nodiscard]] std::uint32_t snapshot_format() const { return 1; }

    [[nodiscard]] std::optional<std::string> restore(SnapshotSource& source)
    {
        history.clear();
        for (auto bytes = std::array<std::byte, 24>{}; source.read(bytes) == bytes.size();)
            history.push_back({{Term{get<std::uint64_t>(bytes.data() + 8)}, Index{get<std::uint64_t>(bytes.data())}},
                               get<std::uint64_t>(bytes.data() + 16)});
        return std::nullopt;
    }
};

static_assert(snapshot_machine<HistoryMachine>);

/// Where a server's log is, and the moods of the disk under it: here memory.
class MemoryStorage
{
public:
    using Log = MemoryLog;

    explicit MemoryStorage(Identity const& identity) : log_(identity) {}

    void               open() {}
    void               throw_if_power_failed() const {}
    [[nodiscard]] Log& log() { return log_; }

    void hold_syncs() { log_.hold_syncs(); }
    void release_syncs() { log_.release_syncs(); }

    /// Some of the writes that wait become durable.
    void complete_syncs(State const& state, std::mt19937_64& random)
    {
        auto const waiting = state.writes.last.value - state.writes.durable.value;
        log_.complete_through(WriteNumber{state.writes.durable.value + (waiting > 0 ? random() % (waiting + 1) : 0)});
    }

    void lose_power(std::mt19937_64& /*random*/) { log_.crash(); }

    /// Snapshots become durable when `complete_snapshots` says so.
    void hold_snapshots() { log_.kept_snapshots().hold(); }
    void complete_snapshots() { log_.kept_snapshots().complete(); }

private:
    MemoryLog log_;
};

} // namespace totora::test
