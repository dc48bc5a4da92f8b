// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/testing/conformance/applied_commands.hpp"
#include "totora/testing/conformance/snapshot/snapshot_machine_user.hpp"
#include "totora/testing/conformance/violations.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0::conformance
{

/// The commands, and all of them again: what a machine answers later shows its state.
[[nodiscard]] inline std::vector<Command> twice(std::vector<Command> const& commands)
{
    auto all = commands;
    all.insert(all.end(), commands.begin(), commands.end());
    return all;
}

/// Captures and restores machines that are given the same commands, and compares what they answer. See `check_state_machine`.
///
/// There is one machine at a time: those that keep themselves on a disk share it.
template <typename Make>
class SnapshotMachineRuns
{
public:
    using Machine = decltype(std::declval<Make&>()());
    using Results = Applied<Machine>;
    using User = SnapshotMachineUser<Machine>;
    using Capture = typename User::Capture;

    /// What a capture wrote, and of which machine.
    struct Written
    {
        std::vector<std::byte> bytes;
        std::size_t            place = 0; ///< So many commands were given to it.
        Index                  applied;   ///< Its applied index.
    };

    SnapshotMachineRuns(Make& make, std::vector<Command> const& commands, Violations& violations)
        : make_(make), violations_(violations), user_(violations), all_(twice(commands), make().applied_index()),
          others_(reversed(commands), make().applied_index()), first_(violations)
    {
        violations_.begin("a new machine");
        auto machine = make_();
        first_.look_at(machine, 0);
        first_.give(machine, all_, 0, all_.size(), {1, true});
        auto const half = commands.size();
        for (auto const place : {std::size_t{1}, half / 2, half - 1, half})
            if (place > 0 and (places_.empty() or place > places_.back()))
                places_.push_back(place);
    }

    /// What a machine writes that was given so many commands; nothing if it threw.
    [[nodiscard]] std::optional<Written> captured_after(std::size_t place)
    {
        return captured(place, [&](Machine&, Results&, Capture const& capture) { return write_all(capture, place); });
    }

    /// Gives a new machine so many commands, captures it, and lets `write` write it.
    template <typename Write>
    [[nodiscard]] std::optional<Written> captured(std::size_t place, Write write)
    {
        violations_.begin("a new machine");
        auto machine = make_();
        auto results = Results{violations_};
        results.look_at(machine, 0);
        results.give(machine, all_, 0, place, {2, true});
        captured_ = machine.applied_index();
        auto const capture = user_.capture(machine);
        return capture ? write(machine, results, *capture) : std::nullopt;
    }

    [[nodiscard]] std::optional<Written> write_all(Capture const& capture, std::size_t place)
    {
        auto bytes = user_.write(capture);
        return bytes ? std::optional{Written{*std::move(bytes), place, captured_}} : std::nullopt;
    }

    /// To a machine that was captured.
    void give_the_rest(Machine& machine, Results& results, std::size_t place)
    {
        constexpr auto law = "a capture changes nothing of its machine";
        results.give(machine, all_, place, all_.size(), {2, true});
        expect_the_same(violations_, first_, results, 0, law, law);
    }

    /// Restores a machine; whether that went well.
    [[nodiscard]] bool takes(Machine& machine, Written const& written, std::string const& law)
    {
        auto const end = user_.restore(machine, written.bytes);
        violations_.expect(end != User::End::refused, law, "What a capture wrote was refused.");
        if (end != User::End::restored)
            return false;
        // A machine that keeps its state later than it applies may be further than when it was captured.
        auto const index = machine.applied_index();
        auto const kept = all_.count_through(index);
        auto const is_right = kept and *kept <= written.place and index >= written.applied;
        violations_.expect(is_right, "a restored machine has the applied index of the captured one",
                           "It is " + std::to_string(index.value) + ", and was " +
                               std::to_string(written.applied.value) + " when the other one was captured.");
        return is_right;
    }

    /// A machine that is restored, given the commands up to `end` and captured; nothing if that did not go well.
    [[nodiscard]] std::optional<Written> continued(Written const& from, std::size_t end, std::string const& law)
    {
        violations_.begin("a new machine");
        auto machine = make_();
        if (not takes(machine, from, law))
            return std::nullopt;
        auto results = Results{violations_, law};
        results.look_at(machine, from.place);
        results.give(machine, all_, from.place, end, {7, true});
        expect_the_same(violations_, first_, results, from.place, law, law, end);
        captured_ = machine.applied_index();
        auto const capture = user_.capture(machine);
        return capture ? write_all(*capture, end) : std::nullopt;
    }

    /// Restores a machine, and gives it what follows.
    void expect_captured(Written const& written, std::string const& law)
    {
        expect_captured(written, law, [](Machine&) {});
    }

    template <typename Prepare>
    void expect_captured(Written const& written, std::string const& law, Prepare prepare)
    {
        if (violations_.is_broken(law))
            return;
        violations_.begin("a new machine");
        auto machine = make_();
        prepare(machine);
        if (not takes(machine, written, law))
            return;
        auto results = Results{violations_, law};
        results.look_at(machine, written.place);
        results.give(machine, all_, written.place, all_.size(), {1, true});
        expect_the_same(violations_, first_, results, written.place, law, law);
    }

    [[nodiscard]] Make&                 make() { return make_; }
    [[nodiscard]] User&                 user() { return user_; }
    [[nodiscard]] PlacedCommands const& commands() const { return all_; }
    [[nodiscard]] Results const&        first() const { return first_; } ///< Of all commands, one by one.
    [[nodiscard]] Violations&           violations() { return violations_; }

    /// Of other commands, in another order, and more of them.
    [[nodiscard]] PlacedCommands const& others() const { return others_; }

    /// After so many commands captures are made.
    [[nodiscard]] std::vector<std::size_t> const& places() const { return places_; }

    /// The applied index of the machine that was captured last.
    [[nodiscard]] Index captured_index() const { return captured_; }

private:
    /// In another order, and more than there are of the others.
    [[nodiscard]] static std::vector<Command> reversed(std::vector<Command> const& commands)
    {
        auto others = twice(twice(commands));
        std::reverse(others.begin(), others.end());
        return others;
    }

    Make&                    make_;
    Violations&              violations_;
    User                     user_;
    PlacedCommands           all_;
    PlacedCommands           others_;
    Results                  first_;
    std::vector<std::size_t> places_;   ///< After so many commands captures are made.
    Index                    captured_; ///< The applied index of the machine that was captured last.
};

} // namespace totora::inline v0::conformance
