// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/values/search.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/configuration_entry.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/node/links/part_of.hpp"
#include "totora/policy/transport.hpp"

#include <variant>

namespace totora::inline v0
{

/// Calls `step(rpc, entries)` with a message that was received. An append with configurations among its entries is cut after
/// each of them: the core takes one at a time, decoded, because it never looks into a payload (§6).
template <typename Step>
void for_each_append(Received const& received, Step step)
{
    auto const& entries = received.entries;
    auto const  is_configuration = [](EntryView const& entry) { return entry.kind == EntryKind::configuration; };
    auto const* append = std::get_if<AppendEntries>(&received.rpc);
    if (append == nullptr or not core::any_of(entries, is_configuration))
        return step(received.rpc, entries);

    auto const last = last_of(append->entries);
    auto       first = append->entries.first;
    for (auto const entry : entries)
        if (is_configuration(entry)) {
            // What cannot be decoded is handed over as a configuration without members: a violation, which the core names.
            auto const part = part_of(*append, first, entry.index.value - first.value + 1);
            step(AppendConfiguration{part, decode_configuration(entry).value_or(Configuration{})},
                 entries.between(first, entry.index));
            first = next(entry.index);
        }
    if (first <= last)
        step(part_of(*append, first, last.value - first.value + 1), entries.between(first, last));
}

} // namespace totora::inline v0
