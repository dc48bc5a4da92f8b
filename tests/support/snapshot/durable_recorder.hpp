// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/stage_parts.hpp"
#include "totora/policy/durable_machine.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace totora::test
{

/// A recorder that keeps itself on a disk: with every batch, or only when it is told.
struct DurableRecorder : Recorder
{
    std::vector<Applied> disk;
    bool                 holds_back = false;
    std::optional<Index> lies_about_durable;

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        Recorder::apply(commands, responses);
        if (not holds_back)
            flush();
    }

    [[nodiscard]] std::optional<std::string> restore(SnapshotSource& source)
    {
        auto refusal = Recorder::restore(source);
        if (not refusal and not holds_back)
            flush();
        return refusal;
    }

    void flush() { disk = applied; }

    [[nodiscard]] Index applied_index() const { return disk.empty() ? Index{} : disk.back().position.index; }
    [[nodiscard]] Index durable_index() const { return lies_about_durable.value_or(applied_index()); }

    void begin_run() { applied = disk; }
};

static_assert(durable_machine<DurableRecorder> and not durable_machine<Recorder>);

} // namespace totora::test
