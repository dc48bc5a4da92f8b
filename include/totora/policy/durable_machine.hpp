// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/policy/snapshot_machine.hpp"

#include <concepts>

namespace totora::inline v0
{

/// A state machine that keeps itself on disk: a database that has the applied index in the transaction which applies. The log of a
/// server is compacted up to what its machine has durably, without a snapshot; a capture is made only when a follower needs one.
///
/// What the compiler cannot check: `durable_index` never goes back, and is never above what the machine was given. A process that
/// starts after any crash finds the state of some index that is not below, and `applied_index` names it: all or nothing of each
/// command, and all of the index with it. `restore` is all or nothing across a crash, too; what was restored may become durable
/// later, like what was applied.
template <typename T>
concept durable_machine = snapshot_machine<T> and requires(T const& readable) {
    /// The state up to there survives any crash. Asked in every turn: a number at hand.
    { readable.durable_index() } -> std::same_as<Index>;
};

} // namespace totora::inline v0
