// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/policy/adapter.hpp"
#include "totora/policy/durable_machine.hpp"
#include "totora/policy/snapshot_machine.hpp"
#include "totora/policy/state_machine.hpp"
#include "totora/testing/simulate/burdens.hpp"
#include "totora/testing/simulate/checks.hpp"
#include "totora/testing/simulate/checks/checking_capture.hpp"
#include "totora/testing/simulate/faults/snapshot_faults.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace totora::inline v0::simulate
{

/// A machine that can be simulated: machines are compared by their digests, which differ if what they applied differs.
// clang-format off: version 14 cannot format requires-expressions.
template <typename T>
concept simulated_machine = state_machine<T> and std::default_initializable<T> and requires(T const& machine)
{
    {
        machine.digest()
        } -> std::convertible_to<std::uint64_t>;
};
// clang-format on

/// Applies every command that is committed once and alone, in order: the state that any machine must reach, however its
/// commands are cut into batches.
template <simulated_machine Machine>
class OneByOne
{
public:
    /// Applies a command, if it is the next one that was not applied yet.
    void apply(EntryView const& command, Checks& checks)
    {
        if (command.index <= applied_)
            return;
        applied_ = command.index;
        responses_.clear();
        machine_.apply({&command, 1}, responses_);
        checks.machine_is(command.index, machine_.digest());
    }

private:
    Machine                                 machine_;
    Index                                   applied_;
    std::vector<typename Machine::Response> responses_;
};

/// Reports to the checks every command that a machine applies. The number of a command is the first eight bytes of its
/// payload.
///
/// It has the snapshots of that machine: whatever it is restored from, it must then be what a machine is that applied everything.
template <simulated_machine Machine>
class CheckingMachine : public StateMachineAdapter<Machine>, public CapturesOf<Machine>
{
public:
    using Response = typename Machine::Response;
    using Capture = typename CapturesOf<Machine>::Capture;

    CheckingMachine(Machine& machine, OneByOne<Machine>& reference, Burdens& burdens, Checks& checks,
                    std::size_t server)
        : StateMachineAdapter<Machine>(machine), machine_(machine), reference_(reference), burdens_(burdens),
          checks_(checks), server_(server), applied_(machine.applied_index())
    {}

    /// The state of the node that owns it, which outlives the last command.
    void belongs_to(State const& state) { state_ = &state; }

    /// Captures are written in parts, if they have parts.
    void write_in_parts(bool in_parts) { in_parts_ = in_parts; }

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        burdens_.call();
        burdens_.apply(commands.size());
        checks_.advance_commit_to(server_, *state_);
        for (auto const& command : commands) {
            checks_.expect(command.index > applied_ and command.index <= state_->commit_index,
                           "a machine is given what is committed, in order, once");
            applied_ = command.index;
            if (command.payload.size() < sizeof(std::uint64_t))
                return checks_.fail("the number of a command is the first eight bytes of its payload");
            checks_.relies_on(server_, command.index);
            checks_.applied(command, get<std::uint64_t>(command.payload.data()));
            reference_.apply(command, checks_);
        }
        machine_.apply(commands, responses);
        checks_.machine_is(applied_, machine_.digest());
    }

    [[nodiscard]] Capture capture() const requires snapshot_machine<Machine>
    {
        burdens_.call(SnapshotCall::capture);
        return {machine_.capture(), burdens_, in_parts_};
    }

    [[nodiscard]] std::optional<std::string> restore(SnapshotSource& source) requires snapshot_machine<Machine>
    {
        burdens_.call(SnapshotCall::restore);
        auto refusal = machine_.restore(source);
        if (refusal)
            return refusal;
        auto const restored = machine_.applied_index();
        checks_.expect(restored >= applied_, "a machine is not restored to what was before all that it had applied");
        if (restored > Index{})
            checks_.machine_is(restored, machine_.digest());
        applied_ = restored;
        burdens_.snapshots().leave(SnapshotPhase::before_restore);
        return std::nullopt;
    }

    [[nodiscard]] Index durable_index() const requires durable_machine<Machine>
    {
        auto const index = machine_.durable_index();
        checks_.machine_keeps(server_, index);
        return index;
    }

    [[nodiscard]] std::uint32_t snapshot_format() const requires snapshot_machine<Machine>
    {
        return machine_.snapshot_format();
    }

private:
    Machine&           machine_;
    OneByOne<Machine>& reference_;
    Burdens&           burdens_;
    Checks&            checks_;
    std::size_t        server_;
    Index              applied_;
    State const*       state_ = nullptr;
    bool               in_parts_ = false;
};

} // namespace totora::inline v0::simulate
