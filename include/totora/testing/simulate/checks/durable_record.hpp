// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

namespace totora::inline v0::simulate
{

/// What the log of one server has reported durable, derived from its writes and its reports alone: neither the core's
/// bookkeeping nor the log's own is used.
class DurableRecord
{
public:
    /// A process has recovered this much, of a log that begins after `base`.
    void start(LogPosition last, Term term, ServerId vote, Index base)
    {
        pending_.clear();
        cuts_.clear();
        last_ = last;
        vote_ = {term, vote};
        base_ = base;
    }

    /// Entries are written, of which this is the last one.
    void append(WriteNumber write, LogPosition last) { pending_.push_back({write, last, std::nullopt, std::nullopt}); }

    void save_vote(WriteNumber write, Term term, ServerId vote)
    {
        pending_.push_back({write, std::nullopt, Vote{term, vote}, std::nullopt});
    }

    /// The log is to begin after `base`.
    void compact(WriteNumber write, Index base) { pending_.push_back({write, std::nullopt, std::nullopt, base}); }

    /// A snapshot takes the place of the log, which shares no more than `agreed` with it. That is all that stays durable until this
    /// write is.
    void install(WriteNumber write, LogPosition snapshot, LogPosition agreed)
    {
        truncate(agreed);
        pending_.push_back({write, snapshot, std::nullopt, snapshot.index});
    }

    /// All that follows this entry is removed. Whatever an earlier write reports later, no more than this is durable.
    void truncate(LogPosition last)
    {
        auto through = last_.index;
        auto term = vote_.term;
        for (auto const& write : pending_) {
            through = std::max(through, write.last.value_or(LogPosition{}).index);
            term = std::max(term, write.vote.value_or(Vote{}).term);
        }
        cuts_.push_back({term, through});
        last_ = std::min(last_, last, is_shorter);
        for (auto& write : pending_)
            if (write.last)
                write.last = std::min(*write.last, last, is_shorter);
    }

    /// The log reports every write up to this one durable.
    void confirm(WriteNumber through)
    {
        auto confirmed = std::size_t{0};
        for (; confirmed < pending_.size() and pending_[confirmed].number <= through; ++confirmed) {
            last_ = pending_[confirmed].last.value_or(last_);
            vote_ = pending_[confirmed].vote.value_or(vote_);
            base_ = pending_[confirmed].base.value_or(base_);
        }
        pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(confirmed));
    }

    /// The last entry that is durable with all before it.
    [[nodiscard]] LogPosition last() const { return last_; }

    /// Whether an acknowledgement up to here, made in `term`, may leave: all of it is durable; or a leader of a later term, which is
    /// durable, had it removed since. Then it is late, and true: this server held it before it was in that later term.
    [[nodiscard]] bool has_stored(Index match, Term term) const
    {
        return match <= last_.index or std::any_of(cuts_.begin(), cuts_.end(), [&](Cut const& cut) {
                   return term < cut.term and has_term(cut.term) and match <= cut.through;
               });
    }

    /// The last entry before the log, of a compaction or an install that is durable.
    [[nodiscard]] Index base() const { return base_; }

    [[nodiscard]] bool has_term(Term term) const { return vote_.term >= term; }

    /// Whether this vote, or a later term, is durable.
    [[nodiscard]] bool has_vote(Term term, ServerId candidate) const
    {
        return vote_.term > term or (vote_.term == term and vote_.candidate == candidate);
    }

private:
    struct Vote
    {
        Term     term;
        ServerId candidate;
    };

    /// A truncation in a term, and how far the log went before it.
    struct Cut
    {
        Term  term;
        Index through;
    };

    struct Write
    {
        WriteNumber                number;
        std::optional<LogPosition> last;
        std::optional<Vote>        vote;
        std::optional<Index>       base;
    };

    [[nodiscard]] static bool is_shorter(LogPosition a, LogPosition b) { return a.index < b.index; }

    LogPosition        last_;
    Vote               vote_;
    Index              base_;
    std::vector<Write> pending_; ///< In order.
    std::vector<Cut>   cuts_;    ///< Since the process began.
};

} // namespace totora::inline v0::simulate
