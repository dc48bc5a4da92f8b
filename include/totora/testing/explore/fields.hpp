// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/outgoing.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/fields.hpp"
#include "totora/core/values/inplace_vector.hpp"
#include "totora/core/values/types.hpp"
#include "totora/testing/explore/walkers.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <variant>
#include <vector>

namespace totora::inline v0::explore
{

// One walk over the fields of what an exploration holds, as each struct lists them (core/values/fields.hpp). Three
// walkers use it: one writes bytes, one reads them, one permutes the ids of servers. That no field is left out is
// checked for every state that is kept: what is read back must equal what was written.

/// The same in all states of one exploration.
template <typename Walker>
void walk(Walker&, Settings&)
{}

/// Where the members do not change it is the same in all states: its index is that of the start, and every server is a member.
template <typename Walker>
void walk(Walker& walker, Configuration& configuration)
{
    if (not walker.walks_configurations())
        return;
    walk(walker, configuration.index);
    walk(walker, configuration.members);
    walk(walker, configuration.agreed);
}

/// Ends an exploration, so that it is never kept.
template <typename Walker>
void walk(Walker&, FaultSite&)
{}

template <typename Walker>
void walk(Walker& walker, ServerSet& set)
{
    walker.set(set);
}

template <typename Walker>
void walk(Walker& walker, TermRuns& log)
{
    auto base = log.base();
    auto last = log.last().index;
    auto starts = log.starts();
    walk(walker, base);
    walk(walker, last);
    walk(walker, starts);
    if constexpr (Walker::reads) {
        log = TermRuns{base};
        for (auto at = std::size_t{0}; at < starts.size(); ++at) {
            auto const end = at + 1 < starts.size() ? starts[at + 1].first : next(last);
            log.append({starts[at].term, starts[at].first, end.value - starts[at].first.value});
        }
    }
}

template <typename Walker>
void walk(Walker& walker, Envelope& envelope)
{
    auto to = envelope.to();
    auto awaits = envelope.release().awaits();
    auto rpc = envelope.rpc();
    walk(walker, to);
    walk(walker, awaits);
    walk(walker, rpc);
    envelope = Envelope{to, rpc, awaits ? Release::once_durable(*awaits) : Release::at_once()};
}

template <typename Walker, typename T>
void walk(Walker& walker, std::optional<T>& value)
{
    walk_optional(walker, value, [&](T& present) { walk(walker, present); });
}

template <typename Walker, typename... Ts>
void walk(Walker& walker, std::variant<Ts...>& value)
{
    walk_variant(walker, value);
}

template <typename Walker, typename T, std::size_t size>
void walk(Walker& walker, std::array<T, size>& values)
{
    for (auto& value : values)
        walk(walker, value);
}

template <typename Walker, typename T>
void walk(Walker& walker, std::vector<T>& values)
{
    walk_all(walker, values);
}

template <typename Walker, typename T, std::size_t capacity>
void walk(Walker& walker, InplaceVector<T, capacity>& values)
{
    walk_all(walker, values);
}

/// Everything else: a number, or a struct that lists its fields.
template <typename Walker, typename T>
void walk(Walker& walker, T& value)
{
    if constexpr (has_fields<T>) {
        T::visit_fields(value, [&](char const*, auto& field) { walk(walker, field); });
    } else if constexpr (std::same_as<T, ServerId>) {
        walker.server(value);
    } else if constexpr (strong_number<T>) {
        walker.number(value.value);
    } else if constexpr (std::is_enum_v<T>) {
        auto number = static_cast<std::uint64_t>(value);
        walker.number(number);
        value = static_cast<T>(number);
    } else {
        static_assert(std::integral<T>);
        walker.number(value);
    }
}

} // namespace totora::inline v0::explore
