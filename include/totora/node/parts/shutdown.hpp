// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/core/values/types.hpp"
#include "totora/node/clients/clients.hpp"
#include "totora/node/clients/pending.hpp"
#include "totora/node/links/sender.hpp"
#include "totora/node/outcomes.hpp"
#include "totora/node/parts/guard.hpp"
#include "totora/node/parts/stepper.hpp"
#include "totora/node/parts/wake.hpp"
#include "totora/node/status.hpp"

#include <cstddef>
#include <utility>

namespace totora::inline v0
{

/// Ends what a node has under way when it is stopped or has failed. Needs no memory.
template <typename Policies>
class Shutdown
{
public:
    Shutdown(Policies& policies, Guard& guard, Stepper<Policies>& stepper,
             Sender<typename Policies::Log, typename Policies::Transport>& sender,
             Clients<typename Policies::Response>& clients, Wake<Policies>& wake)
        : policies_(policies), guard_(guard), stepper_(stepper), sender_(sender), clients_(clients), wake_(wake)
    {}

    /// Whether a proposal, a read or a change waits for the next turn, if only to be refused.
    [[nodiscard]] bool anyone_waits() const
    {
        return clients_.proposals.has_work() or clients_.reads.any_asked() or clients_.changes.any_asked() or
               clients_.transfers.any_asked();
    }

    /// No alarm rings, nothing more is sent, and the completions of those who wait now are called.
    void end_everything()
    {
        guard_.run(NodeFailure::unfinished_step, "a policy", [&] {
            for (auto kind = std::size_t{0}; kind < alarm_kinds; ++kind)
                policies_.clock.cancel(static_cast<Alarm>(kind));
            sender_.clear();
        });
        complete();
    }

    /// Notifies once that the node has failed, and ends everything. Needs no memory.
    void notify_failure()
    {
        if (not guard_.has_failed() or std::exchange(failure_notified_, true))
            return;
        stepper_.halt(guard_.failed()->why);
        stepper_.notify(guard_.event());
        end_everything();
    }

    /// Calls the completions of a stopped node, also those that are handed over meanwhile.
    void complete_all()
    {
        if (std::exchange(completing_, true))
            return;
        do {
            complete();
        } while (anyone_waits());
        completing_ = false;
    }

    /// What an unfinished step may have left half made in the log's memory must not become durable.
    void close_log()
    {
        auto const* failed = guard_.failed();
        guard_.run(NodeFailure::unfinished_step, "the end of the log", [&] {
            if (failed != nullptr and failed->why == NodeFailure::unfinished_step)
                return wake_.set(nullptr);
            policies_.log.close();
            wake_.log_closed();
            if (auto const failure = policies_.log.failure())
                guard_.fail({NodeFailure::storage, failure->what});
        });
    }

private:
    void complete()
    {
        clients_.proposals.end_all({ProposalError::not_running, nobody});
        clients_.reads.end_all({ProposalError::not_running, nobody});
        clients_.changes.end_all({ChangeError::not_running, nobody});
        clients_.transfers.end_all({TransferError::not_running, nobody});
    }

    Policies&                                                     policies_;
    Guard&                                                        guard_;
    Stepper<Policies>&                                            stepper_;
    Sender<typename Policies::Log, typename Policies::Transport>& sender_;
    Clients<typename Policies::Response>&                         clients_;
    Wake<Policies>&                                               wake_;
    bool                                                          completing_ = false;
    bool                                                          failure_notified_ = false;
};

} // namespace totora::inline v0
