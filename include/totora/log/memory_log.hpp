// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/release.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/result.hpp"
#include "totora/core/values/term_runs.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/data/queue.hpp"
#include "totora/log/segmented/entry_index.hpp"
#include "totora/log/segmented/pinned_entries.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

namespace totora::inline v0
{

/// A log in memory, for tests and trials.
///
/// Differs: it is volatile, and so are the server's promises. A server that returned under its old (id, incarnation)
/// could vote twice in a term (case 45). When one process of a cluster has ended, restart all servers, as another
/// cluster.
///
/// By default a sync makes everything durable at once. A test can hold syncs back, complete them one by one, make
/// one fail, and cut the power.
class MemoryLog : DurableSource
{
public:
    /// First members that form no valid configuration (`configuration_of`) count as none.
    explicit MemoryLog(Identity identity) : identity_(std::move(identity)) {}

    [[nodiscard]] Result<Recovered, LogError> recover()
    {
        durable_ = WriteNumber{};
        written_ = WriteNumber{};
        handed_over_ = WriteNumber{};
        auto recovered = Recovered{};
        recovered.identity = identity_;
        recovered.current_term = current_term_;
        recovered.voted_for = voted_for_;
        recovered.entries = runs_;
        recovered.commit_index = commit_index_;
        recovered.cleanly_stopped = std::exchange(cleanly_stopped_, false);
        recover_configurations(recovered);
        return recovered;
    }

    void save_vote(WriteNumber write, Term term, std::optional<ServerId> vote)
    {
        remember({.write = write, .what = Undo::What::vote, .term = current_term_, .vote = voted_for_});
        current_term_ = term;
        voted_for_ = vote;
    }

    void append(WriteNumber write, Entries const& entries)
    {
        remember({.write = write, .what = Undo::What::append, .last = last().index});
        add(entries);
    }

    void truncate(WriteNumber write, Index index)
    {
        auto removed = Entries{};
        if (index_.holds(index))
            pinned_.read(index, last().index, index_, removed);
        remember({.write = write, .what = Undo::What::truncate, .removed = std::move(removed)});
        cut(index);
    }

    void save_commit(Index index) { wanted_commit_ = std::max(wanted_commit_, index); }

    void sync()
    {
        handed_over_ = written_;
        if (fail_next_sync_ and not failure_)
            failure_ = LogError{LogFailure::sync_failed, "The log in memory was made to fail."};
        if (not held_)
            complete_through(written_);
    }

    [[nodiscard]] Durable                 durable() { return durable_through(durable_); }
    [[nodiscard]] std::optional<LogError> failure() const { return failure_; }
    [[nodiscard]] LogPosition             last() const { return runs_.last(); }

    [[nodiscard]] Result<Entries, LogError> read(Index from, Index up_to, std::uint64_t bytes_max)
    {
        auto entries = Entries{};
        if (index_.holds(from) and up_to >= from)
            pinned_.read(from, index_.last_within(from, up_to, bytes_max), index_, entries);
        return entries;
    }

    [[nodiscard]] std::uint64_t bytes(Index first, Index up_to) const { return index_.bytes(first, up_to); }

    [[nodiscard]] bool has_room(std::uint64_t bytes_more) const
    {
        if (capacity_bytes_ == no_limit)
            return true;
        auto const used = index_.bytes(next(index_.base()), index_.last());
        return used <= capacity_bytes_ and bytes_more <= capacity_bytes_ - used;
    }

    void close()
    {
        sync();
        cleanly_stopped_ = undo_.empty() and not failure_;
    }

    /// From now on a sync only hands over what was written; `complete_through` makes it durable.
    void hold_syncs() { held_ = true; }

    /// Syncs make durable at once again, beginning with what was handed over.
    void release_syncs()
    {
        held_ = false;
        complete_through(handed_over_);
    }

