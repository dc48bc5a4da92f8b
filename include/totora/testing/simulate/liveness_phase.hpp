// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/role.hpp"
#include "totora/core/rules/election.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/testing/simulate/drifting_clock.hpp"
#include "totora/testing/simulate/members/drawn_members.hpp"
#include "totora/testing/simulate/members/operator.hpp"
#include "totora/testing/simulate/network/links.hpp"
#include "totora/testing/simulate/process_scheduler.hpp"
#include "totora/testing/simulate/timer_kind.hpp"
#include "totora/testing/simulate/trace_event.hpp"

#include <range/v3/algorithm/sort.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

namespace totora::inline v0::simulate
{

/// The end of a simulation, in which a cluster must show liveness: a quorum is healed and everything else stays as it
/// is. A leader must emerge, something new be committed, every request end, and the machines become equal. Where members change the
/// healed ones are all that may count for a leader, and must become the members that are asked for.
template <typename Run>
class LivenessPhase
{
public:
    LivenessPhase(Run& run, ProcessScheduler<Run>& turns) : run_(run), turns_(turns), operator_(run, turns) {}

    /// Heals a majority. All other failures become permanent: servers that are down stay down, links that are cut stay
    /// cut.
    void heal()
    {
        committed_before_ = run_.checks.committed().last();
        healed_at_us_ = progressed_at_us_ = run_.now_us;
        choose();
        for (auto number = std::size_t{0}; number < run_.cluster.size(); ++number)
            if (run_.is_permanent(number))
                give_up(number);
            else
                heal(number);
        for (auto const a : run_.quorum)
            for (auto const b : run_.quorum)
                run_.cluster.network.heal(a, b);
        run_.clients.turn_to(run_.quorum);
    }

