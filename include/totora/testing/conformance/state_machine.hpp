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
#include <functional>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
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

/// Whether a machine says in a number what it holds: it differs if what was done differs, as in the simulator.
template <typename Machine>
inline constexpr bool has_digest = requires(Machine const& machine)
{
    static_cast<std::uint64_t>(machine.digest());
};

/// Commands at the indexes at which a log would hold them: other entries stand between them, and terms begin.
class PlacedCommands
{
public:
    PlacedCommands(std::vector<Command> const& commands, Index before_all) : before_all_(before_all)
    {
        auto index = before_all;
        for (auto at = std::size_t{0}; at < commands.size(); ++at) {
            index = Index{index.value + 1 + at % 3};
            indexes_.push_back(index);
            auto const sealed = entry_slice(index, Term{1 + at / 4}, commands[at]);
            encoded_.emplace_back(sealed.bytes.begin(), sealed.bytes.end());
        }
    }

    [[nodiscard]] std::size_t    size() const { return indexes_.size(); }
    [[nodiscard]] Index          index(std::size_t at) const { return indexes_[at]; }
    [[nodiscard]] Command const& encoded(std::size_t at) const { return encoded_[at]; }

    /// How many of them stand up to this index; nothing if it is that of none.
    [[nodiscard]] std::optional<std::size_t> count_through(Index index) const
    {
        if (index == before_all_)
            return 0;
        auto const found = std::find(indexes_.begin(), indexes_.end(), index);
        return found == indexes_.end() ? std::optional<std::size_t>{}
                                       : static_cast<std::size_t>(found - indexes_.begin()) + 1;
    }

private:
    Index                before_all_; ///< The applied index of a machine in its first state.
    std::vector<Index>   indexes_;
    std::vector<Command> encoded_;
};

/// What a machine does with commands.
template <typename Machine>
class Applied
{
public:
    using Response = typename Machine::Response;

    /// A digest, and after how many commands it was that.
    using Digests = std::vector<std::pair<std::size_t, std::uint64_t>>;

    explicit Applied(Findings& findings) : findings_(findings) {}

    /// Gives a machine the commands from `first` to before `end`, until it throws.
    void give(Machine& machine, PlacedCommands const& commands, std::size_t first, std::size_t end, Feeding feeding)
    {
        for (auto at = first; at < end; at += feeding.batch) {
            auto const count = std::min(feeding.batch, end - at);
            findings_.call("apply the commands " + std::to_string(at + 1) + " to " + std::to_string(at + count));
            auto views = std::vector<EntryView>{};
            for (auto one = at; one < at + count; ++one)
                views.push_back(*view_entry(blocks_.emplace_back(commands.encoded(one))));
            auto now = std::vector<Response>{};
            if (not applies(machine, views, now))
                return;
            findings_.expect(now.size() == count, "one response per command",
                             std::to_string(count) + " commands were answered by " + std::to_string(now.size()) +
                                 " responses.");
            std::move(now.begin(), now.end(), std::back_inserter(responses));
            for (auto& block : std::span{blocks_}.last(feeding.overwrites ? count : 0))
                std::fill(block.begin(), block.end(), std::byte{0xA5});
            look_at(machine, at + count);
            auto const applied = commands.count_through(machine.applied_index());
            findings_.expect(applied and *applied <= at + count, "the applied index is that of a command",
                             "It is " + std::to_string(machine.applied_index().value) +
                                 ", at which no command was applied.");
        }
        ended = true;
    }

    /// Notes what a machine holds after so many commands.
    void look_at(Machine const& machine, std::size_t count)
    {
        if constexpr (has_digest<Machine>) {
            findings_.call("digest()");
            auto const digest = static_cast<std::uint64_t>(machine.digest());
            findings_.expect(digest == static_cast<std::uint64_t>(machine.digest()), "a digest changes nothing",
                             "It was asked for twice, and was another one.");
            digests.emplace_back(count, digest);
        }
    }

    std::vector<Response> responses;
    Digests               digests;
    bool                  ended = false; ///< All commands were given, and none threw.

private:
    [[nodiscard]] bool applies(Machine& machine, std::vector<EntryView> const& views, std::vector<Response>& now)
    {
        auto thrown = std::string{};
        try {
            machine.apply(views, now);
            return true;
        } catch (std::exception const& exception) {
            thrown = exception.what();
        } catch (...) {
            thrown = "It threw what is no std::exception.";
        }
        findings_.expect(false, "apply does not throw", thrown);
        return false;
    }

    Findings&            findings_;
    std::vector<Command> blocks_; ///< Kept, so that a machine which looks at them later does not read freed memory.
};

/// The checks of a state machine. Use `check_state_machine`.
template <typename Make>
class StateMachineChecks
{
public:
    using Machine = decltype(std::declval<Make&>()());
    using Told = Applied<Machine>;

    StateMachineChecks(Make& make, std::vector<Command> const& commands, Findings& findings)
        : make_(make), findings_(findings), commands_(commands, make().applied_index()), first_(run({1, false}))
    {}

    void the_digest_tells_states_apart()
    {
        auto const same = [&](auto const& one) { return one.second == first_.digests.front().second; };
        findings_.expect(not has_digest<Machine> or
                             std::any_of(first_.digests.begin(), first_.digests.end(), std::not_fn(same)),
                         "the digest tells states apart",
                         "It is the same before the first command, after each of them and after the last.");
    }

