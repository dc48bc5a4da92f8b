// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"

#include <concepts>
#include <span>
#include <vector>

namespace totora::inline v0
{

/// What the cluster replicates (§2). Every server applies the same commands in the same order.
///
/// What the compiler cannot check: `apply` is deterministic: no clock, no random number, nothing that only this server has. It is
/// called on the node's thread, in index order, once per index from `applied_index() + 1` on, with at least one command and with
/// commands only (the indexes of other entries are skipped). Their bytes last until it returns. It appends one response per
/// command to `responses`, which begins empty. If it throws, or gives another number of responses, the node has failed: the
/// commands are neither skipped nor tried again, and every other server fails by them too; so what it does not understand it answers,
/// whatever the bytes.
///
/// It may have `digest() const`, a number that differs if what was done differs: the simulator and `check_state_machine` compare machines by it.
template <typename T>
concept state_machine = requires(T& machine, T const& readable, std::span<EntryView const> commands,
                                 std::vector<typename T::Response>& responses) {
    requires std::movable<typename T::Response>;
    { machine.apply(commands, responses) } -> std::same_as<void>;
    /// The last index whose effects the machine has and keeps over restarts; 0 if it keeps nothing. Asked once, when the node
    /// starts; it is then given everything after that index again.
    { readable.applied_index() } -> std::same_as<Index>;
};

} // namespace totora::inline v0
