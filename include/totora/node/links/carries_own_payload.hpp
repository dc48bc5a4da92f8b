// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/data/entry.hpp"
#include "totora/policy/transport.hpp"

#include <variant>

namespace totora::inline v0
{

/// Whether the entries beside a message are those that it names, by count, first index and term, and a chunk of the length that it
/// names: a transport may have lost or mixed up what it carries (case 93).
[[nodiscard]] inline bool carries_own_payload(Received const& received)
{
    auto const* chunk = std::get_if<InstallSnapshot>(&received.rpc);
    if (received.chunk.bytes.size() != (chunk != nullptr ? chunk->bytes : 0))
        return false;
    auto const* append = std::get_if<AppendEntries>(&received.rpc);
    if (append == nullptr or append->entries.count == 0)
        return received.entries.empty();
    if (received.entries.count() != append->entries.count)
        return false;
    auto const first = view_entry(received.entries.slice(0).bytes);
    return first and first->index == append->entries.first and first->term == append->entries.term;
}

} // namespace totora::inline v0
