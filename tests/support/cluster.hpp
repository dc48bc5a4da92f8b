// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/builders.hpp"
#include "support/prove.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>
#include <variant>
#include <vector>

namespace totora::test
{

/// A log that gives its word: only one can open what waits for a write.
struct TestDurable : DurableSource
{
    [[nodiscard]] static constexpr Durable through(WriteNumber write) { return durable_through(write); }
};

/// A message that has left its sender and has not arrived.
struct InFlight
{
    ServerId from;
    ServerId to;
    Rpc      rpc;
};

/// A write that has been made and is not durable, with what its entries hold.
struct PendingWrite
{
    Write                        write;
    std::optional<Configuration> configuration;
};

/// Servers whose messages, writes and alarms a test carries by hand, and whose power it cuts.
///
/// Nothing happens by itself. Every step is watched: the invariants of the server, and of the cluster the properties
/// of Figure 3 that no server can know alone. S1 is the first server.
class Cluster
{
public:
    /// Servers in these states, in order of their ids.
    constexpr explicit Cluster(std::vector<State> servers) : servers_(std::move(servers))
    {
        for (auto const& server : servers_) {
            disks_.push_back(Disk{});
            disks_.back().durable = durable_part(server);
        }
    }

    /// New servers, started, with empty logs.
    constexpr explicit Cluster(std::uint64_t voters, Settings const& settings = {})
        : Cluster(new_servers(voters, settings))
    {
        for (auto id = std::uint64_t{1}; id <= voters; ++id)
            happens(ServerId{id}, Started{});
    }

    [[nodiscard]] constexpr State const& operator[](ServerId server) const { return servers_[position(server)]; }

    /// What the last step wanted done.
    [[nodiscard]] constexpr Outgoing const& outgoing() const { return outgoing_; }

    /// Something happens on a server itself.
    template <typename Local>
    constexpr Outgoing const& happens(ServerId where, Local const& happening)
    {
        return arrives(where, local(happening));
    }

    /// The newest arming of an alarm rings.
    constexpr Outgoing const& rings(ServerId where, Alarm alarm) { return arrives(where, ring((*this)[where], alarm)); }

    /// A server hears no leader for the minimum election timeout.
    constexpr void hears_no_leader(ServerId where) { rings(where, Alarm::leader_silent); }

    /// No leader is heard until the server campaigns.
    constexpr Outgoing const& times_out(ServerId where)
    {
        hears_no_leader(where);
        return rings(where, Alarm::election);
    }

    /// Every write up to `write` becomes durable, and the messages that waited for it leave.
    constexpr Outgoing const& persists(ServerId where, WriteNumber write)
    {
        auto& disk = disks_[position(where)];
        auto  done = std::size_t{0};
        while (done < disk.pending.size() and number_of(disk.pending[done].write) <= write)
            make(disk.durable, disk.pending[done++]);
        disk.pending.erase(disk.pending.begin(), disk.pending.begin() + static_cast<std::ptrdiff_t>(done));
        auto still_sealed = std::vector<Envelope>{};
        for (auto const& envelope : disk.sealed)
            if (auto const released = envelope.open(TestDurable::through(write)))
                in_flight_.push_back({where, released->to(), released->rpc()});
            else
                still_sealed.push_back(envelope);
        disk.sealed = std::move(still_sealed);
        return happens(where, Persisted{write});
    }

    /// Every write becomes durable.
    constexpr Outgoing const& persists(ServerId where) { return persists(where, (*this)[where].writes.last); }

    /// The oldest message on the way from one server to another arrives.
    constexpr Outgoing const& deliver(ServerId sender, ServerId to) { return arrives(to, take(sender, to)); }

    /// Everything on the way from one server to another arrives.
    constexpr void deliver_all(ServerId sender, ServerId to)
    {
        for (auto count = on_the_way(sender, to).size(); count > 0; --count)
            deliver(sender, to);
    }

