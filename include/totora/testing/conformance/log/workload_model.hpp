// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configurations.hpp"
#include "totora/core/values/types.hpp"
#include "totora/testing/conformance/log/log_content.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace totora::inline v0::conformance
{

/// What a log holds after each write of a workload: the model with which a recovery is compared.
class WorkloadModel
{
public:
    WorkloadModel() { history_.emplace_back(); }

    /// Continues after what a recovery found; write numbers begin again. A commit index that was found is kept.
    void restart(Content content, Index found_commit = {})
    {
        content.boundary = boundary_at(content.base);
        history_.assign(1, std::move(content));
        commits_.assign(1, found_commit.value);
        saved_ = found_commit.value;
        current_ = history_.back();
        commit_ = std::min<std::uint64_t>(commit_, current_.entries.size());
        durable_ = 0;
    }

    [[nodiscard]] Content const& current() const { return current_; }
    [[nodiscard]] std::uint64_t  writes() const { return history_.size() - 1; }
    [[nodiscard]] std::uint64_t  durable() const { return durable_; }
    [[nodiscard]] Index          commit_index() const { return Index{commit_}; }

    /// The newest commit index that was saved before a write that is durable now: a log saves it with that.
    [[nodiscard]] Index durable_commit() const { return Index{commits_[durable_]}; }
    /// Whether this was the content after a write that is not older than the newest one reported durable. The last
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

    /// The configurations of the boundary at this base.
    [[nodiscard]] Configurations boundary_at(LogPosition base) const
    {
        for (auto const& content : history_)
            if (content.base == base)
                return content.boundary;
        return {};
    }

protected:
    /// Of the next entry.
    [[nodiscard]] Term next_term() const
    {
        auto const last = Term{current_.entries.empty() ? 1 : current_.entries.back().term};
        return std::max({current_.term, current_.base.term, last});
    }

    /// Records a write before the log gets it: the power may fail while the log performs it.
    [[nodiscard]] WriteNumber begin_write()
    {
        history_.push_back(current_);
        commits_.push_back(saved_);
        return WriteNumber{history_.size() - 1};
    }

    /// How many of the first entries are durable, and stay if what is in flight becomes durable, too. While the beginning of the log
    /// moves, only what is committed counts: an install replaces the rest.
    [[nodiscard]] std::uint64_t durable_entries() const
    {
        auto least = current_.entries.size();
        for (auto write = durable_; write < history_.size(); ++write)
            least = history_[write].base != history_[durable_].base ? static_cast<std::size_t>(commit_)
                                                                    : std::min(least, history_[write].entries.size());
        return least;
    }

    Content                    current_;
    std::uint64_t              commit_ = 0;
    std::uint64_t              saved_ = 0;   ///< The commit index that the log last saved or recovered.
    std::vector<Content>       history_;     ///< After each write, the first element being before all of them.
    std::vector<std::uint64_t> commits_{0};  ///< What had been saved as committed before each write.
    std::uint64_t              durable_ = 0; ///< The newest write that the log reported durable.

private:
    [[nodiscard]] static bool is_part(Content const& before, Content const& found, Content const& after)
    {
        return before.term == found.term and before.vote == found.vote and before.base == found.base and
               after.base == found.base and before.entries.size() <= found.entries.size() and
               found.entries.size() <= after.entries.size() and
               std::equal(before.entries.begin(), before.entries.end(), after.entries.begin()) and
               std::equal(found.entries.begin(), found.entries.end(), after.entries.begin());
    }
};

} // namespace totora::inline v0::conformance
