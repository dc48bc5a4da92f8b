// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/policy/durable_machine.hpp"
#include "totora/policy/snapshot_machine.hpp"
#include "totora/testing/simulate/clients/store.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace totora::inline v0::simulate
{

/// A store that keeps itself, with every so many calls: what it was given since then ends with its process.
class DurableStore : public Store
{
public:
    /// A process begins with what the last one had saved.
    void begin_run(std::uint64_t saves_every)
    {
        static_cast<Store&>(*this) = saved_;
        saves_every_ = saves_every;
        calls_ = 0;
    }

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        Store::apply(commands, responses);
        save_if_due();
    }

    [[nodiscard]] std::optional<std::string> restore(SnapshotSource& source)
    {
        auto refusal = Store::restore(source);
        if (not refusal)
            save_if_due();
        return refusal;
    }

    [[nodiscard]] Index durable_index() const { return saved_.applied_index(); }

private:
    void save_if_due()
    {
        if (++calls_ % saves_every_ == 0)
            saved_ = static_cast<Store const&>(*this);
    }

    Store         saved_;
    std::uint64_t saves_every_ = 1;
    std::uint64_t calls_ = 0;
};

static_assert(durable_machine<DurableStore>);

} // namespace totora::inline v0::simulate
