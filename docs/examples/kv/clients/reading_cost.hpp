// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../commands/command_table.hpp"
#include "../machine/key_value.hpp"
#include "client_budget.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace kv
{

/// That of a read that may cost anything.
inline constexpr std::size_t unbounded_cost = std::size_t{1} << 20U;

/// About what a read costs that is done now, in the units of `ClientBudget`.
[[nodiscard]] inline std::size_t
reading_cost(Command command, std::span<std::string const> keys, KeyValue const& machine)
{
    auto cost = 1 + keys.size();
    switch (command) {
    case Command::dbsize:
    case Command::exists:
    case Command::strlen:
    case Command::type:
        return cost;
    case Command::get:
    case Command::mget:
        for (auto const& key : keys)
            if (auto const* const value = machine.find(key))
                cost += value->size() / ClientBudget::bytes_per_unit;
        return cost;
    default:
        return unbounded_cost;
    }
}

} // namespace kv
