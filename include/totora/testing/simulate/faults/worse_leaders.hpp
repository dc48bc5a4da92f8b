// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/state.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/quorum.hpp"
#include "totora/core/values/types.hpp"
#include "totora/node/status.hpp"
#include "totora/testing/simulate/network/links.hpp"
#include "totora/testing/simulate/trace_event.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace totora::inline v0::simulate
{

/// The law that a server whose disk hangs or is full, or whose links take no entries, leads no longer than it must, and does not
/// campaign if its disk hangs.
///
/// A leader is checked while nothing else is wrong with it and a quorum of others, with their links and disks, has been
/// well for three election timeouts (calm.hpp). That quorum could do better: it has durably what the leader's disk has
/// not; or it has room, and one of it the whole log. Within four election timeouts the leader must have ceased to lead;
/// and within eight after entries, which the others lack, ceased to get through to a quorum.
template <typename Run, typename Calm>
class WorseLeaders
{
public:
    WorseLeaders(Run& run, Calm const& calm) : run_(run), calm_(calm) {}

    /// Called after an event on a server.
    void notice(TraceEvent const& event)
    {
        auto const number = event.server;
        auto&      server = run_.cluster[number];
        auto const hangs = server.process and server.sync_hangs and calm_.is_steady_but_for_disk(number);
        auto const campaigns = event.after.role == RoleName::pre_candidate or event.after.role == RoleName::candidate;
        if (hangs and server.sync_holds_writes and campaigns and event.before.role == RoleName::follower)
            run_.checks.expect(run_.now_us - server.sync_hangs_since_us <= election_timeouts(4),
                               "a server whose disk hangs does not campaign");
        auto const leads = server.process and is_leader(server.process->node.state());
        check(hung_since_us_[number], leads and hangs and are_others_ahead(number), election_timeouts(4),
              "a leader whose disk hangs steps down where a quorum is durably ahead of it");
        check(full_since_us_[number], leads and server.burdens.has_no_room() and have_others_room(number),
              election_timeouts(4),
              "a leader without room steps down where a quorum has room, and one of it everything");
        auto const gives_up = run_.scenario.settings.core.check_quorum;
        check(cut_off_since_us_[number], leads and gives_up and is_cut_off(number), election_timeouts(8),
              "a leader whose entries get through to no quorum steps down");
    }

private:
    [[nodiscard]] std::uint64_t election_timeouts(std::uint64_t count) const
    {
        return count * run_.scenario.settings.core.election.at_most_ms * 1000;
    }

    /// `since_us` is when it began to hold that another would do better; 0 if it does not.
    void check(std::uint64_t& since_us, bool is_worse, std::uint64_t patience_us, std::string_view what)
    {
        if (not is_worse) {
            since_us = 0;
            return;
        }
        ++run_.report.worse_leaders;
        if (since_us == 0)
            since_us = run_.now_us;
        run_.checks.expect(run_.now_us - since_us <= patience_us, what);
    }

    /// Whether as many of the others as make a quorum are well, and satisfy it.
    template <typename Is>
    [[nodiscard]] bool is_quorum_without(std::size_t leader, Is is) const
    {
        if (not calm_.is_steady_but_for_disk(leader))
            return false;
        return has_quorum(configuration_of(leader), [&](ServerId server) {
            auto const other = static_cast<std::size_t>(server.value - 1);
            return other != leader and calm_.is_with(leader, other) and is(run_.cluster[other].process->node.state());
        });
    }

    [[nodiscard]] bool are_others_ahead(std::size_t number) const
    {
        auto const& leader = run_.cluster[number].process->node.state();
        auto const  lacked = next(leader.writes.durable_index);
        return lacked <= last_index(leader) and is_quorum_without(number, [&](State const& other) {
                   return other.writes.durable_index >= lacked and
                          (other.log.base().index >= lacked or other.log.term_at(lacked) == leader.log.term_at(lacked));
               });
    }

    [[nodiscard]] bool have_others_room(std::size_t number) const
    {
        auto const& leader = run_.cluster[number].process->node.state();
        auto        has_one_everything = false;
        auto const  has_quorum = is_quorum_without(number, [&](State const& other) {
            has_one_everything = has_one_everything or (other.writes.durable_index >= last_index(leader) and
                                                        other.log.holds(last_position(leader)));
            return true;
        });
        return has_quorum and has_one_everything;
    }

    /// Whether nothing is wrong but that the links to so many others take no entries, which they lack, that no quorum
    /// is left.
    [[nodiscard]] bool is_cut_off(std::size_t number) const
    {
        auto const& leader = run_.cluster[number].process->node.state();
        auto const  is_left = [&](ServerId server) {
            auto const other = static_cast<std::size_t>(server.value - 1);
            return other == number or not run_.cluster.network.is_bulk_stopped(number, other) or
                   not calm_.is_with_but_for_bulk(number, other) or
                   run_.cluster[other].process->node.state().writes.durable_index >= last_index(leader);
        };
        return not has_quorum(leader.configurations.in_force, is_left) and calm_.is_with_but_for_bulk(number, number);
    }

    [[nodiscard]] Configuration const& configuration_of(std::size_t leader) const
    {
        return run_.cluster[leader].process->node.state().configurations.in_force;
    }

    using Moments = std::array<std::uint64_t, simulated_servers_max>;

    Run&        run_;
    Calm const& calm_;
    Moments     hung_since_us_{};
    Moments     full_since_us_{};
    Moments     cut_off_since_us_{};
};

} // namespace totora::inline v0::simulate
