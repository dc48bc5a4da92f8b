// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/configurations.hpp"
#include "totora/core/write.hpp"
#include "totora/node/links/part_of.hpp"
#include "totora/testing/replica_parts.hpp"

#include <concepts>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace totora::inline v0::testing
{

// Configurations are payload: the core is given each where it arrives, and never again. What a shell does with them is here: the log
// on the disk holds them, appends carry them, and a server that starts is given the newest two.

/// The configurations in force where a log begins, as it lists them.
[[nodiscard]] constexpr std::vector<Configuration> list_of(Configurations const& known)
{
    auto list = std::vector<Configuration>{};
    if (known.previous.index < known.in_force.index)
        list.push_back(known.previous);
    list.push_back(known.in_force);
    return list;
}

/// The newest of a log, and the one before.
[[nodiscard]] constexpr Configurations newest_of(std::vector<Configuration> const& list)
{
    return {.in_force = list.back(), .previous = list.size() > 1 ? list[list.size() - 2] : list.back()};
}

/// The configuration that came with a message; null if none did.
template <typename T>
[[nodiscard]] constexpr Configuration const* configuration_of(T const& message)
{
    if constexpr (std::same_as<T, AppendConfiguration>)
        return &message.configuration;
    return nullptr;
}

/// The configuration within the entries that a step has just appended by this write: a leader's own, or the one that came with them.
[[nodiscard]] constexpr std::optional<Configuration>
configuration_in(State const& state, Write const& write, Configuration const* came)
{
    auto const* append = std::get_if<Append>(&write);
    if (append == nullptr)
        return std::nullopt;
    if (append->kind == EntryKind::configuration)
        return state.configurations.in_force;
    if (not append->kind and came != nullptr and came->index >= append->entries.first and
        came->index <= last_of(append->entries))
        return *came;
    return std::nullopt;
}

/// The configurations beside the boundary that a step has just made by this write.
[[nodiscard]] constexpr std::optional<Configurations> boundary_in(State const& state, Write const& write)
{
    if (auto const* compact = std::get_if<Compact>(&write))
        return configurations_at(state.configurations, compact->base.index);
    return std::holds_alternative<Install>(write) ? std::optional<Configurations>{state.configurations} : std::nullopt;
}

/// A write reaches the list of a log's configurations.
constexpr void write_to(std::vector<Configuration>& list, PendingWrite const& pending)
{
    if (auto const* truncate = std::get_if<Truncate>(&pending.write)) {
        while (not list.empty() and list.back().index >= truncate->first)
            list.pop_back();
    } else if (auto const* compact = std::get_if<Compact>(&pending.write)) {
        auto kept = std::vector<Configuration>{};
        if (pending.boundary)
            kept = list_of(*pending.boundary);
        for (auto const& configuration : list)
            if (configuration.index > compact->base.index)
                kept.push_back(configuration);
        list = std::move(kept);
    } else if (std::holds_alternative<Install>(pending.write)) {
        list = list_of(*pending.boundary);
    } else if (pending.configuration) {
        list.push_back(*pending.configuration);
    }
}

/// The configurations of a server's log, durable or not.
[[nodiscard]] constexpr std::vector<Configuration> configurations_of(Replica const& replica)
{
    auto list = replica.configurations;
    for (auto const& pending : replica.writes)
        write_to(list, pending);
    return list;
}

/// A message leaves: an append carries the configurations of its entries.
[[nodiscard]] constexpr InFlight leave(Replica const& replica, ServerId to, Rpc const& rpc)
{
    auto        message = InFlight{replica.state.own.id, to, rpc};
    auto const* append = std::get_if<AppendEntries>(&rpc);
    if (append == nullptr or append->entries.count == 0 or
        append->entries.first > replica.state.configurations.in_force.index)
        return message;
    for (auto const& configuration : configurations_of(replica))
        if (configuration.index >= append->entries.first and configuration.index <= last_of(append->entries))
            message.configurations.push_back(configuration);
    return message;
}

/// Calls `step` with what the core is given of a message that arrives: an append is cut after each configuration among its entries
/// (node/links/for_each_append.hpp).
template <typename Step>
constexpr void for_each_part(InFlight const& message, Step step)
{
    auto const* append = std::get_if<AppendEntries>(&message.rpc);
    if (append == nullptr or message.configurations.empty())
        return std::visit(step, message.rpc);
    auto first = append->entries.first;
    for (auto const& configuration : message.configurations) {
        step(AppendConfiguration{part_of(*append, first, configuration.index.value - first.value + 1), configuration});
        first = next(configuration.index);
    }
    if (auto const last = last_of(append->entries); first <= last)
        step(part_of(*append, first, last.value - first.value + 1));
}

} // namespace totora::inline v0::testing
