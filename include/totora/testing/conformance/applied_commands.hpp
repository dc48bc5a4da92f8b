// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/policy/adapter.hpp"
#include "totora/testing/conformance/sample_entries.hpp"
#include "totora/testing/conformance/violations.hpp"

#include <range/v3/view/enumerate.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::inline v0::conformance
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

/// How a machine is given commands.
struct Feeding
{
    std::size_t batch = 1;  ///< So many at a time.
    bool overwrites = true; ///< Their bytes are overwritten after each call, since they last no longer than that.
};

/// The digest of a machine's state, for `if_offered`: it differs if what was applied differs, as in the simulator.
inline constexpr auto digest_of = [](auto const& machine) -> decltype(static_cast<std::uint64_t>(machine.digest())) {
    return static_cast<std::uint64_t>(machine.digest());
};

/// Whether a machine, or one that it wraps, has a digest.
template <typename Machine>
inline constexpr bool has_digest = offers<Machine const, decltype(digest_of)>();

/// Commands at the indexes at which a log would hold them: other entries are between them, and terms begin.
class PlacedCommands
{
public:
    PlacedCommands(std::vector<Command> const& commands, Index before_all) : before_all_(before_all)
    {
        auto index = before_all;
        for (auto const& [at, command] : commands | ranges::views::enumerate) {
            index = Index{index.value + 1 + at % 3 + (at == commands.size() / 2 ? std::uint64_t{1} << 33U : 0)};
            indexes_.push_back(index);
            auto const sealed = entry_slice(index, Term{1 + at / 4}, command);
            encoded_.emplace_back(sealed.bytes.begin(), sealed.bytes.end());
        }
    }

    [[nodiscard]] std::size_t    size() const { return indexes_.size(); }
    [[nodiscard]] Index          index(std::size_t at) const { return indexes_[at]; }
    [[nodiscard]] Command const& encoded(std::size_t at) const { return encoded_[at]; }

    /// How many of them have an index up to this one; nothing if none has this one.
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

    /// A digest, and the number of commands applied before it.
    using Digests = std::vector<std::pair<std::size_t, std::uint64_t>>;

    /// With the name of the law that is broken by commands that are not answered, or end the machine.
    explicit Applied(Violations& violations, std::string law_of_answers = {})
        : violations_(&violations), law_of_answers_(std::move(law_of_answers))
    {}

    /// Gives a machine the commands from `first` to before `end`, until it throws.
    void give(Machine& machine, PlacedCommands const& commands, std::size_t first, std::size_t end, Feeding feeding)
    {
        for (auto at = first; at < end; at += feeding.batch) {
            auto const count = std::min(feeding.batch, end - at);
            violations_->call("apply the commands " + std::to_string(at + 1) + " to " + std::to_string(at + count));
            auto views = std::vector<EntryView>{};
            for (auto one = at; one < at + count; ++one)
                views.push_back(*view_entry(blocks_.emplace_back(commands.encoded(one))));
            auto now = std::vector<Response>{};
            if (not applies(machine, views, now))
                return;
            expect(now.size() == count, "one response per command",
                   std::to_string(count) + " commands were answered by " + std::to_string(now.size()) + " responses.");
            std::move(now.begin(), now.end(), std::back_inserter(responses));
            for (auto& block : std::span{blocks_}.last(feeding.overwrites ? count : 0))
                std::fill(block.begin(), block.end(), std::byte{0xA5});
            look_at(machine, at + count);
            auto const applied = commands.count_through(machine.applied_index());
            violations_->expect(applied and *applied <= at + count, "the applied index is that of a command",
                                "It is " + std::to_string(machine.applied_index().value) +
                                    ", at which no command was applied.");
        }
        ended = true;
    }

    /// Records the state of a machine after so many commands.
    void look_at(Machine const& machine, std::size_t count)
    {
        if constexpr (has_digest<Machine>) {
            violations_->call("digest()");
            auto const look = [&] { return if_offered(machine, digest_of, [] { return std::uint64_t{0}; }); };
            auto const digest = look();
            violations_->expect(digest == look(), "a digest changes nothing",
                                "It was read twice, and was another one.");
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
        expect(false, "apply does not throw", thrown);
        return false;
    }

    void expect(bool kept, std::string const& law, std::string const& what)
    {
        violations_->expect(kept, law_of_answers_.empty() ? law : law_of_answers_, what);
    }

    Violations*          violations_;
    std::string          law_of_answers_;
    std::vector<Command> blocks_; ///< Kept, so that a machine which looks at them later does not read freed memory.
};

/// Compares what a machine did, from the command after `given` others on to before `end`, with what the first one did that was given
/// all of them one by one.
template <typename Machine>
void expect_the_same(Violations& violations, Applied<Machine> const& first, Applied<Machine> const& other,
                     std::size_t given, std::string const& law, std::string const& law_of_states,
                     std::size_t end = std::numeric_limits<std::size_t>::max())
{
    if (not first.ended or not other.ended)
        return;
    if constexpr (std::equality_comparable<typename Machine::Response>) {
        auto const responses = std::span{first.responses}.first(std::min(end, first.responses.size()));
        auto const later = responses.subspan(std::min(given, responses.size()));
        auto const mine = std::span{other.responses};
        auto const differs = std::mismatch(later.begin(), later.end(), mine.begin(), mine.end()).first;
        violations.expect(std::equal(later.begin(), later.end(), mine.begin(), mine.end()), law,
                          "The response to command " + std::to_string(differs - responses.begin() + 1) +
                              " is another one than when they were applied one by one for the first time.");
    }
    for (auto const& [count, digest] : other.digests)
        violations.expect(count >= first.digests.size() or first.digests[count].second == digest, law_of_states,
                          "After " + std::to_string(count) +
                              " commands the digest is another one than when they were applied one by one for the "
                              "first time.");
}

} // namespace totora::inline v0::conformance
