// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/types.hpp"
#include "totora/policy/entry.hpp"
#include "totora/policy/state_machine.hpp"
#include "totora/testing/conformance/findings.hpp"
#include "totora/testing/conformance/sample_entries.hpp"

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace totora::conformance
{

/// The payload of a command, as a client would propose it.
using Command = std::vector<std::byte>;

/// The payload that consists of these letters.
[[nodiscard]] inline Command payload_of(std::string_view text)
{
    auto payload = Command(text.size());
    std::transform(text.begin(), text.end(), payload.begin(),
                   [](char letter) { return static_cast<std::byte>(letter); });
    return payload;
}

/// How commands are given to a machine.
struct Feeding
{
    std::size_t batch = 1;  ///< So many at a time.
    bool overwrites = true; ///< Their bytes are overwritten after each call, since they last no longer than that.
};

/// What a machine did with commands.
template <state_machine Machine>
class Applied
{
public:
    using Response = typename Machine::Response;

    Applied(Machine& machine, std::vector<Command> const& commands, Feeding feeding, Findings& findings)
    {
        auto index = machine.applied_index();
        for (auto at = std::size_t{0}; at < commands.size(); at += feeding.batch) {
            auto const count = std::min(feeding.batch, commands.size() - at);
            findings.call("apply the commands " + std::to_string(at + 1) + " to " + std::to_string(at + count));
            auto views = std::vector<EntryView>{};
            for (auto const& command : std::span{commands}.subspan(at, count)) {
                index = next(index);
                auto const sealed = entry_slice(index, Term{1}, command);
                blocks_.emplace_back(sealed.bytes.begin(), sealed.bytes.end());
                views.push_back(*view_entry(blocks_.back()));
            }
            auto now = std::vector<Response>{};
            try {
                machine.apply(views, now);
            } catch (std::exception const& thrown) {
                findings.expect(false, "apply does not throw", thrown.what());
                return;
            }
            findings.expect(now.size() == count, "one response per command",
                            std::to_string(count) + " commands were answered by " + std::to_string(now.size()) +
                                " responses.");
            findings.expect(machine.applied_index() <= index, "the applied index is that of a command",
                            "It is " + std::to_string(machine.applied_index().value) + ", and the last command was " +
                                std::to_string(index.value) + ".");
            std::move(now.begin(), now.end(), std::back_inserter(responses));
            for (auto& block : std::span{blocks_}.last(feeding.overwrites ? count : 0))
                std::fill(block.begin(), block.end(), std::byte{0xA5});
        }
    }

    std::vector<Response> responses;

private:
    std::vector<Command>
        blocks_; ///< Encoded; kept, so that a machine which looks at them later does not read freed memory.
};

/// The laws of `state_machine` that the compiler cannot check: it is deterministic, however the commands are cut into batches;
/// it answers each; it keeps none of their bytes; its applied index names nothing that was not applied. With answers that
/// cannot be compared, determinism is not checked.
///
/// `make()` gives a machine in its first state. `commands` should reach all that it can do, and what a wrong client could
/// propose; they are applied in this order, from the index behind
/// `applied_index()` on.
template <typename Make>
[[nodiscard]] BrokenLaws check_state_machine(Make make, std::vector<Command> const& commands)
{
    using Machine = decltype(make());
    auto       findings = Findings{};
    auto const run = [&](Feeding feeding) {
        findings.begin("a new machine, given " + std::to_string(feeding.batch) + " commands at a time" +
                       (feeding.overwrites ? ", whose bytes are overwritten afterwards" : ""));
        auto machine = make();
        return Applied<Machine>{machine, commands, feeding, findings}.responses;
    };
    auto const first = run({1, false});
    if constexpr (std::equality_comparable<typename Machine::Response>) {
        auto const expect_the_same = [&](Feeding feeding, std::string const& law) {
            auto const other = run(feeding);
            auto const differs = std::mismatch(first.begin(), first.end(), other.begin(), other.end()).first;
            findings.expect(first == other, law,
                            "The response to command " + std::to_string(differs - first.begin() + 1) +
                                " is another one than when they were applied one by one for the first time.");
        };
        expect_the_same({1, false}, "the same commands give the same responses");
        for (auto const batch : {std::size_t{2}, std::size_t{7}, std::max<std::size_t>(1, commands.size())})
            expect_the_same({batch, false}, "batches make no difference");
        expect_the_same({1, true}, "no bytes are kept");
    } else
        (void)run({7, true});
    return findings.broken();
}

} // namespace totora::conformance
