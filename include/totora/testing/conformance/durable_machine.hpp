// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/node/snapshots/has_snapshots.hpp"
#include "totora/policy/adapter.hpp"
#include "totora/testing/conformance/applied_commands.hpp"
#include "totora/testing/conformance/law_violation.hpp"
#include "totora/testing/conformance/snapshot/durable_machine_laws.hpp"
#include "totora/testing/conformance/snapshot/snapshot_machine_runs.hpp"
#include "totora/testing/conformance/state_machine.hpp"
#include "totora/testing/conformance/violations.hpp"

#include <utility>
#include <vector>

namespace totora::inline v0::conformance
{

/// The laws of a machine that keeps itself: its durable index never goes back, and is never above what it was given; whenever the power
/// fails, also while it is restored, the next process finds the state of some index that is not below, and reaches with what follows
/// the state that every server reaches.
///
/// `make()` gives a machine in its first state, `commands` are as for `check_state_machine`. `crash()` is called while a machine of
/// `make()` is there, and gives the one that a process would find on a copy of what is durable now. The kit cannot show that a disk keeps
/// what was synced: what is durable, the copy decides.
///
/// All laws of `state_machine` and `snapshot_machine` are checked first.
template <typename Make, typename Crash>
[[nodiscard]] LawViolations
check_durable_machine(Make make, std::vector<Command> const& commands, Crash crash, CaptureDemands const& demands = {})
{
    static_assert(offers<decltype(make()), KeepsItself>(),
                  "policy/durable_machine.hpp lists what a state machine that keeps itself needs");
    auto broken = check_state_machine(make, commands, nullptr, demands);
    if (not broken.empty())
        return broken;
    auto violations = Violations{};
    auto runs = SnapshotMachineRuns<Make>{make, commands, violations};
    auto laws = DurableMachineLaws<Make, Crash>{runs, crash};
    laws.the_durable_index_is_of_what_was_applied();
    laws.a_crash_leaves_what_was_durable();
    if (violations.broken().empty()) // It would find the same again.
        laws.a_restore_is_all_or_nothing_across_a_crash();
    return violations.broken();
}

} // namespace totora::inline v0::conformance
