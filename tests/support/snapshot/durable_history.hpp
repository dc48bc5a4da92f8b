// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/history_machine.hpp"
#include "totora/policy/durable_machine.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace totora::test
{

/// A history that keeps itself on a disk, with every so many calls.
struct DurableHistory : HistoryMachine
{
    struct Disk
    {
        std::vector<Step> history;
        std::uint64_t     calls_between_flushes = 1;
        std::uint64_t     captures = 0;
        std::uint64_t     restores = 0;
    };

    explicit DurableHistory(Disk& its_disk) : disk(its_disk) { history = disk.history; }

    Disk&         disk;
    std::uint64_t calls = 0;

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        HistoryMachine::apply(commands, responses);
        flush_if_due();
    }

    [[nodiscard]] Index applied_index() const
    {
        return disk.history.empty() ? Index{} : disk.history.back().position.index;
    }
    [[nodiscard]] Index durable_index() const { return applied_index(); }

    [[nodiscard]] Capture capture() const
    {
        ++disk.captures;
        return HistoryMachine::capture();
    }

    [[nodiscard]] std::optional<std::string> restore(SnapshotSource& source)
    {
        ++disk.restores;
        auto refusal = HistoryMachine::restore(source);
        flush_if_due();
        return refusal;
    }

private:
    void flush_if_due()
    {
        if (++calls % disk.calls_between_flushes == 0)
            disk.history = history;
    }
};

static_assert(durable_machine<DurableHistory> and not durable_machine<HistoryMachine>);

} // namespace totora::test
