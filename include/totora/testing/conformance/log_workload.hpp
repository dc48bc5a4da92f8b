// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/types.hpp"
#include "totora/policy/log.hpp"
#include "totora/testing/conformance/dice.hpp"
#include "totora/testing/conformance/log_content.hpp"
#include "totora/testing/conformance/sample_entries.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace totora::conformance
{

/// How a workload spends its steps, in percent; what is left is appends.
struct WorkloadMood
{
    std::uint64_t sync = 30;
    std::uint64_t vote = 8;
    std::uint64_t truncate = 7;
    std::uint64_t commit = 5;
    std::uint64_t truncated_max = 40; ///< Entries that one truncation removes.
    std::uint64_t appended_max = 5;   ///< Entries of one append.
};

/// Writes to a log at random, always the same for a seed, and remembers what the log held after each write: the model that
/// a recovery is compared with.
class Workload
{
public:
    explicit Workload(std::uint64_t seed, WorkloadMood const& mood = {}) : dice_(seed), mood_(mood)
    {
        history_.emplace_back();
    }

    /// Goes on behind what a recovery found; write numbers begin anew.
    void restart(Content content)
    {
        history_.assign(1, std::move(content));
        current_ = history_.back();
        commit_ = std::min<std::uint64_t>(commit_, current_.entries.size());
        durable_ = 0;
    }

    /// Makes a random write, or syncs.
    template <durable_log Log>
    void step(Log& log, std::size_t payload_max = 200)
    {
        auto const chance = dice_.roll(100);
        auto const uncommitted = current_.entries.size() - commit_;
        auto       below = mood_.sync;
        if (chance < below)
            log.sync();
        else if (chance < (below += mood_.vote))
            vote(log);
        else if (chance < (below += mood_.truncate) and uncommitted > 0)
            truncate(log,
                     current_.entries.size() - dice_.roll(std::min<std::uint64_t>(uncommitted, mood_.truncated_max)));
        else if (chance < mood_.sync + mood_.vote + mood_.truncate + mood_.commit)
            commit(log);
        else {
            // One after the other: compilers differ in the order of a call's arguments.
            auto const per_slice = 1 + dice_.roll(3);
            auto const count = 1 + dice_.roll(mood_.appended_max);
            append(log, count, per_slice, payload_max);
        }
        note(log);
    }

    /// Remembers what the log says is durable.
    template <durable_log Log>
    void note(Log& log)
    {
        durable_ = std::max(durable_, log.durable().through().value);
    }

    template <durable_log Log>
    void vote(Log& log)
    {
        current_.term = Term{current_.term.value + 1};
        current_.vote = dice_.roll(2) == 0 ? std::optional<ServerId>{} : ServerId{1 + dice_.roll(3)};
        log.save_vote(begin_write(), current_.term, current_.vote);
    }

    template <durable_log Log>
    void truncate(Log& log, std::uint64_t from)
    {
        current_.entries.resize(from - 1);
        log.truncate(begin_write(), Index{from});
    }

    /// Often above what is durable, as in a leader whose followers are faster; truncations stay above it.
    template <durable_log Log>
    void commit(Log& log)
    {
        commit_ += dice_.roll(current_.entries.size() - commit_ + 1);
        log.save_commit(Index{commit_});
    }

    template <durable_log Log>
    void append(Log& log, std::uint64_t count, std::uint64_t per_slice, std::size_t payload_max)
    {
        auto const payload_size = dice_.roll(payload_max + 1);
        auto const term = std::max(current_.term, Term{current_.entries.empty() ? 1 : current_.entries.back().term});
        auto const first = Index{current_.entries.size() + 1};
        current_.entries.resize(current_.entries.size() + count, {term.value, payload_size});
        log.append(begin_write(), entries_of(term, first, count, payload_size, per_slice));
    }

    [[nodiscard]] Content const& current() const { return current_; }
    [[nodiscard]] std::uint64_t  writes() const { return history_.size() - 1; }
    [[nodiscard]] std::uint64_t  durable() const { return durable_; }
    [[nodiscard]] Index          commit_index() const { return Index{commit_}; }
    [[nodiscard]] Dice&          dice() { return dice_; }

    /// Whether this is what was there after a write that is not older than the newest one reported durable. The last
    /// append may be there in part.
    [[nodiscard]] bool allows(Content const& found) const { return allows(found, durable_); }

    /// The same, if no more than this write has to be there.
    [[nodiscard]] bool allows(Content const& found, std::uint64_t at_least) const
    {
        for (auto write = at_least; write < history_.size(); ++write) {
            if (history_[write] == found)
                return true;
            if (write + 1 < history_.size() and is_part(history_[write], found, history_[write + 1]))
                return true;
        }
        return false;
    }

private:
    /// Remembers a write before the log is told of it: the power may fail while the log is at it.
    [[nodiscard]] WriteNumber begin_write()
    {
        history_.push_back(current_);
        return WriteNumber{history_.size() - 1};
    }

    [[nodiscard]] static bool is_part(Content const& before, Content const& found, Content const& after)
    {
        return before.term == found.term and before.vote == found.vote and
               before.entries.size() <= found.entries.size() and found.entries.size() <= after.entries.size() and
               std::equal(before.entries.begin(), before.entries.end(), after.entries.begin()) and
               std::equal(found.entries.begin(), found.entries.end(), after.entries.begin());
    }

    Dice                 dice_;
    WorkloadMood         mood_;
    Content              current_;
    std::uint64_t        commit_ = 0;
    std::vector<Content> history_;     ///< After each write, the first element being before all of them.
    std::uint64_t        durable_ = 0; ///< The newest write that the log reported durable.
};

} // namespace totora::conformance
