// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/queue.hpp"
#include "totora/node/clients/completion.hpp"
#include "totora/node/outcomes.hpp"
#include "totora/node/parts/guard.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// A moment that never comes.
inline constexpr std::uint64_t never_ms = std::numeric_limits<std::uint64_t>::max();

/// The moment at which so much time has passed.
template <typename Clock>
[[nodiscard]] std::uint64_t deadline_ms(Clock const& clock, std::uint64_t timeout_ms)
{
    auto const now = clock.now_ms();
    return timeout_ms >= never_ms - now ? never_ms : now + timeout_ms;
}

/// A client that waits for a proposal: of one entry, or of several that succeed together.
template <typename Response>
class PendingProposal
{
public:
    using Single = Completion<ProposalOutcome<Response>>;
    using Batch = Completion<ProposalOutcome<std::vector<Response>>>;

    PendingProposal(Single completion, std::uint64_t deadline_ms)
        : count_(1), deadline_ms_(deadline_ms), single_(std::move(completion))
    {}

    PendingProposal(Batch completion, std::uint64_t count, std::uint64_t deadline_ms)
        : count_(count), deadline_ms_(deadline_ms),
          batch_(std::make_unique<Gathering>(std::move(completion), static_cast<std::size_t>(count)))
    {}

    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] std::uint64_t deadline_ms() const { return deadline_ms_; }

    /// One of its entries was applied. False if something threw: if it was the response, the completion was not called yet. A completion that is
    /// called may end this proposal.
    bool applied(Guard& guard, LogPosition position, Response&& response, bool is_last)
    {
        if (batch_ == nullptr)
            return guard.run(NodeFailure::callback, "a completion", [&] {
                single_(AppliedWith<Response>{position, std::move(response)});
            });
        return batch_->applied(guard, position, std::move(response), is_last);
    }

    /// It ends otherwise. Nothing happens if it has ended.
    template <typename Ending>
    void end(Guard& guard, Ending const& ending)
    {
        deadline_ms_ = never_ms;
        if (batch_ == nullptr)
            guard.complete(single_, ending);
        else
            batch_->end(guard, ending);
    }

private:
    /// What is done for a batch. Virtual, so that a program that proposes none does not compile how.
    struct BatchSteps
    {
        virtual bool applied(Guard& guard, LogPosition position, Response&& response, bool is_last) = 0;
        virtual void end(Guard& guard, RefusedBecause ending) = 0;
        virtual void end(Guard& guard, OutcomeUnknown ending) = 0;
        virtual void end(Guard& guard, Cancelled ending) = 0;

        BatchSteps() = default;
        BatchSteps(BatchSteps const&) = delete;
        BatchSteps& operator=(BatchSteps const&) = delete;
        virtual ~BatchSteps() = default;
    };

    /// Gathers the responses of a batch.
    class Gathering final : public BatchSteps
    {
    public:
        Gathering(Batch completion, std::size_t count) : completion_(std::move(completion))
        {
            responses_.reserve(count);
        }

        bool applied(Guard& guard, LogPosition position, Response&& response, bool is_last) override
        {
            if constexpr (std::is_nothrow_move_constructible_v<Response>)
                if (not is_last) {
                    responses_.push_back(std::move(response)); // For which room was made.
                    return true;
                }
            return guard.run(NodeFailure::callback, "a completion", [&] {
                responses_.push_back(std::move(response));
                if (is_last)
                    completion_(AppliedWith<std::vector<Response>>{position, std::move(responses_)});
            });
        }

        void end(Guard& guard, RefusedBecause ending) override { guard.complete(completion_, ending); }
        void end(Guard& guard, OutcomeUnknown ending) override { guard.complete(completion_, ending); }
        void end(Guard& guard, Cancelled ending) override { guard.complete(completion_, ending); }

    private:
        Batch                 completion_;
        std::vector<Response> responses_;
    };

    std::uint64_t count_;
    std::uint64_t deadline_ms_;
    Single        single_; ///< Empty beside a batch: as large as a variant of the two, and cheaper to compile.
    std::unique_ptr<BatchSteps> batch_;
};

/// Proposals whose entries are in the log, in the order of their indexes. An entry is recognised by index *and*
/// term: another one may stand at its index by the time it is committed.
///
/// A completion may do anything with the node, which may end all that is here: it is called when nothing is left to be done.
template <typename Response>
class PendingProposals
{
public:
    explicit PendingProposals(Guard& guard) : guard_(guard) {}

    /// Makes room for `count` more, so that adding them cannot fail.
    void make_room(std::size_t count) { pending_.make_room(count); }

    void add(Run const& entries, PendingProposal<Response> proposal)
    {
        earliest_ms_ = std::min(earliest_ms_, proposal.deadline_ms());
        pending_.push_back({entries, std::move(proposal)});
    }

    /// The entry at `position` was applied with this response.
    void applied(LogPosition position, Response&& response)
    {
        if (not pending_.empty()) // As on a follower.
            deliver(position, std::move(response));
    }

    /// Everything up to `index` is applied: what still waits there was replaced by entries of other proposals.
    void end_through(Index index) { end_before(next(index)); }

    /// Leadership is lost: whether the entries after `committed` will be applied is unknown.
    void lose_after(Index committed)
    {
        while (not pending_.empty() and last_of(pending_.back().entries) > committed) {
            auto lost = pending_.pop_back();
            lost.proposal.end(guard_, OutcomeUnknown{});
        }
    }

    void expire(std::uint64_t now_ms)
    {
        if (now_ms < earliest_ms_)
            return;
        earliest_ms_ = never_ms;
        for (auto at = std::size_t{0}; at < pending_.size(); ++at)
            if (auto& proposal = pending_[at].proposal; proposal.deadline_ms() <= now_ms)
                proposal.end(guard_, Cancelled{});
            else
                earliest_ms_ = std::min(earliest_ms_, proposal.deadline_ms());
    }

    [[nodiscard]] std::uint64_t earliest_ms() const { return earliest_ms_; }
    [[nodiscard]] std::size_t   size() const { return pending_.size(); }

private:
    struct Pending
    {
        Run                       entries;
        PendingProposal<Response> proposal;
    };

    void deliver(LogPosition position, Response&& response)
    {
        end_before(position.index);
        if (pending_.empty() or pending_.front().entries.first > position.index)
            return;
        auto&      one = pending_.front();
        auto const is_last = last_of(one.entries) == position.index;
        auto const was_delivered =
            one.entries.term == position.term and one.proposal.applied(guard_, position, std::move(response), is_last);
        if (pending_.empty())
            return; // The completion has stopped the node.
        if (not was_delivered)
            pending_.front().proposal.end(guard_, OutcomeUnknown{});
        if (is_last and not pending_.empty())
            pending_.drop_front();
    }

    /// What was never applied although a later index is, was replaced by other entries.
    void end_before(Index index)
    {
        while (not pending_.empty() and last_of(pending_.front().entries) < index) {
            auto lost = pending_.pop_front();
            lost.proposal.end(guard_, OutcomeUnknown{});
        }
    }

    Guard&         guard_;
    Queue<Pending> pending_;
    std::uint64_t  earliest_ms_ = never_ms;
};

} // namespace totora::inline v0