    /// Whether all that had to happen after the healing has happened; what happens too late is a failure.
    [[nodiscard]] bool is_settled()
    {
        auto const passed = run_.now_us - healed_at_us_;
        if (not was_led_ and is_led()) {
            was_led_ = true;
            led_at_us_ = run_.now_us;
        }
        if (not was_led_) {
            run_.checks.expect(passed <= election_timeouts(votes_collide() ? 20 : 10),
                               "a healed quorum has a leader within 10 election timeouts, or 20 where votes collide");
            return false;
        }
        notice_progress();
        ask_for_members();
        if (run_.now_us - led_at_us_ < election_timeouts(3))
            return false;
        auto const stands_still =
            run_.now_us - progressed_at_us_ > election_timeouts(50) or passed > election_timeouts(20'000);
        if (run_.checks.committed().last() <= committed_before_) { // Until then clients continue to send requests.
            run_.checks.expect(not stands_still, "a healed quorum commits something new");
            return false;
        }
        run_.clients.stop();
        if (run_.scenario.members_change and not are_members()) {
            run_.checks.expect(not stands_still, "healed servers become the members that a leader is asked for");
            return false;
        }
        if (is_at_rest())
            return true;
        run_.checks.expect(
            not stands_still,
            "all requests of a healed quorum end, and its machines become equal, within 50 election timeouts");
        return false;
    }

private:
    /// Draws a majority of servers of which nothing was damaged; or takes all that may count, where members change.
    void choose()
    {
        if (run_.scenario.members_change) {
            for (auto const server : run_.checks.servers_that_may_count())
                run_.quorum.push_back(static_cast<std::size_t>(server.value - 1));
            return;
        }
        auto candidates = std::vector<std::size_t>{};
        for (auto number = std::size_t{0}; number < run_.cluster.size(); ++number)
            if (not run_.cluster[number].damaged)
                candidates.push_back(number);
        while (run_.quorum.size() < run_.cluster.size() / 2 + 1) {
            auto const chosen = candidates.begin() + static_cast<std::ptrdiff_t>(run_.random.below(candidates.size()));
            run_.quorum.push_back(*chosen);
            candidates.erase(chosen);
        }
        ranges::sort(run_.quorum);
    }

    /// Asks a leader to have all healed servers as members, in any roles, until that is done. Those that are members in a life that
    /// has ended are removed first.
    void ask_for_members()
    {
        if (not run_.scenario.members_change or run_.now_us < ask_at_us_ or (asked_ and run_.checks.is_open(*asked_)) or
            are_members())
            return;
        auto const leader = operator_.newest_leader();
        if (not leader or run_.is_permanent(*leader))
            return;
        auto members = DrawnMembers{operator_.state(*leader), run_.cluster.size(), run_.random,
                                    run_.cluster.network.residents.lives()};
        auto servers = std::vector<ServerId>{};
        for (auto const number : run_.quorum)
            if (not members.is_member_no_more(ServerId{number + 1}))
                servers.push_back(ServerId{number + 1});
        asked_for_all_ = servers.size() == run_.quorum.size();
        ask_at_us_ = run_.now_us + election_timeouts(1);
        auto& event = run_.trace(TraceEventKind::request, *leader);
        turns_.disturb(*leader);
        asked_ = operator_.change(*leader, members.draw(servers));
        turns_.finish(event);
    }

    /// Whether all healed servers have become members.
    [[nodiscard]] bool are_members() const { return asked_for_all_ and asked_ and run_.checks.is_done(*asked_); }

    void heal(std::size_t number)
    {
        auto& server = run_.cluster[number];
        server.storage.disk().heal();
        server.sync_slow_until_us = server.next_sync_hangs_us = 0;
        server.disk_slow_until_us = server.disk_busy_until_us = 0;
        server.burdens.heal();
        run_.cluster.network.residents.set_foreign(number, false);
        server.power_fails_in_start = false;
        server.away_until_us = 0;
        server.time.set_rate(LocalTime::true_rate);
        if (server.process and server.paused)
            turns_.resume(number, server.life);
        if (server.syncing)
            run_.plan(run_.scenario.syncs.takes_us, TimerKind::sync, number, ++server.sync_number);
        if (server.process) {
            auto& event = run_.trace(TraceEventKind::healed, number);
            turns_.finish(event);
            for (auto const other : run_.quorum)
                if (other != number)
                    turns_.open_link(number, other);
            turns_.clock_changed(number);
        } else {
            run_.plan(0, TimerKind::start, number);
        }
    }

    /// A server that is not healed communicates with the quorum in one direction at most: otherwise it might lead part
    /// of it, and the cluster would be live without the rest. And one that receives nothing may only stay if the others
    /// can handle it: with pre-vote, stickiness (dissertation §4.2.3) and check-quorum.
    void give_up(std::size_t number)
    {
        auto&       server = run_.cluster[number];
        auto const& core = run_.scenario.settings.core;
        if (server.process and not(core.pre_vote and core.sticky and core.check_quorum))
            turns_.end(number, [&] { run_.cluster.lose_power(number); });
        if (not server.process)
            server.dead = true;
        auto const sends = run_.random.below(3) == 0;
        auto const receives = not sends and run_.random.below(2) == 0;
        auto       cut = LinkSet{};
        for (auto const other : run_.quorum) {
            if (not sends)
                cut.add(number, other);
            if (not receives)
                cut.add(other, number);
        }
        run_.cluster.network.links.cut(cut);
    }

    [[nodiscard]] std::uint64_t election_timeouts(std::uint64_t count) const
    {
        return count * run_.scenario.settings.core.election.at_most_ms * 1000;
    }

    /// Whether timeouts are so close together that the next candidate often campaigns before the vote of the first has arrived (§5.6 asks
    /// for a broadcast time far below the election timeout): with three candidates most votes are then split.
    [[nodiscard]] bool votes_collide() const
    {
        auto const& timeout = run_.scenario.settings.core.election;
        auto const& network = run_.scenario.network;
        auto const& syncs = run_.scenario.syncs;
        auto const  vote_us = network.latency_us + network.jitter_us + 2 * (syncs.takes_us + syncs.jitter_us);
        return (timeout.at_most_ms - timeout.at_least_ms) * 1000 < 8 * vote_us;
    }

    /// Whether a server leads the quorum: none of its members is in a later term. One that was removed may be: without pre-votes nobody
    /// notifies it, and it campaigns until it is let in again.
    [[nodiscard]] bool is_led() const
    {
        State const* leader = nullptr;
        for (auto const number : run_.quorum) {
            auto const& process = run_.cluster[number].process;
            if (not process)
                return false;
            auto const& state = process->node.state();
            if (is_leader(state) and (leader == nullptr or state.current_term > leader->current_term))
                leader = &state;
        }
        return leader != nullptr and std::all_of(run_.quorum.begin(), run_.quorum.end(), [&](std::size_t number) {
                   return core::is_no_member(*leader, ServerId{number + 1}) or
                          run_.cluster[number].process->node.state().current_term <= leader->current_term;
               });
    }

    /// A server with much to catch up, one entry per round trip perhaps, is given the time, as long as it advances.
    void notice_progress()
    {
        auto slowest = run_.checks.committed().last();
        for (auto const number : run_.quorum) {
            auto const& process = run_.cluster[number].process;
            if (not process)
                continue;
            slowest = std::min(slowest, process->node.state().apply_index);
            notice_progress(matched_by(process->node.state()), matched_);
        }
        notice_progress(slowest.value, slowest_applied_);
    }

    /// Only what was never reached before is progress: leaders that replace each other return to the same place.
    void notice_progress(std::uint64_t now, std::uint64_t& furthest)
    {
        if (now <= furthest)
            return;
        furthest = now;
        progressed_at_us_ = run_.now_us;
    }

    /// How many entries of the followers in the quorum a leader knows to match, in all.
    [[nodiscard]] std::uint64_t matched_by(State const& state) const
    {
        auto matched = std::uint64_t{0};
        for (auto const& progress : state.followers)
            if (not run_.is_permanent(static_cast<std::size_t>(progress.server.value - 1)))
                matched += progress.match.value;
        return matched;
    }

    [[nodiscard]] bool is_at_rest() const
    {
        for (auto const number : run_.quorum) {
            auto const& process = run_.cluster[number].process;
            if (not process or run_.clients.open_at(number) > 0 or
                process->node.state().apply_index != run_.checks.committed().last())
                return false;
        }
        return true;
    }

    Run&                   run_;
    ProcessScheduler<Run>& turns_;
    Operator<Run>          operator_;
    bool                   was_led_ = false;
    std::uint64_t          slowest_applied_ = 0; ///< How far the slowest of the quorum has applied its log.
    std::uint64_t          matched_ = 0;
    std::uint64_t          progressed_at_us_ = 0; ///< When one of these last grew.
    std::uint64_t          healed_at_us_ = 0;
    Index                  committed_before_; ///< The healing.
    std::uint64_t          led_at_us_ = 0;
    std::uint64_t          ask_at_us_ = 0; ///< For members.

    std::optional<std::size_t> asked_; ///< The newest request for members.
    bool                       asked_for_all_ = false;
};

} // namespace totora::inline v0::simulate
