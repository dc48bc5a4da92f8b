// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/state.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/quorum.hpp"
#include "totora/core/values/types.hpp"
#include "totora/testing/simulate/drifting_clock.hpp"
#include "totora/testing/simulate/network/links.hpp"
#include "totora/testing/simulate/trace_event.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace totora::inline v0::simulate
{

/// The law that a leader is not deposed without a reason: as long as it and a quorum with it are well, with their links
/// and disks, no server starts an election and the leader does not step down.
///
/// A server or a link is well if nothing has gone wrong with it for three election timeouts. Campaigns of servers
/// outside the quorum, and of who is no member, are checked only with pre-vote and stickiness, which keep them from disturbing it
/// (dissertation §9.6, §4.2.3).
template <typename Run>
class Calm
{
public:
    explicit Calm(Run& run) : run_(run) {}

    /// Called after an event on a server: whether it is well, and whether a leadership began or ended.
    void notice(TraceEvent const& event)
    {
        auto const server = event.server;
        if (not is_well_but_for_disk(server))
            disturb(server);
        else if (not is_well(server))
            disturb_disk(server);
        auto const& before = event.before;
        auto const& after = event.after;
        if (before.configuration != after.configuration)
            disturb(server);
        auto const led = before.role == RoleName::leader;
        auto const leads = after.role == RoleName::leader;
        if (leads and not(led and before.term == after.term))
            leads_since_us_[server] = run_.now_us;
        if (led and not leads and after.term == before.term and run_.cluster[server].process)
            check(server, server);
        if (after.role == RoleName::candidate and after.term > before.term)
            if (auto const leader = newest_leader(); leader and term_of(*leader) >= before.term)
                check(*leader, server);
    }

    /// Something has gone wrong with a server.
    void disturb(std::size_t server) { disturbed_us_[server] = disturbed_elsewhere_us_[server] = run_.now_us + 1; }

    /// Something has gone wrong with its disk, and nothing else.
    void disturb_disk(std::size_t server) { disturbed_us_[server] = run_.now_us + 1; }

    /// Whether there is a leader that must not be deposed now.
    [[nodiscard]] bool is_calm() const
    {
        auto const leader = newest_leader();
        return leader and has_quorum(*leader);
    }

    /// Whether nothing has gone wrong with a server for long, or with its disk alone.
    [[nodiscard]] bool is_steady_but_for_disk(std::size_t server) const
    {
        return is_over(disturbed_elsewhere_us_[server]) and run_.cluster[server].process and
               is_well_but_for_disk(server);
    }

    /// Whether nothing has gone wrong for long with a server, and with the links between a leader and it.
    [[nodiscard]] bool is_with(std::size_t leader, std::size_t server) const
    {
        auto const& network = run_.cluster.network;
        return is_with_but_for_bulk(leader, server) and is_over(network.bulk_stopped_us(leader, server)) and
               is_over(network.bulk_stopped_us(server, leader));
    }

    /// The same, or only entries from the leader do not get through.
    [[nodiscard]] bool is_with_but_for_bulk(std::size_t leader, std::size_t server) const
    {
        auto const& network = run_.cluster.network;
        return is_over(disturbed_us_[server]) and run_.cluster[server].process and is_well(server) and
               is_in_life_known_to(leader, server) and
               (server == leader or
                (is_over(network.disturbed_us(leader, server)) and is_over(network.disturbed_us(server, leader))));
    }

private:
    /// Whether a server is not in another life than the configuration of a leader names.
    [[nodiscard]] bool is_in_life_known_to(std::size_t leader, std::size_t server) const
    {
        auto const& process = run_.cluster[leader].process;
        auto const* member =
            process ? find_member(process->node.state().configurations.in_force, ServerId{server + 1}) : nullptr;
        return member == nullptr or member->incarnation == run_.cluster.network.residents.life_of(server);
    }

    void check(std::size_t leader, std::size_t by)
    {
        auto const& core = run_.scenario.settings.core;
        ++run_.report.elections_checked;
        auto const is_one_of_them =
            is_voter(run_.cluster[leader].process->node.state().configurations.in_force, ServerId{by + 1}) and
            is_with(leader, by);
        if (has_quorum(leader) and (is_one_of_them or (core.pre_vote and core.sticky)))
            run_.checks.fail("no election while a leader and a quorum with it are well, and their links and disks");
    }

    [[nodiscard]] std::uint64_t window_us() const { return 3 * run_.scenario.settings.core.election.at_most_ms * 1000; }

    /// Whether something that went wrong at this moment ended long ago.
    [[nodiscard]] bool is_over(std::uint64_t at_us) const { return at_us == 0 or at_us + window_us() < run_.now_us; }

    [[nodiscard]] bool has_quorum(std::size_t leader) const
    {
        if (leads_since_us_[leader] + window_us() >= run_.now_us or not is_with(leader, leader))
            return false;
        auto const& configuration = run_.cluster[leader].process->node.state().configurations.in_force;
        return is_voter(configuration, ServerId{leader + 1}) and
               totora::has_quorum(configuration, [&](ServerId server) {
                   return is_with(leader, static_cast<std::size_t>(server.value - 1));
               });
    }

    [[nodiscard]] Term term_of(std::size_t server) const
    {
        return run_.cluster[server].process->node.state().current_term;
    }

    [[nodiscard]] std::optional<std::size_t> newest_leader() const
    {
        auto newest = std::optional<std::size_t>{};
        for (auto server = std::size_t{0}; server < run_.cluster.size(); ++server)
            if (auto const& process = run_.cluster[server].process; process and is_leader(process->node.state()))
                if (not newest or term_of(server) > term_of(*newest))
                    newest = server;
        return newest;
    }

    /// Whether nothing is wrong with a server now, nor with its clock and its disk.
    [[nodiscard]] bool is_well(std::size_t number) const
    {
        auto& server = run_.cluster[number];
        return is_well_but_for_disk(number) and server.disk_busy_until_us < soon_us() and
               server.sync_slow_until_us < run_.now_us and server.next_sync_hangs_us == 0 and not server.sync_hangs and
               not server.burdens.is_room_limited() and not server.storage.disk().is_limited();
    }

    [[nodiscard]] bool is_well_but_for_disk(std::size_t number) const
    {
        auto& server = run_.cluster[number];
        return server.process and not server.paused and server.busy_until_us < soon_us() and
               server.time.is_nearly_true() and not run_.cluster.network.residents.is_foreign(number);
    }

    [[nodiscard]] std::uint64_t soon_us() const
    {
        return run_.now_us + run_.scenario.settings.core.election.at_least_ms * 1000 / 8;
    }

    using Moments = std::array<std::uint64_t, simulated_servers_max>;

    Run&    run_;
    Moments disturbed_us_{};
    Moments disturbed_elsewhere_us_{}; ///< In anything but its disk.
    Moments leads_since_us_{};
};

} // namespace totora::inline v0::simulate
