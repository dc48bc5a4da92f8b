// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/types.hpp"
#include "totora/policy/entry.hpp"

#include <concepts>
#include <span>
#include <vector>

namespace totora
{

/// What the cluster replicates (§2). Every server applies the same commands in the same order.
///
/// What the compiler cannot check: `apply` is deterministic. It is called by one caller at a time, in index order, once per
/// index from `applied_index() + 1` on, with commands only (the indexes of other entries are skipped). It appends one response
/// per command. If it throws, the node has failed: the command is neither skipped nor retried.
template <typename T>
concept state_machine = requires(T& machine, T const& readable, std::span<EntryView const> commands,
                                 std::vector<typename T::Response>& responses) {
    requires std::movable<typename T::Response>;
    { machine.apply(commands, responses) } -> std::same_as<void>;
    /// The last index whose effects the machine has and keeps over restarts; 0 if it keeps nothing.
    { readable.applied_index() } -> std::same_as<Index>;
};

} // namespace totora
