// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/outgoing.hpp"
#include "totora/data/queue.hpp"
#include "totora/node/administration_outcomes.hpp"
#include "totora/node/clients/completion.hpp"
#include "totora/node/parts/guard.hpp"

#include <cstddef>
#include <optional>
#include <utility>

namespace totora::inline v0
{

/// Requests to change the members, on their way: asked for, then under way. A cancel is asked for by a request without members, and waits
/// beside what it takes back.
///
/// Completions are called as those of `PendingProposals` are.
class PendingChange
{
public:
    struct Request
    {
        std::optional<WantedMembers> wanted; ///< Nothing: the change under way is to be taken back.
        Completion<ChangeOutcome>    completion;
    };

    explicit PendingChange(Guard& guard) : guard_(guard) {}

    /// If it throws, nothing has changed.
    void ask(std::optional<WantedMembers> wanted, Completion<ChangeOutcome> completion)
    {
        under_way_.make_room(asked_.size() + 1);
        asked_.push_back({std::move(wanted), std::move(completion)});
    }

    [[nodiscard]] bool any_asked() const { return not asked_.empty(); }

    /// The oldest request that was asked for. It is to be refused, or begun.
    [[nodiscard]] Request take_asked() { return asked_.pop_front(); }

    void refuse(Request&& request, ChangeRefused why) { guard_.complete(request.completion, why); }

    /// The core has taken it: `end` or `lose` follows.
    void begin(Request&& request) { under_way_.push_back(std::move(request)); }

    /// The change is over.
    void end(ChangeEnded const& ended)
    {
        if (ended.how == ChangeEnd::done)
            end_under_way(MembersChanged{ended.configuration});
        else
            end_under_way(ChangeGivenUp{ended.how});
    }

    /// This server leads no more.
    void lose() { end_under_way(ChangeUnknown{}); }

    /// Ends all that is here now.
    void end_all(ChangeRefused why)
    {
        lose();
        for (auto count = asked_.size(); count > 0 and not asked_.empty(); --count)
            refuse(asked_.pop_front(), why);
    }

private:
    void end_under_way(ChangeOutcome const& outcome)
    {
        for (auto count = under_way_.size(); count > 0 and not under_way_.empty(); --count) {
            auto request = under_way_.pop_front();
            guard_.complete(request.completion, outcome);
        }
    }

    Guard&         guard_;
    Queue<Request> asked_;
    Queue<Request> under_way_;
};

} // namespace totora::inline v0
