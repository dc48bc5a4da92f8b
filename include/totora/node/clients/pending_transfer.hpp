// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/outgoing.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/queue.hpp"
#include "totora/node/administration_outcomes.hpp"
#include "totora/node/clients/completion.hpp"
#include "totora/node/parts/guard.hpp"

#include <utility>

namespace totora::inline v0
{

/// Requests to hand over, on their way: asked for, then under way. Completions are called as those of `PendingProposals` are.
class PendingTransfer
{
public:
    struct Request
    {
        ServerId                    to;
        Completion<TransferOutcome> completion;
    };

    explicit PendingTransfer(Guard& guard) : guard_(guard) {}

    /// If it throws, nothing has changed.
    void ask(ServerId to, Completion<TransferOutcome> completion)
    {
        under_way_.make_room(asked_.size() + 1);
        asked_.push_back({to, std::move(completion)});
    }

    [[nodiscard]] bool any_asked() const { return not asked_.empty(); }

    /// The oldest request that was asked for. It is to be refused, or begun.
    [[nodiscard]] Request take_asked() { return asked_.pop_front(); }

    void refuse(Request&& request, TransferRefused why) { guard_.complete(request.completion, why); }

    /// The core has taken it: `end` follows.
    void begin(Request&& request) { under_way_.push_back(std::move(request)); }

    /// What is under way has ended.
    void end(TransferOutcome const& outcome)
    {
        for (auto count = under_way_.size(); count > 0 and not under_way_.empty(); --count) {
            auto request = under_way_.pop_front();
            guard_.complete(request.completion, outcome);
        }
    }

    /// Ends all that is here now.
    void end_all(TransferRefused why)
    {
        end(HandedOver{});
        for (auto count = asked_.size(); count > 0 and not asked_.empty(); --count)
            refuse(asked_.pop_front(), why);
    }

private:
    Guard&         guard_;
    Queue<Request> asked_;
    Queue<Request> under_way_;
};

} // namespace totora::inline v0
