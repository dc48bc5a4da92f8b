// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/rules/invariants.hpp"
#include "totora/core/step.hpp"
#include "totora/testing/explore/fields.hpp"
#include "totora/testing/explore/scope.hpp"
#include "totora/testing/laws/step.hpp"
#include "totora/testing/replica.hpp"

#include <range/v3/algorithm/sort.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace totora::inline v0::explore
{

using testing::bit_of;
using testing::InFlight;
using testing::number_of;
using testing::Replica;

template <typename Walker>
void walk(Walker& walker, Replica& server)
{
    walk(walker, server.state);
    walker.number(server.disk.current_term.value);
    walk_optional(walker, server.disk.voted_for, [&](ServerId& voted_for) { walker.server(voted_for); });
    walk(walker, server.disk.log);
    auto writes = std::uint64_t{server.writes.size()};
    walker.number(writes);
    server.writes.resize(static_cast<std::size_t>(writes));
    for (auto& pending : server.writes)
        walk_variant(walker, pending.write);
    walk_all(walker, server.sealed);
    walker.number(server.armed);
}

/// Followers are in order of their ids, and what waits for one write in any: the network forgets the order anyway.
inline void put_in_order(Replica& server)
{
    ranges::sort(server.state.followers, {}, &Progress::server);
    auto const bytes_of = [](Envelope envelope) {
        auto bytes = std::string{};
        auto writer = Writer{bytes};
        walk(writer, envelope);
        return bytes;
    };
    ranges::sort(server.sealed, {}, bytes_of);
}

/// The effects of an event on one server beyond that server.
struct Consequences
{
    std::vector<InFlight>           left;
    std::optional<Round>            read_started;
    std::optional<ReadAllowed>      read_allowed;
    std::optional<std::string_view> broken; ///< The property that is violated.
};

/// Checks whether the promises in what has left since `first` are durable.
inline void check_promises(Replica const& server, std::size_t first, Consequences& consequences)
{
    for (auto at = first; at < consequences.left.size() and not consequences.broken; ++at)
        consequences.broken = testing::find_broken_promise(server, consequences.left[at]);
}

/// One step of the shipped core, with its effects performed and its invariants checked.
template <typename T>
void happen(Replica& server, ServerId from, T const& event, Outgoing& outgoing, Consequences& consequences)
{
    auto const earlier = server.state;
    auto const left_before = consequences.left.size();
    core::advance(server.state, from, event, outgoing);
    testing::perform(server, outgoing, consequences.left);
    if (outgoing.answer)
        if (auto const* started = std::get_if<ReadStarted>(&*outgoing.answer))
            consequences.read_started = started->round;
    if (outgoing.read_allowed)
        consequences.read_allowed = outgoing.read_allowed;
    for (auto const decision : outgoing.decisions)
        if (is_violation(decision))
            consequences.broken = to_string(decision);
    if (not consequences.broken)
        consequences.broken = testing::find_broken_invariant(server);
    if (not consequences.broken)
        consequences.broken = find_broken_invariant(earlier, server.state);
    if (not consequences.broken)
        consequences.broken = laws::find_violated_law(earlier, from, event, server.state, outgoing);
    check_promises(server, left_before, consequences);
}

/// The newest arming of an alarm rings; it rings once.
inline void ring(Replica& server, Alarm alarm, Outgoing& outgoing, Consequences& consequences)
{
    server.armed = static_cast<std::uint8_t>(server.armed & ~bit_of(alarm));
    happen(server, nobody, testing::newest_ring(server.state, alarm), outgoing, consequences);
}

/// The oldest `count` writes become durable, and what waited for them leaves.
inline void persist(Replica& server, std::size_t count, Outgoing& outgoing, Consequences& consequences)
{
    auto const write = number_of(server.writes[count - 1].write);
    testing::flush(server, count);
    testing::release(server, write, consequences.left);
    check_promises(server, 0, consequences);
    happen(server, nobody, Persisted{write}, outgoing, consequences);
}

/// The power fails and returns, when the oldest `kept` of the writes in flight had reached the disk.
inline void crash(Replica& server, std::size_t kept, Outgoing& outgoing, Consequences& consequences)
{
    if (testing::lose_power(server, kept))
        happen(server, nobody, Started{}, outgoing, consequences);
    else
        consequences.broken = "what was durable makes a server";
}

} // namespace totora::inline v0::explore
