// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/explore/ghost_state.hpp"
#include "totora/testing/explore/step_cache.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace totora::inline v0::explore
{

/// How many messages can be in flight in a state that an exploration keeps.
inline constexpr std::size_t messages_max = 120; // Their number takes 7 bits.

/// A whole cluster at a moment: servers, messages and ghost state by number, and what is left of the scope's bounds.
struct GlobalState
{
    std::array<std::uint32_t, explored_servers_max> servers{};
    std::uint32_t                                   ghost = 0;
    BudgetUsed                                      spent;
    std::uint32_t                                   in_flight = 0;
    std::array<std::uint32_t, messages_max>         messages; ///< In order of their numbers.

    [[nodiscard]] std::uint32_t const* begin() const { return messages.data(); }
    [[nodiscard]] std::uint32_t const* end() const { return messages.data() + in_flight; }
};

/// A transition from one global state to the next: an event on one server, or the loss of a message.
struct Transition
{
    std::uint8_t  server = 0; ///< Its position.
    Happens       happens;
    std::uint16_t message = 0;   ///< The position of what is delivered or lost.
    bool          stays = false; ///< What is delivered stays in flight.
    bool          is_loss = false;
};

/// Calls `visit(transition)` for what can happen to a server that has to do with snapshots.
template <typename IsLeft, typename Visit>
void for_each_of_snapshots(std::size_t servers, std::uint8_t at, Facts const& facts, IsLeft is_left, Visit& visit)
{
    if (facts.has_applied_more and is_left(Budget::snapshots))
        visit(Transition{at, {Event::snapshot, 0}});
    for (auto follower = std::uint32_t{0}; follower < servers; ++follower)
        if ((facts.needing_chunks >> follower & 1U) != 0)
            visit(Transition{at, {Event::chunk, follower + 1}});
    if (facts.has_file)
        visit(Transition{at, {Event::file, 0}});
    if (facts.has_file and is_left(Budget::damages))
        visit(Transition{at, {Event::damage, 0}});
}

/// What an event spends, if it is bounded.
[[nodiscard]] inline std::optional<Budget> budget_of(Happens const& happens)
{
    switch (happens.event) {
    case Event::ring:
        switch (static_cast<Alarm>(happens.number)) {
        case Alarm::election:
            return Budget::elections;
        case Alarm::heartbeat:
            return Budget::heartbeats;
        case Alarm::catch_up:
            return Budget::catch_ups;
        default:
            return std::nullopt;
        }
    case Event::propose:
        return Budget::proposals;
    case Event::read:
        return Budget::reads;
    case Event::crash:
        return Budget::crashes;
    case Event::snapshot:
        return Budget::snapshots;
    case Event::damage:
        return Budget::damages;
    case Event::change:
        return Budget::changes;
    case Event::cancel:
        return Budget::cancels;
    case Event::transfer:
        return Budget::transfers;
    case Event::announce:
        return Budget::announcements;
    case Event::wipe:
        return Budget::wipes;
    case Event::deliver:
    case Event::persist:
    case Event::chunk:
    case Event::file:
        break;
    }
    return std::nullopt;
}

/// The servers on whose disks a log is the same up to an index, a bit for each position.
[[nodiscard]] inline unsigned
holders_of(GlobalState const& global, StepCache& steps, std::size_t servers, std::uint32_t log, Index index)
{
    auto holders = 0U;
    for (auto at = std::size_t{0}; at < servers; ++at) {
        auto const agreed = steps.agreement(log, steps.facts_of(global.servers[at]).disk_log);
        if (agreed and *agreed >= index)
            holders |= 1U << at;
    }
    return holders;
}

/// Calls `visit(transition)` for what a leader can be asked for: of the targets those that can be.
template <typename IsLeft, typename CanBe, typename Visit>
void for_each_request(Scope const& scope, std::uint8_t at, IsLeft is_left, CanBe can_be, Visit& visit)
{
    if (is_left(Budget::proposals))
        visit(Transition{at, {Event::propose, 0}});
    if (is_left(Budget::reads))
        visit(Transition{at, {Event::read, 0}});
    if (is_left(Budget::changes))
        for (auto target = std::uint32_t{0}; target < scope.targets.size(); ++target)
            if (can_be(scope.targets[target]))
                visit(Transition{at, {Event::change, target}});
    if (is_left(Budget::cancels))
        visit(Transition{at, {Event::cancel, 0}});
    auto const with_each_other = [&](Event event, Budget bound) {
        for (auto other = std::uint32_t{0}; is_left(bound) and other < scope.servers; ++other)
            if (other != at)
                visit(Transition{at, {event, other + 1}});
    };
    with_each_other(Event::transfer, Budget::transfers);
    with_each_other(Event::announce, Budget::announcements);
}

inline void add(GlobalState& global, std::uint32_t message, bool once)
{
    auto* const end = global.messages.data() + global.in_flight;
    auto* const at = std::lower_bound(global.messages.data(), end, message);
    if (once and at != end and *at == message)
        return;
    if (global.in_flight == messages_max)
        throw std::length_error("more messages are in flight than a global state can hold");
    std::copy_backward(at, end, end + 1);
    *at = message;
    ++global.in_flight;
}

inline void remove(GlobalState& global, std::size_t position)
{
    std::copy(global.begin() + position + 1, global.end(), global.messages.data() + position);
    --global.in_flight;
}

/// Sorts the messages again after some have changed; each occurs once if `once`.
inline void put_in_order(GlobalState& global, bool once)
{
    auto* const begin = global.messages.data();
    std::sort(begin, begin + global.in_flight);
    if (once)
        global.in_flight = static_cast<std::uint32_t>(std::unique(begin, begin + global.in_flight) - begin);
}

/// The bytes that distinguish a state from others, and from which it can be read again.
[[nodiscard]] inline std::size_t pack(GlobalState const& global, std::size_t servers, std::uint32_t* words)
{
    auto* at = std::copy_n(global.servers.data(), servers, words);
    *at++ = global.ghost;
    auto const bits = global.spent.bits();
    auto const is_long = bits > 0xffffffU; // Few scopes bound what is counted there.
    *at++ = static_cast<std::uint32_t>(bits & 0xffffffU) | global.in_flight << 24U | (is_long ? 1U << 31U : 0U);
    if (is_long)
        *at++ = static_cast<std::uint32_t>(bits >> 24U);
    at = std::copy(global.begin(), global.end(), at);
    return static_cast<std::size_t>(at - words);
}

/// Reads a state; returns how many words it took.
inline std::size_t unpack(GlobalState& global, std::size_t servers, std::uint32_t const* words)
{
    auto const* at = words;
    std::copy_n(at, servers, global.servers.data());
    at += servers;
    global.ghost = *at++;
    auto const first = *at++;
    global.spent = BudgetUsed{(first & 0xffffffU) | ((first >> 31U) != 0 ? std::uint64_t{*at++} << 24U : 0U)};
    global.in_flight = first >> 24U & 127U;
    std::copy_n(at, global.in_flight, global.messages.data());
    return static_cast<std::size_t>(at + global.in_flight - words);
}

} // namespace totora::inline v0::explore
