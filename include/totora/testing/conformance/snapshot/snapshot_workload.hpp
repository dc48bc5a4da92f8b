// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configurations.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/configuration_entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/policy/log.hpp"
#include "totora/testing/conformance/log/log_content.hpp"
#include "totora/testing/conformance/sample_entries.hpp"
#include "totora/testing/conformance/sample_snapshots.hpp"
#include "totora/testing/prng.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace totora::inline v0::conformance
{

/// What a log holds that begins after a snapshot.
struct BasedContent
{
    LogPosition             base;
    Configurations          configurations; ///< In force at the base, and before.
    Content                 content;        ///< Of the entries after the base.
    std::vector<SnapshotId> installed;      ///< Snapshots of other servers that are own ones now.

    [[nodiscard]] Index last_index() const { return base.index + content.entries.size(); }

    [[nodiscard]] LogPosition last() const
    {
        return content.entries.empty() ? base : LogPosition{Term{content.entries.back().term}, last_index()};
    }

    [[nodiscard]] Content::Entry const& entry(Index index) const
    {
        return content.entries[static_cast<std::size_t>(index.value - base.index.value - 1)];
    }

    /// In force at an index of the log, and before.
    [[nodiscard]] Configurations configurations_at(Index index) const
    {
        auto found = configurations;
        for (auto at = next(base.index); at <= index; at = next(at))
            if (auto const& one = entry(at); one.is_configuration) {
                auto const entries = sample_configuration(Term{one.term}, at);
                found.append(*decode_configuration(*entries.begin()));
            }
        return found;
    }

    friend bool operator==(BasedContent const&, BasedContent const&) = default;
};

/// What a node with snapshots writes to its log, at random and always the same for a seed, and the content after each write: the
/// model with which a recovery is compared. Its user stores the snapshots themselves.
class SnapshotWorkload
{
public:
    SnapshotWorkload(std::uint64_t seed, Identity const& identity) : random_(seed)
    {
        auto const first = first_configuration(identity);
        history_.push_back({{}, {first, first}, {}, {}});
    }

    [[nodiscard]] testing::SplitMix&  random() { return random_; }
    [[nodiscard]] BasedContent const& current() const { return history_.back(); }
    [[nodiscard]] std::uint64_t       writes() const { return history_.size() - 1; }
    [[nodiscard]] std::uint64_t       durable() const { return durable_; }
    [[nodiscard]] Index               commit_index() const { return commit_; }

    /// Records what a log reports durable.
    template <durable_log Log>
    void note(Log& log)
    {
        durable_ = std::max(durable_, std::min(writes(), log.durable().through().value));
        // What is in every state that a crash may leave is as good as committed; what an install discards is not.
        if (random_.below(2) == 0 and not is_installing())
            commit_ = std::max(commit_, durable_last());
    }

    template <durable_log Log>
    void vote(Log& log)
    {
        auto next = current();
        next.content.term = Term{std::max(next.content.term.value, next.last().term.value) + 1};
        next.content.vote = ServerId{1 + random_.below(3)};
        auto const& content = begin(std::move(next)).content;
        log.save_vote(WriteNumber{writes()}, content.term, content.vote);
    }

    /// Never above what is durable, as a node does it.
    template <durable_log Log>
    void save_commit(Log& log)
    {
        if (not is_installing())
            log.save_commit(commit_);
    }

    template <durable_log Log>
    void append(Log& log)
    {
        auto       next = current();
        auto const term = std::max(next.content.term, std::max(next.last().term, Term{1}));
        auto const first = next.last_index() + 1;
        auto const size = static_cast<std::size_t>(random_.below(200));
        auto const count = 1 + random_.below(5);
        auto       entries = entries_of(term, first, count, size, 2);
        if (random_.below(4) == 0) {
            entries = sample_configuration(term, first);
            next.content.entries.push_back({term.value, (*entries.begin()).payload.size(), true});
        } else {
            next.content.entries.resize(next.content.entries.size() + count, {term.value, size});
        }
        begin(std::move(next));
        log.append(WriteNumber{writes()}, entries);
    }

    /// What is not committed, if there is something.
    template <durable_log Log>
    void truncate(Log& log)
    {
        auto       next = current();
        auto const least = std::max(commit_, next.base.index);
        if (next.last_index() <= least)
            return;
        auto const from = least + 1 + random_.below(next.last_index().value - least.value);
        next.content.entries.resize(static_cast<std::size_t>(from.value - next.base.index.value - 1));
        begin(std::move(next));
        log.truncate(WriteNumber{writes()}, from);
    }

    /// A position that is committed and not compacted: a server takes snapshots there, and compacts up to it.
    [[nodiscard]] std::optional<LogPosition> position_to_compact()
    {
        auto const& now = current();
        if (is_installing() or commit_ <= now.base.index)
            return std::nullopt;
        auto const index = now.base.index + 1 + random_.below(commit_.value - now.base.index.value);
        return LogPosition{Term{now.entry(index).term}, index};
    }

    template <typename Log>
    void compact(Log& log, LogPosition base)
    {
        auto       next = current();
        auto const count = base.index.value - next.base.index.value;
        next.configurations = next.configurations_at(base.index);
        next.base = base;
        next.content.entries.erase(next.content.entries.begin(),
                                   next.content.entries.begin() + static_cast<std::ptrdiff_t>(count));
        auto const configurations = begin(std::move(next)).configurations;
        log.compact(WriteNumber{writes()}, base, configurations, sample_peers(configurations));
    }

    /// The position of a snapshot that a leader of a later term may send: beyond what is committed.
    [[nodiscard]] LogPosition position_to_install()
    {
        auto const& now = current();
        auto const  least = std::max(commit_, now.base.index);
        return {Term{std::max(now.content.term.value, now.last().term.value) + 1}, least + 1 + random_.below(30)};
    }

    template <typename Log>
    void install(Log& log, SampleSnapshot const& sample)
    {
        auto next = current();
        next.base = sample.id.last;
        next.configurations = sample.configurations;
        next.content.entries.clear();
        next.installed.push_back(sample.id);
        begin(std::move(next));
        commit_ = sample.id.last.index; // Truncations stay above it. Before it is durable nothing is committed.
        install_ = writes();
        log.install(WriteNumber{writes()}, sample.id, sample.configurations, sample_peers(sample.configurations));
    }

    /// The state that was found, if a crash may leave it: not older than what was reported durable, or than write `at_least`.
    [[nodiscard]] std::optional<BasedContent> find(LogPosition base, Content const& found, std::uint64_t at_least) const
    {
        for (auto write = at_least; write < history_.size(); ++write) {
            auto const& one = history_[write];
            if (one.base == base and
                (one.content == found or (write + 1 < history_.size() and is_part(one, found, history_[write + 1]))))
                return with(one, found);
        }
        return std::nullopt;
    }

    /// Continues after what a start found; write numbers begin again.
    void restart(BasedContent found)
    {
        commit_ = std::max(std::min(commit_, found.last_index()), found.base.index);
        history_.assign(1, std::move(found));
        durable_ = 0;
        install_ = 0;
    }

private:
    /// Records a write before the log gets it.
    BasedContent const& begin(BasedContent next)
    {
        history_.push_back(std::move(next));
        return history_.back();
    }

    [[nodiscard]] bool is_installing() const { return durable_ < install_; }

    /// The last index of all states that a crash may leave.
    [[nodiscard]] Index durable_last() const
    {
        auto least = current().last_index();
        for (auto write = durable_; write < history_.size(); ++write)
            least = std::min(least, history_[write].last_index());
        return least;
    }

    /// Whether a part of the entries of an append was found.
    [[nodiscard]] static bool is_part(BasedContent const& before, Content const& found, BasedContent const& after)
    {
        auto const& first = before.content.entries;
        auto const& all = after.content.entries;
        return before.base == after.base and before.content.term == found.term and before.content.vote == found.vote and
               first.size() <= found.entries.size() and found.entries.size() <= all.size() and
               std::equal(first.begin(), first.end(), all.begin()) and
               std::equal(found.entries.begin(), found.entries.end(), all.begin());
    }

    [[nodiscard]] static BasedContent with(BasedContent state, Content const& found)
    {
        state.content = found;
        return state;
    }

    testing::SplitMix         random_;
    std::vector<BasedContent> history_; ///< After each write, the first element being before all of them.
    std::uint64_t             durable_ = 0;
    Index                     commit_;
    std::uint64_t             install_ = 0; ///< The newest write that was an install.
};

} // namespace totora::inline v0::conformance