    /// Makes the writes up to this one durable, as far as a sync has handed them over.
    void complete_through(WriteNumber write)
    {
        if (failure_)
            return;
        durable_ = std::max(durable_, std::min(write, handed_over_));
        while (not undo_.empty() and undo_.front().write <= durable_)
            undo_.pop_front();
        if (undo_.empty())
            commit_index_ = std::max(commit_index_, std::min(wanted_commit_, last().index));
    }

    /// Sets how many bytes of encoded entries the log holds before `has_room` is false.
    void limit_capacity(std::uint64_t bytes_max) { capacity_bytes_ = bytes_max; }

    /// Makes the next sync fail, and with it every later one.
    void fail_next_sync() { fail_next_sync_ = true; }

    /// Cuts the power: what is not durable is lost, and a failure cleared. `recover` must follow.
    void crash()
    {
        for (; not undo_.empty(); undo_.pop_back())
            undo(undo_.back());
        wanted_commit_ = commit_index_;
        failure_.reset();
        fail_next_sync_ = false;
    }

private:
    static constexpr auto no_limit = std::numeric_limits<std::uint64_t>::max();

    /// How to undo a write that is not durable.
    struct Undo
    {
        enum class What : std::uint8_t
        {
            vote,
            append,
            truncate,
        };

        WriteNumber             write;
        What                    what;
        Term                    term{};    ///< Before the vote.
        std::optional<ServerId> vote{};    ///< Before it.
        Index                   last{};    ///< Before the append.
        Entries                 removed{}; ///< By the truncation.
    };

    void remember(Undo before)
    {
        written_ = before.write;
        undo_.push_back(std::move(before));
    }

    void undo(Undo const& write)
    {
        switch (write.what) {
        case Undo::What::vote:
            current_term_ = write.term;
            voted_for_ = write.vote;
            break;
        case Undo::What::append:
            cut(next(write.last));
            break;
        case Undo::What::truncate:
            add(write.removed);
            break;
        }
    }

    void add(Entries const& entries)
    {
        for (auto at = std::size_t{0}; at < entries.slice_count(); ++at) {
            auto const& slice = entries.slice(at);
            auto const  first = next(index_.last());
            auto        rest = slice.bytes;
            while (auto const entry = view_entry(rest)) {
                runs_.append({entry->term, entry->index, 1});
                index_.append(entry->encoded.size());
                rest = rest.subspan(entry->encoded.size());
            }
            pinned_.append(first, index_.last().value - first.value + 1, slice);
        }
    }

    void cut(Index from)
    {
        pinned_.truncate(from, index_);
        index_.truncate(from);
        runs_.truncate(from);
    }

    void recover_configurations(Recovered& recovered) const
    {
        recovered.configuration = first_configuration(identity_);
        recovered.previous_configuration = recovered.configuration;
        if (index_.last() == index_.base())
            return;
        auto all = Entries{};
        pinned_.read(next(index_.base()), index_.last(), index_, all);
        for (auto const& entry : all) {
            if (entry.kind != EntryKind::configuration)
                continue;
            if (auto const configuration = decode_configuration(entry))
                recovered.previous_configuration = std::exchange(recovered.configuration, *configuration);
        }
    }

    Identity                identity_;
    Term                    current_term_;
    std::optional<ServerId> voted_for_;
    TermRuns                runs_;
    EntryIndex              index_;
    PinnedEntries           pinned_;
    Index                   commit_index_;
    Index                   wanted_commit_;

    WriteNumber written_;
    WriteNumber handed_over_;
    WriteNumber durable_;
    Queue<Undo> undo_; ///< Of the writes that are not durable, in order.

    bool cleanly_stopped_ = false;
    bool held_ = false;
    bool fail_next_sync_ = false;

    std::uint64_t           capacity_bytes_ = no_limit;
    std::optional<LogError> failure_;
};

static_assert(durable_log<MemoryLog>);

} // namespace totora::inline v0