    /// Takes the oldest message on the way out of the network, to arrive later, again, or never.
    [[nodiscard]] constexpr Message take(ServerId sender, ServerId to)
    {
        for (auto at = in_flight_.begin(); at != in_flight_.end(); ++at)
            if (at->from == sender and at->to == to) {
                auto const message = message_from(sender, at->rpc);
                in_flight_.erase(at);
                return message;
            }
        require(false, "a message is on the way");
        return {};
    }

    /// Everything on the way from one server to another is lost.
    constexpr void drop(ServerId sender, ServerId to)
    {
        auto kept = std::vector<InFlight>{};
        for (auto const& message : in_flight_)
            if (message.from != sender or message.to != to)
                kept.push_back(message);
        in_flight_ = std::move(kept);
    }

    /// Everything on the way is lost.
    constexpr void drop_all() { in_flight_.clear(); }

    /// What is on the way from one server to another, oldest first.
    [[nodiscard]] constexpr std::vector<Rpc> on_the_way(ServerId sender, ServerId to) const
    {
        auto found = std::vector<Rpc>{};
        for (auto const& message : in_flight_)
            if (message.from == sender and message.to == to)
                found.push_back(message.rpc);
        return found;
    }

    /// A message arrives, or something happens.
    constexpr Outgoing const& arrives(ServerId to, Message const& message)
    {
        auto&      server = servers_[position(to)];
        auto const earlier = server;
        advance(server, message, outgoing_);
        require_invariants(earlier, server);
        require_laws(earlier, message, server, outgoing_);
        auto& disk = disks_[position(to)];
        for (auto const& write : outgoing_.writes)
            disk.pending.push_back({write, configuration_of(server, write)});
        for (auto const& envelope : outgoing_.messages)
            if (auto const released = envelope.open())
                in_flight_.push_back({to, released->to(), released->rpc()});
            else
                disk.sealed.push_back(envelope);
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
                if (not disks_[position(server)].pending.empty()) {
                    persists(server);
                    moved = true;
                }
            auto arriving = std::exchange(in_flight_, {});
            for (auto const& message : arriving)
                if (is_connected(message.from) and is_connected(message.to)) {
                    arrives(message.to, message_from(message.from, message.rpc));
                    moved = true;
                }
        }
    }

    /// A server campaigns, and these servers, which hear no leader either, hear it and each other until nothing moves.
    constexpr void campaigns(ServerId candidate, std::initializer_list<ServerId> connected)
    {
        for (auto const server : connected)
            if (not is_leader((*this)[server]))
                hears_no_leader(server);
        rings(candidate, Alarm::election);
        settle(connected);
    }

    /// The power of a server fails and returns: what was not durable is gone, and so are the messages that waited for it.
    constexpr void loses_power(ServerId where) { loses_power(where, WriteNumber{}); }

    /// The same, when its writes up to `kept` had become durable and nobody had been told.
    constexpr void loses_power(ServerId where, WriteNumber kept)
    {
        auto& disk = disks_[position(where)];
        for (auto const& pending : disk.pending)
            if (number_of(pending.write) <= kept)
                make(disk.durable, pending);
        disk.pending.clear();
        disk.sealed.clear();
        auto restarted = recover((*this)[where].settings, (*this)[where].own, disk.durable);
        require(restarted.has_value(), "what was durable makes a server");
        servers_[position(where)] = *std::move(restarted);
        happens(where, Started{});
    }

private:
    /// What one server has beside its state: a disk, and messages that wait for it.
    struct Disk
    {
        RecoveredState            durable;
        std::vector<PendingWrite> pending;
        std::vector<Envelope>     sealed;
    };

    /// Who was seen to lead a term.
    struct Reign
    {
        Term     term;
        ServerId leader;
    };

    [[nodiscard]] static constexpr std::size_t position(ServerId server)
    {
        return static_cast<std::size_t>(server.value - 1);
    }

    [[nodiscard]] static constexpr std::vector<State> new_servers(std::uint64_t voters, Settings const& settings)
    {
        auto servers = std::vector<State>{};
        for (auto id = std::uint64_t{1}; id <= voters; ++id) {
            servers.push_back(server(ServerId{id}, Term{}, TermRuns{}, voters));
            servers.back().settings = settings;
        }
        return servers;
    }