    void expect_the_same(Feeding feeding, std::string const& law) { compare(run(feeding), 0, law, law); }

    void the_same_commands_give_the_same()
    {
        compare(run({1, false}), 0, "the same commands give the same responses",
                "the same commands give the same state");
    }

    /// The process ends after some of the commands; the machine that is there then is given what is behind its applied index.
    template <typename Restart>
    void a_restart_goes_on_behind_the_applied_index(Restart& restart)
    {
        constexpr auto law = "a restart goes on behind the applied index";
        for (auto const end : {std::size_t{1}, commands_.size() / 2, commands_.size() - 1, commands_.size()}) {
            findings_.begin("a new machine");
            auto told = Told{findings_};
            {
                auto machine = make_();
                told.give(machine, commands_, 0, end, {2, true});
                if (not told.ended)
                    return;
            }
            findings_.call("restart");
            auto       machine = restart();
            auto const kept = commands_.count_through(machine.applied_index());
            findings_.expect(kept and *kept <= end, law,
                             "After a restart the applied index is " + std::to_string(machine.applied_index().value) +
                                 ", that of no command that was applied.");
            if (not kept)
                return;
            auto again = Told{findings_};
            again.look_at(machine, *kept);
            again.give(machine, commands_, *kept, commands_.size(), {1, true});
            compare(again, *kept, law, law);
        }
    }

private:
    [[nodiscard]] Told run(Feeding feeding)
    {
        findings_.begin("a new machine, given " + std::to_string(feeding.batch) + " commands at a time" +
                        (feeding.overwrites ? ", whose bytes are overwritten afterwards" : ""));
        auto machine = make_();
        auto told = Told{findings_};
        told.look_at(machine, 0);
        told.give(machine, commands_, 0, commands_.size(), feeding);
        return told;
    }

    /// Compares with what was told when the commands were applied one by one for the first time, from behind `given` commands on.
    void compare(Told const& other, std::size_t given, std::string const& law, std::string const& law_of_states)
    {
        if (not first_.ended or not other.ended)
            return;
        if constexpr (std::equality_comparable<typename Machine::Response>) {
            auto const begin =
                first_.responses.begin() + static_cast<std::ptrdiff_t>(std::min(given, first_.responses.size()));
            auto const differs =
                std::mismatch(begin, first_.responses.end(), other.responses.begin(), other.responses.end()).first;
            findings_.expect(std::equal(begin, first_.responses.end(), other.responses.begin(), other.responses.end()),
                             law,
                             "The response to command " + std::to_string(differs - first_.responses.begin() + 1) +
                                 " is another one than when they were applied one by one for the first time.");
        }
        for (auto const& [count, digest] : other.digests)
            findings_.expect(
                count >= first_.digests.size() or first_.digests[count].second == digest, law_of_states,
                "After " + std::to_string(count) +
                    " commands the digest is another one than when they were applied one by one for the first time.");
    }

    Make&          make_;
    Findings&      findings_;
    PlacedCommands commands_;
    Told           first_;
};

/// The laws of `state_machine` that the compiler cannot check: it is deterministic, however the commands are cut into batches;
/// it answers each; it keeps none of their bytes; its applied index is that of a command that was applied.
///
/// `make()` gives a machine in its first state. `commands` should reach all that it can do, and what a wrong client could
/// propose; they are applied in this order, behind `applied_index()`. Between their indexes there are gaps, as other entries leave them.
///
/// Two machines are the same if they give the same responses and, if they have one, the same `digest()`, which the simulator asks
/// for as well. Without it, what differs in the state and in no response is not found; so a machine whose responses cannot be
/// compared needs one.
///
/// For a machine that keeps something over restarts, `restart()` gives the one that a new process would find after the last one of
/// `make()` has ended.
template <typename Make, typename Restart = std::nullptr_t>
[[nodiscard]] BrokenLaws check_state_machine(Make make, std::vector<Command> const& commands, Restart restart = {})
{
    using Machine = decltype(make());
    static_assert(state_machine<Machine>, "policy/state_machine.hpp says what a state machine needs");
    static_assert(std::equality_comparable<typename Machine::Response> or has_digest<Machine>,
                  "responses that can be compared, or a digest(), without which nothing could be seen");
    auto findings = Findings{};
    findings.begin("no machine");
    findings.expect(not commands.empty(), "there is a command to apply",
                    "The kit was given none, and can see nothing.");
    if (commands.empty())
        return findings.broken();
    auto checks = StateMachineChecks<Make>{make, commands, findings};
    checks.the_digest_tells_states_apart();
    checks.the_same_commands_give_the_same();
    for (auto const batch : {std::size_t{2}, std::size_t{7}, std::max<std::size_t>(1, commands.size())})
        checks.expect_the_same({batch, false}, "batches make no difference");
    checks.expect_the_same({1, true}, "no bytes are kept");
    if constexpr (not std::same_as<Restart, std::nullptr_t>)
        checks.a_restart_goes_on_behind_the_applied_index(restart);
    else
        static_cast<void>(restart);
    return findings.broken();
}

} // namespace totora::conformance
