// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/release.hpp"
#include "totora/core/values/configurations.hpp"
#include "totora/core/values/result.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/data/known_peers.hpp"
#include "totora/data/payload.hpp"
#include "totora/data/queue.hpp"
#include "totora/log/memory_entries.hpp"
#include "totora/log/memory_snapshots.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/snapshot_log.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// A log in memory, for tests and trials.
///
/// Differs: it is volatile, and so are the server's promises. A server that returned under its old (id, incarnation)
/// could vote twice in a term (case 45). When one process of a cluster has ended, restart all servers, as another
/// cluster.
///
/// By default a sync makes everything durable at once. A test can hold syncs back, complete them one by one, make
/// one fail, and cut the power; and the same of snapshots (`kept_snapshots`).
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
        undo_.clear(); // What a start has found is durable: the server answers for it.
        snapshots_.begin_run();
        auto recovered = Recovered{};
        recovered.identity = identity_;
        recovered.current_term = current_term_;
        recovered.voted_for = voted_for_;
        recovered.entries = entries_.runs();
        recovered.commit_index = commit_index_;
        recovered.cleanly_stopped = std::exchange(cleanly_stopped_, false);
        entries_.recover_configurations(identity_, recovered);
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
        entries_.add(entries);
    }

    void truncate(WriteNumber write, Index index)
    {
        remember({.write = write, .what = Undo::What::truncate, .removed = entries_.read_from(index)});
        entries_.cut(index);
    }

    void compact(WriteNumber write, LogPosition base, Configurations const& configurations, KnownPeers const& peers)
    {
        move_boundary(write, {base, configurations, peers, {}}, entries_.read_from(next(base.index)));
    }

    void install(WriteNumber write, SnapshotId const& id, Configurations const& configurations, KnownPeers const& peers)
    {
        move_boundary(write, {id.last, configurations, peers, id}, {});
        snapshots_.mark(id, false);
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
    [[nodiscard]] LogPosition             last() const { return entries_.last(); }

    [[nodiscard]] Result<Entries, LogError> read(Index from, Index up_to, std::uint64_t bytes_max)
    {
        return entries_.read(from, up_to, bytes_max);
    }

    [[nodiscard]] std::uint64_t bytes(Index first, Index up_to) const { return entries_.bytes(first, up_to); }

    [[nodiscard]] bool has_room(std::uint64_t bytes_more) const
    {
        if (capacity_bytes_ == no_limit)
            return true;
        auto const used = entries_.bytes();
        return used <= capacity_bytes_ and bytes_more <= capacity_bytes_ - used;
    }

    void close()
    {
        sync();
        cleanly_stopped_ = undo_.empty() and not failure_;
    }

    void begin_snapshot() { snapshots_.begin(); }
    void write_snapshot(std::span<std::byte const> bytes) { snapshots_.write(bytes); }
    void finish_snapshot(SnapshotId const& id) { snapshots_.finish(id); }
    void drop_snapshot() { snapshots_.drop(); }
    void store_chunk(SnapshotId const& id, std::uint64_t offset, std::span<std::byte const> bytes)
    {
        snapshots_.store_chunk(id, offset, bytes);
    }
    void finish_chunks(SnapshotId const& id) { snapshots_.finish_chunks(id); }
    void drop_chunks() { snapshots_.drop_chunks(); }
    void remove_snapshot(SnapshotId const& id) { snapshots_.remove(id); }

    [[nodiscard]] std::optional<SnapshotEnd>         snapshot_end() { return snapshots_.next_end(); }
    [[nodiscard]] std::vector<StoredSnapshot> const& snapshots() const { return snapshots_.all(); }
    [[nodiscard]] SnapshotReception                  reception() const { return snapshots_.reception(); }
    [[nodiscard]] Result<PinnedBytes, LogError>
    read_snapshot(SnapshotId const& id, std::uint64_t offset, std::uint64_t bytes_max)
    {
        return snapshots_.read(id, offset, bytes_max);
    }

    [[nodiscard]] std::optional<LogError> finish_install(SnapshotId const& id)
    {
        auto const* const stored = snapshots_.find(id);
        if (stored == nullptr)
            return LogError{LogFailure::read_failed, "the log in memory does not keep that snapshot"};
        entries_.begin_after({id.last, stored->configurations, stored->peers, id}, {});
        snapshots_.mark(id, false);
        return std::nullopt;
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
        snapshots_.crash();
        failure_.reset();
        fail_next_sync_ = false;
    }

    /// What a test does with snapshots.
    [[nodiscard]] MemorySnapshots& kept_snapshots() { return snapshots_; }

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
            boundary,
        };

        WriteNumber                     write;
        What                            what;
        Term                            term{};     ///< Before the vote.
        std::optional<ServerId>         vote{};     ///< Before it.
        Index                           last{};     ///< Before the append.
        Entries                         removed{};  ///< By the truncation; all of them before the boundary moved.
        std::unique_ptr<MemoryBoundary> boundary{}; ///< Before it moved.
    };

    void remember(Undo before)
    {
        written_ = before.write;
        undo_.push_back(std::move(before));
    }

    void move_boundary(WriteNumber write, MemoryBoundary const& boundary, Entries const& kept)
    {
        remember({.write = write,
                  .what = Undo::What::boundary,
                  .removed = entries_.read_all(),
                  .boundary = std::make_unique<MemoryBoundary>(entries_.boundary())});
        entries_.begin_after(boundary, kept);
    }

    void undo(Undo const& write)
    {
        switch (write.what) {
        case Undo::What::vote:
            current_term_ = write.term;
            voted_for_ = write.vote;
            break;
        case Undo::What::append:
            entries_.cut(next(write.last));
            break;
        case Undo::What::truncate:
            entries_.add(write.removed);
            break;
        case Undo::What::boundary:
            snapshots_.mark(entries_.boundary().installed, true);
            entries_.begin_after(*write.boundary, write.removed);
            break;
        }
    }

    Identity                identity_;
    Term                    current_term_;
    std::optional<ServerId> voted_for_;
    MemoryEntries           entries_;
    MemorySnapshots         snapshots_;
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

static_assert(snapshot_log<MemoryLog>);

} // namespace totora::inline v0