    [[nodiscard]] static constexpr RecoveredState durable_part(State const& server)
    {
        require(server.writes.durable == server.writes.last, "a cluster begins with servers whose writes are durable");
        return {.current_term = server.current_term,
                .voted_for = server.voted_for,
                .log = server.log,
                .configuration = server.configurations.in_force,
                .previous_configuration = server.configurations.previous,
                .commit_index = Index{},
                .applied_index = Index{}};
    }

    [[nodiscard]] static constexpr WriteNumber number_of(Write const& write)
    {
        return std::visit([](auto const& made) { return made.write; }, write);
    }

    [[nodiscard]] static constexpr std::optional<Configuration>
    configuration_of(State const& server, Write const& write)
    {
        auto const* append = std::get_if<Append>(&write);
        return append != nullptr ? configuration_in(server, append->entries) : std::nullopt;
    }

    static constexpr void make(RecoveredState& durable, PendingWrite const& pending)
    {
        if (auto const* vote = std::get_if<SaveVote>(&pending.write)) {
            durable.current_term = vote->term;
            durable.voted_for = vote->voted_for;
        } else if (auto const* append = std::get_if<Append>(&pending.write)) {
            durable.log.append(append->entries);
            if (pending.configuration) {
                durable.previous_configuration = durable.configuration;
                durable.configuration = *pending.configuration;
            }
        } else if (auto const* truncate = std::get_if<Truncate>(&pending.write)) {
            durable.log.truncate(truncate->first);
            if (durable.configuration.index >= truncate->first)
                durable.configuration = durable.previous_configuration;
        }
    }

    /// The configuration within a run of entries that was just appended.
    [[nodiscard]] static constexpr std::optional<Configuration> configuration_in(State const& state, Run const& entries)
    {
        if (state.configurations.in_force.index >= entries.first and
            state.configurations.in_force.index <= last_of(entries))
            return state.configurations.in_force;
        return std::nullopt;
    }

    /// Figure 3, as far as one step of `server` can break it. "Leader Append-Only" is an invariant of the step itself.
    constexpr void watch(ServerId server)
    {
        auto const& state = (*this)[server];
        if (is_leader(state)) {
            auto known = false;
            for (auto const& reign : reigns_)
                if (reign.term == state.current_term) {
                    require(reign.leader == server,
                            "Election Safety: at most one leader can be elected in a given term");
                    known = true;
                }
            if (not known)
                reigns_.push_back({state.current_term, server});
        }
        for (auto const& other : servers_)
            require(agree_through(state.log, other.log, last_shared(state.log, other.log)),
                    "Log Matching: logs that share an entry are identical up to it");
        auto const both = std::min(state.commit_index, committed_.last().index);
        require(agree_through(state.log, committed_, both),
                "State Machine Safety: no two servers commit different entries at one index");
        if (state.commit_index > committed_.last().index) {
            committed_ = state.log;
            committed_.truncate(next(state.commit_index));
            committed_in_ = state.current_term;
        }
        if (is_leader(state) and state.current_term > committed_in_)
            require(agree_through(committed_, state.log, committed_.last().index),
                    "Leader Completeness: a leader holds everything committed in earlier terms");
    }

    /// The last index at which two logs hold the same entry.
    [[nodiscard]] static constexpr Index last_shared(TermRuns const& a, TermRuns const& b)
    {
        auto index = std::min(a.last().index, b.last().index);
        while (index > Index{} and a.term_at(index) != b.term_at(index))
            index = before(index);
        return index;
    }

    std::vector<State>    servers_;
    std::vector<Disk>     disks_;
    std::vector<InFlight> in_flight_;
    Outgoing              outgoing_;
    std::vector<Reign>    reigns_;
    TermRuns              committed_; ///< The longest log that any server knew to be committed.
    Term                  committed_in_;
};

} // namespace totora::test
