// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/replica.hpp"
#include "totora/testing/safety.hpp"

#include "support/builders.hpp"
#include "support/prove.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::test
{

using testing::InFlight;
using testing::Replica;

/// Servers whose messages, writes and alarms a test carries by hand, and whose power it cuts.
///
/// Nothing happens by itself. Every step is watched: the invariants of the server, and of the cluster the properties
/// of Figure 3 that no server can know alone. S1 is the first server.
class Cluster
{
public:
    /// Servers in these states, in order of their ids.
    constexpr explicit Cluster(std::vector<State> const& servers)
    {
        for (auto const& server : servers) {
            require(server.writes.durable == server.writes.last,
                    "a cluster begins with servers whose writes are durable");
            replicas_.push_back(testing::replica_of(server));
            if (server.log.base().index > safety_.committed.base().index)
                begins_after(server.log.base());
        }
    }

    /// New servers, started, with empty logs. After the voters come joiners, which know no configuration.
    constexpr explicit Cluster(std::uint64_t voters, Settings const& settings = {}, std::uint64_t joiners = 0)
        : Cluster(new_servers(voters, settings, joiners))
    {
        for (auto id = std::uint64_t{1}; id <= voters + joiners; ++id)
            happens(ServerId{id}, Started{});
    }

    [[nodiscard]] constexpr State const& operator[](ServerId server) const { return replica(server).state; }

    /// What the last step wanted done.
    [[nodiscard]] constexpr Outgoing const& outgoing() const { return outgoing_; }

    /// Something happens on a server itself.
    template <typename Local>
    constexpr Outgoing const& happens(ServerId where, Local const& happening)
    {
        return arrives(where, local(happening));
    }

    /// From now on a server can this: it runs another program.
    constexpr void runs(ServerId where, Abilities const& can) { replica(where).state.settings.can = can; }

    /// The newest arming of an alarm rings.
    constexpr Outgoing const& rings(ServerId where, Alarm alarm) { return arrives(where, ring((*this)[where], alarm)); }

    /// A server receives nothing from a leader for the minimum election timeout.
    constexpr void finds_leader_silent(ServerId where) { rings(where, Alarm::leader_silent); }

    /// No leader is active until the server campaigns.
    constexpr Outgoing const& times_out(ServerId where)
    {
        finds_leader_silent(where);
        return rings(where, Alarm::election);
    }

    /// Every write up to `write` becomes durable, and the messages that waited for it leave.
    constexpr Outgoing const& persists(ServerId where, WriteNumber write)
    {
        auto& server = replica(where);
        testing::flush(server, testing::writes_through(server, write));
        testing::release(server, write, in_flight_);
        return happens(where, Persisted{write});
    }

    /// Every write becomes durable.
    constexpr Outgoing const& persists(ServerId where) { return persists(where, (*this)[where].writes.last); }

    /// Everything up to an entry was committed before.
    constexpr void begins_after(LogPosition committed) { safety_.committed.restore(committed); }

    /// A snapshot of what a server has applied is durable.
    constexpr Outgoing const& takes_snapshot(ServerId where, std::uint64_t bytes = 2)
    {
        auto& server = replica(where);
        server.snapshot = testing::snapshot_of(server.state, bytes);
        if (auto const known = configurations_at(server.state.configurations, server.state.apply_index))
            snapshots_.push_back({server.snapshot, *known});
        return happens(where, SnapshotTaken{server.state.apply_index});
    }

    /// The newest snapshot of a leader is sent to a follower, in as many chunks of one byte as it wants and is answered for.
    constexpr void sends_snapshot(ServerId leader, ServerId follower)
    {
        for (auto wanted = next_chunk(leader, follower); wanted; wanted = next_chunk(leader, follower)) {
            happens(leader, *wanted);
            deliver_all(leader, follower);
            deliver_all(follower, leader);
        }
    }

    /// The chunk that a leader wants for a follower, of its newest snapshot; nothing if it wants none.
    [[nodiscard]] constexpr std::optional<ChunkReady> next_chunk(ServerId leader, ServerId follower)
    {
        auto& server = replica(leader);
        for (auto at = server.wanted.begin(); at != server.wanted.end(); ++at)
            if (at->server == follower) {
                auto const offset = at->snapshot == server.snapshot ? at->offset : 0;
                server.wanted.erase(at);
                return std::optional<ChunkReady>{ChunkReady{follower, server.snapshot, offset, 1}};
            }
        return std::nullopt;
    }

    /// What a server has received of a snapshot is whole, verified and durable.
    constexpr Outgoing const& receives_snapshot(ServerId where)
    {
        auto& server = replica(where);
        auto  configurations = server.state.configurations;
        for (auto const& taken : snapshots_)
            if (taken.snapshot == server.file.snapshot)
                configurations = taken.configurations;
        return happens(where, testing::verify(server, configurations));
    }

    /// The oldest message in flight from one server to another arrives.
    constexpr Outgoing const& deliver(ServerId sender, ServerId to) { return arrives(take_in_flight(sender, to)); }

    /// Everything in flight from one server to another arrives.
    constexpr void deliver_all(ServerId sender, ServerId to)
    {
        for (auto count = messages_in_flight(sender, to).size(); count > 0; --count)
            deliver(sender, to);
    }

    /// Takes the oldest message in flight out of the network, to arrive later, again, or never.
    [[nodiscard]] constexpr Message take(ServerId sender, ServerId to)
    {
        auto parts = std::vector<Message>{};
        testing::for_each_part(take_in_flight(sender, to), [&](auto const& part) {
            parts.push_back({sender, MessageBody{part}});
        });
        require(parts.size() == 1, "what is cut where it arrives is delivered");
        return parts.front();
    }

    /// Everything in flight from one server to another is lost.
    constexpr void drop(ServerId sender, ServerId to)
    {
        auto kept = std::vector<InFlight>{};
        for (auto const& message : in_flight_)
            if (message.from != sender or message.to != to)
                kept.push_back(message);
        in_flight_ = std::move(kept);
    }

    /// Everything in flight is lost.
    constexpr void drop_all() { in_flight_.clear(); }

    /// What is in flight from one server to another, oldest first.
    [[nodiscard]] constexpr std::vector<Rpc> messages_in_flight(ServerId sender, ServerId to) const
    {
        auto found = std::vector<Rpc>{};
        for (auto const& message : in_flight_)
            if (message.from == sender and message.to == to)
                found.push_back(message.rpc);
        return found;
    }

    /// A message arrives, each part of it in a step.
    constexpr Outgoing const& arrives(InFlight const& message)
    {
        testing::for_each_part(message, [&](auto const& part) {
            arrives(message.to, Message{message.from, MessageBody{part}});
        });
        return outgoing_;
    }

    /// A message arrives, or something happens.
    constexpr Outgoing const& arrives(ServerId to, Message const& message)
    {
        auto&      server = replica(to);
        auto const earlier = server.state;
        advance(server.state, message, outgoing_);
        require_nothing(testing::find_broken_effect(server, outgoing_));
        require_invariants(earlier, server.state);
        require_laws(earlier, message, server.state, outgoing_);
        auto const* came = std::get_if<AppendConfiguration>(&message.body);
        testing::perform(server, outgoing_, in_flight_, came != nullptr ? &came->configuration : nullptr);
        watch(to);
        return outgoing_;
    }

    /// These servers reach each other and their disks work until nothing moves; all other messages are lost.
    constexpr void settle(std::initializer_list<ServerId> connected)
    {
        auto const is_connected = [&](ServerId server) {
            return std::find(connected.begin(), connected.end(), server) != connected.end();
        };
        for (auto moved = true; moved;) {
            moved = false;
            for (auto const server : connected)
                if (not replica(server).writes.empty()) {
                    persists(server);
                    moved = true;
                }
            auto arriving = std::exchange(in_flight_, {});
            for (auto const& message : arriving)
                if (is_connected(message.from) and is_connected(message.to)) {
                    arrives(message);
                    moved = true;
                }
        }
    }

    /// A server campaigns, and these servers, which have no active leader either, receive from it and each other until nothing moves.
    constexpr void campaigns(ServerId candidate, std::initializer_list<ServerId> connected)
    {
        for (auto const server : connected)
            if (not is_leader((*this)[server]))
                finds_leader_silent(server);
        rings(candidate, Alarm::election);
        settle(connected);
    }

    /// The power of a server fails and returns: what was not durable is gone, and so are the messages that waited for it.
    constexpr void loses_power(ServerId where) { loses_power(where, WriteNumber{}); }

    /// The same, when its writes up to `kept` had become durable and not been reported.
    constexpr void loses_power(ServerId where, WriteNumber kept)
    {
        auto& server = replica(where);
        require(testing::lose_power(server, testing::writes_through(server, kept)), "what was durable makes a server");
        happens(where, Started{});
    }

private:
    [[nodiscard]] constexpr Replica& replica(ServerId server)
    {
        return replicas_[static_cast<std::size_t>(server.value - 1)];
    }
    [[nodiscard]] constexpr Replica const& replica(ServerId server) const
    {
        return replicas_[static_cast<std::size_t>(server.value - 1)];
    }

    [[nodiscard]] constexpr InFlight take_in_flight(ServerId sender, ServerId to)
    {
        for (auto at = in_flight_.begin(); at != in_flight_.end(); ++at)
            if (at->from == sender and at->to == to) {
                auto message = std::move(*at);
                in_flight_.erase(at);
                return message;
            }
        require(false, "a message is on the way");
        return {};
    }

    /// What one step of `server` can violate of Figure 3, and of what must hold between a server and its disk.
    constexpr void watch(ServerId server)
    {
        auto const& state = (*this)[server];
        require(not testing::find_broken_invariant(replica(server)), "what a server takes for durable is durable");
        require_nothing(safety_.observe(state));
        for (auto const& other : replicas_)
            if (not testing::find_agreement(state.log, other.state.log))
                require_nothing(testing::figure_3::log_matching);
    }

    /// States that no property is violated.
    static constexpr void require_nothing(std::optional<std::string_view> violation)
    {
        if (violation)
            require(false, violation->data());
    }

    std::vector<Replica>          replicas_;
    std::vector<InFlight>         in_flight_;
    std::vector<SnapshotReceived> snapshots_; ///< Those that were taken, with the configurations in them.
    Outgoing                      outgoing_;
    testing::Safety               safety_;
};

} // namespace totora::test
