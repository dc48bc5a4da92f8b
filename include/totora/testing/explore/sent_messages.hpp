// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/explore/replica.hpp"

#include <variant>
#include <vector>

namespace totora::inline v0::explore
{

/// An RPC without what the normal form of a message changes.
[[nodiscard]] inline Rpc without_numbers(Rpc rpc)
{
    if (auto* append = std::get_if<AppendEntries>(&rpc)) {
        append->number = AppendNumber{};
        append->committed = Index{};
    }
    if (auto* response = std::get_if<AppendEntriesResponse>(&rpc))
        response->number = AppendNumber{};
    return rpc;
}

/// The message of all that were `sent` by a server, of which the exploration has the normal form `wanted`.
[[nodiscard]] inline InFlight
find_sent(std::vector<InFlight> const& sent, ServerId from, Replica const& to, InFlight const& wanted)
{
    auto const term_of = [](Rpc const& rpc) {
        return std::visit([](auto const& message) { return message.term; }, rpc);
    };
    auto best = wanted;
    auto is_exact = false;
    best.from = from;
    best.to = to.state.own.id;
    for (auto const& message : sent) {
        if (message.from != from or message.to != best.to or message.rpc.index() != wanted.rpc.index())
            continue;
        auto const fits = without_numbers(message.rpc) == without_numbers(wanted.rpc) and
                          message.configurations.size() == wanted.configurations.size();
        auto const is_over = term_of(message.rpc) < to.disk.current_term and term_of(wanted.rpc) < to.disk.current_term;
        if (fits or (is_over and not is_exact)) { // The newest that fits: its number is current if any is.
            best = message;
            is_exact = fits;
        }
    }
    return best;
}

} // namespace totora::inline v0::explore
