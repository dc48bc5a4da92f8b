// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/policy/transport.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::test
{

/// How often what goes wrong, of a thousand messages.
struct NetworkFaults
{
    std::uint32_t lost = 0;
    std::uint32_t repeated = 0;
    std::uint32_t reordered = 0;
};

/// A network in one thread that loses, repeats, reorders and cuts off, from one seed.
class FaultyNetwork
{
public:
    explicit FaultyNetwork(std::uint64_t seed) : random_(seed) {}

    NetworkFaults faults;

    /// A group of servers communicates only within itself; servers in no group communicate with each other.
    void partition(std::set<ServerId> group) { group_ = std::move(group); }

    void heal()
    {
        group_.clear();
        faults = {};
    }

    void send(ServerId from, Released const& message, Entries const& entries, PinnedBytes const& chunk = {})
    {
        if (chance(faults.lost) or group_.contains(from) != group_.contains(message.to()))
            return;
        auto&      wire = wires_[message.to()];
        auto const copies = chance(faults.repeated) ? 2 : 1;
        for (auto copy = 0; copy < copies; ++copy) {
            auto const back = chance(faults.reordered) and not wire.empty() ? random_() % (wire.size() + 1) : 0;
            wire.insert(wire.end() - static_cast<std::ptrdiff_t>(back), Received{from, message.rpc(), entries, chunk});
        }
    }

    /// Moves one message from the wire to its addressee's door. False if there is none.
    bool deliver(ServerId to)
    {
        auto& wire = wires_[to];
        if (wire.empty())
            return false;
        doors_[to].push_back(TransportEvent{std::move(wire.front())});
        wire.pop_front();
        return true;
    }

    [[nodiscard]] std::optional<TransportEvent> receive(ServerId at)
    {
        auto& door = doors_[at];
        if (door.empty())
            return std::nullopt;
        auto event = std::move(door.front());
        door.pop_front();
        return event;
    }

    /// The addressee is gone: what is at its door goes with it. What is on the wire may still arrive at its successor.
    void forget(ServerId server) { doors_[server].clear(); }

    /// The wires are cut: nothing that was sent arrives.
    void lose_everything()
    {
        wires_.clear();
        doors_.clear();
    }

    [[nodiscard]] bool chance(std::uint32_t of_a_thousand) { return random_() % 1000 < of_a_thousand; }

private:
    std::mt19937_64                                random_;
    std::set<ServerId>                             group_;
    std::map<ServerId, std::deque<Received>>       wires_;
    std::map<ServerId, std::deque<TransportEvent>> doors_;
};

/// One server's end of it.
class FaultyTransport
{
public:
    FaultyTransport(FaultyNetwork& network, ServerId id) : network_(&network), id_(id) {}

    void send(Released const& message, Entries const& entries) { network_->send(id_, message, entries); }
    void send_chunk(Released const& message, PinnedBytes const& chunk) { network_->send(id_, message, {}, chunk); }
    [[nodiscard]] std::optional<TransportEvent> receive() { return network_->receive(id_); }
    void                                        update(ServerId, Incarnation, std::string_view) {}

private:
    FaultyNetwork* network_;
    ServerId       id_;
};

static_assert(chunk_transport<FaultyTransport>);

} // namespace totora::test
