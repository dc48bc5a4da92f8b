// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/explore/replica.hpp"
#include "totora/testing/explore/steps.hpp"
#include "totora/testing/explore/transitions.hpp"

#include <range/v3/algorithm/any_of.hpp>
#include <range/v3/algorithm/max_element.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace totora::inline v0::explore
{

/// Whether from a state, with faults off from there and no bound on events, something new can be committed: a cluster
/// that never commits anything keeps every other promise. It looks for one path: everything arrives, everything written
/// becomes durable, and when nothing is left to arrive an alarm rings or a leader is given a proposal.
///
/// `arrives(message)` may hold messages back; that is for seeing that a dead state is found.
class Live
{
public:
    using Arrives = std::function<bool(InFlight const&)>;

    explicit Live(Transitions const& moves, Arrives arrives = {}) : transitions_(moves), arrives_(std::move(arrives)) {}

    [[nodiscard]] bool is_live(GlobalState const& global) const
    {
        for (auto candidate = std::size_t{0}; candidate < transitions_.scope().servers; ++candidate)
            if (auto run = Run{transitions_, arrives_, global}; run.commits_something_new(candidate))
                return true;
        return false;
    }

private:
    /// One path from a state.
    class Run
    {
    public:
        Run(Transitions const& moves, Arrives const& arrives, GlobalState const& global)
            : transitions_(moves), arrives_(arrives)
        {
            auto const& steps = moves.steps();
            for (auto at = std::size_t{0}; at < moves.scope().servers; ++at)
                servers_.push_back(steps.servers().value_of(global.servers[at]));
            for (auto const message : global)
                messages_.push_back(steps.messages().value_of(message));
            committed_ = moves.ghosts().value_of(global.ghost).safety.committed.last().index;
            for (auto const& server : servers_)
                committed_ = std::max(committed_, server.state.commit_index);
        }

        /// Makes one server campaign where there is no leader.
        [[nodiscard]] bool commits_something_new(std::size_t candidate)
        {
            constexpr auto attempts = 8;
            settle();
            for (auto attempt = 0; attempt < attempts and not has_committed(); ++attempt) {
                if (auto* const leader = newest_leader()) {
                    propose(*leader);
                    ring(*leader, Alarm::heartbeat);
                } else {
                    for (auto& server : servers_) {
                        ring(server, Alarm::leader_silent);
                        ring(server, Alarm::heartbeat); // A leader of an older term receives the newer one.
                    }
                    settle();
                    ring(servers_[candidate], Alarm::election);
                    propose(
                        servers_
                            [candidate]); // It may lead, though a server that is no member any more has a newer term.
                }
                settle();
            }
            return has_committed();
        }

    private:
        [[nodiscard]] bool has_committed() const
        {
            return ranges::any_of(servers_,
                                  [&](Replica const& server) { return server.state.commit_index > committed_; });
        }

        /// The leader of the newest term that any server has, if there is one.
        [[nodiscard]] Replica* newest_leader()
        {
            auto const newest = ranges::max_element(servers_, {}, [](Replica const& server) {
                return std::pair{server.state.current_term, is_leader(server.state)};
            });
            return is_leader(newest->state) ? &*newest : nullptr;
        }

        /// Until nothing is left to be written or to arrive; some messages are answered endlessly, so only for a while.
        void settle()
        {
            constexpr auto steps_max = 2'000;
            for (auto step = 0; step < steps_max; ++step) {
                for (auto& server : servers_)
                    if (not server.writes.empty())
                        act([&](auto& outgoing, auto& consequences) {
                            persist(server, server.writes.size(), outgoing, consequences);
                        });
                if (settle_snapshots())
                    continue;
                if (messages_.empty())
                    return;
                auto const message = std::move(messages_.front());
                messages_.pop_front();
                if (not arrives_ or arrives_(message))
                    deliver(message);
            }
        }

        /// Chunks that are needed are at hand, and what was received whole is durable. Whether there was anything.
        bool settle_snapshots()
        {
            auto moved = false;
            for (auto& server : servers_) {
                while (not server.wanted.empty()) {
                    act([&](auto& outgoing, auto& consequences) {
                        auto const chunk = take_chunk(server, server.wanted.front().server);
                        happen(server, nobody, chunk, outgoing, consequences);
                    });
                    moved = true;
                }
                if (server.file.is_complete() and server.state.reception.is_complete()) {
                    act([&](auto& outgoing, auto& consequences) {
                        finish_file(server, transitions_.scope(), false, outgoing, consequences);
                    });
                    moved = true;
                }
            }
            return moved;
        }

        void deliver(InFlight const& message)
        {
            auto& server = servers_[static_cast<std::size_t>(message.to.value - 1)];
            act([&](auto& outgoing, auto& consequences) { explore::deliver(server, message, outgoing, consequences); });
        }

        void propose(Replica& server)
        {
            act([&](auto& outgoing, auto& consequences) {
                happen(server, nobody, Proposed{1}, outgoing, consequences);
            });
        }

        void ring(Replica& server, Alarm alarm)
        {
            if (not testing::is_armed(server, alarm))
                return;
            act([&](auto& outgoing, auto& consequences) { explore::ring(server, alarm, outgoing, consequences); });
        }

        template <typename Action>
        void act(Action action)
        {
            auto consequences = Consequences{};
            action(outgoing_, consequences);
            for (auto& left : consequences.left)
                messages_.push_back(std::move(left));
        }

        Transitions const&   transitions_;
        Arrives const&       arrives_;
        std::vector<Replica> servers_;
        std::deque<InFlight> messages_;
        Outgoing             outgoing_;
        Index                committed_; ///< In the state where this began.
    };

    Transitions const& transitions_;
    Arrives            arrives_;
};

} // namespace totora::inline v0::explore
