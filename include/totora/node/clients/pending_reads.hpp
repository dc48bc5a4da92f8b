// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/queue.hpp"
#include "totora/node/clients/completion.hpp"
#include "totora/node/clients/pending.hpp"
#include "totora/node/outcomes.hpp"
#include "totora/node/parts/guard.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace totora::inline v0
{

/// Reads on their way: asked for, waiting for their round, waiting for their index to be applied.
///
/// Completions are called as those of `PendingProposals` are.
class PendingReads
{
public:
    explicit PendingReads(Guard& guard) : guard_(guard) {}

    /// If it throws, nothing has changed.
    void ask(Completion<ReadOutcome> completion, std::uint64_t deadline_ms)
    {
        asked_.push_back({{}, {}, deadline_ms, std::move(completion)});
        earliest_ms_ = std::min(earliest_ms_, deadline_ms);
    }

    [[nodiscard]] bool any_asked() const { return not asked_.empty(); }
    [[nodiscard]] bool empty() const { return asked_.empty() and waiting_.empty() and ready_.empty(); }

    /// Those that were asked for belong to this round.
    void start(Round round)
    {
        waiting_.make_room(asked_.size());
        while (not asked_.empty()) {
            asked_.front().round = round;
            waiting_.push_back(asked_.pop_front());
        }
    }

    /// Refuses those that were asked for: this server cannot allow them.
    void refuse_asked(RefusedBecause why) { end_all(asked_, why); }

    /// Leadership is lost: the rounds that were under way will not be confirmed. Those confirmed before stay.
    void refuse_waiting(RefusedBecause why) { end_all(waiting_, why); }

    /// The rounds up to this one are confirmed; they may be read when `index` is applied.
    void allow(Round round, Index index)
    {
        ready_.make_room(waiting_.size());
        while (not waiting_.empty() and waiting_.front().round <= round) {
            waiting_.front().index = index;
            ready_.push_back(waiting_.pop_front());
        }
    }

    /// The state machine holds everything up to here.
    void serve(Index applied)
    {
        while (not ready_.empty() and ready_.front().index <= applied) {
            auto read = ready_.pop_front();
            guard_.complete(read.completion, ReadableNow{applied});
        }
    }

    void end_all(RefusedBecause why)
    {
        end_all(asked_, why);
        end_all(waiting_, why);
        end_all(ready_, why);
    }

    void expire(std::uint64_t now_ms)
    {
        if (now_ms < earliest_ms_)
            return;
        for (auto* reads : {&asked_, &waiting_, &ready_})
            cancel(*reads, now_ms);
        earliest_ms_ = never_ms;
        for (auto const* reads : {&asked_, &waiting_, &ready_})
            for (auto const& read : *reads)
                earliest_ms_ = std::min(earliest_ms_, read.deadline_ms);
    }

    [[nodiscard]] std::uint64_t earliest_ms() const { return earliest_ms_; }

private:
    struct Read
    {
        Round                   round;
        Index                   index;
        std::uint64_t           deadline_ms = never_ms;
        Completion<ReadOutcome> completion;
    };

    /// Ends those that are here now, not those that their completions ask for.
    void end_all(Queue<Read>& reads, RefusedBecause why)
    {
        for (auto count = reads.size(); count > 0 and not reads.empty(); --count) {
            auto read = reads.pop_front();
            guard_.complete(read.completion, why);
        }
    }

    /// Cancels those that are here now and have waited too long, not those that their completions ask for.
    void cancel(Queue<Read>& reads, std::uint64_t now_ms)
    {
        auto const count = reads.size();
        for (auto at = std::size_t{0}; at < std::min(count, reads.size()); ++at)
            if (reads[at].deadline_ms <= now_ms)
                guard_.complete(reads[at].completion, Cancelled{});
        reads.erase_if([](Read const& read) { return not read.completion; });
    }

    Guard&        guard_;
    Queue<Read>   asked_;
    Queue<Read>   waiting_;
    Queue<Read>   ready_;
    std::uint64_t earliest_ms_ = never_ms;
};

} // namespace totora::inline v0
