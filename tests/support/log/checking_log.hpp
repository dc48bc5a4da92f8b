// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/data/known_peers.hpp"
#include "totora/log/memory_log.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/snapshot_log.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace totora::test
{

/// A `MemoryLog` that counts its calls, and breaks a law on request.
class CheckingLog : private DurableSource
{
public:
    explicit CheckingLog(Identity const& identity) : memory(identity) {}

    MemoryLog memory;

    int                votes = 0;
    int                appends = 0;
    int                truncations = 0;
    int                syncs = 0;
    int                closes = 0;
    mutable int        calls_after_close = 0; ///< Of anything but `failure`.
    std::vector<Index> saved_commits;
    bool               saved_above_durable = false; ///< A commit index was saved that the log did not hold durably.

    std::optional<LogPosition>   lies_about_last;
    std::optional<WriteNumber>   confirms_instead; ///< Whatever is durable.
    std::optional<LogError>      fails_now;        ///< Reported as a failure from now on.
    std::optional<LogError>      fails_at_close;   ///< Reported as a failure once it is closed.
    std::optional<LogError>      fails_to_read;    ///< Reads fail, and the log reports nothing else.
    std::optional<Index>         damages;          ///< The entry at this index comes back with a bit flipped.
    std::optional<Index>         returns_instead;  ///< Whatever is asked for, what comes back begins at this index.
    bool                         returns_nothing = false;
    std::optional<Term>          returns_of_term;  ///< Intact, but of another term than what was written.
    bool                         reads_on = false; ///< Reads give back everything to the end of the log.
    std::optional<TornTail>      torn;             ///< Recovery reports it.
    std::optional<Configuration> recovers_instead; ///< Whatever the newest configuration is.
    std::optional<Configuration> recovers_before;  ///< Whatever the one before that is.
    std::optional<std::uint64_t> room;             ///< So many bytes can be written; any number if empty.
    Index                        cold_through;     ///< Entries up to here are read from disk.
    std::uint64_t                bytes_read = 0;   ///< From disk.
    bool                         throws_at_append = false;
    std::uint64_t                backlog = 0; ///< Bytes of snapshots that are said to wait.
    int                          reliances = 0;
    std::optional<LogError>      fails_to_rely;          ///< On a machine that keeps itself.
    std::optional<LogError>      fails_to_read_snapshot; ///< From `fails_from` on.
    std::uint64_t                fails_from = 0;         ///< So many reads of a snapshot go well before.
    std::optional<SnapshotEnd>   ends_early;             ///< Reported once, before what the log in memory reports.

    [[nodiscard]] Result<Recovered, LogError> recover()
    {
        is_closed_ = false;
        auto recovered = memory.recover();
        durable_last_ = memory.last().index;
        written_.clear();
        if (torn)
            recovered->torn_tail = *torn;
        recovered->configuration = recovers_instead.value_or(recovered->configuration);
        recovered->previous_configuration = recovers_before.value_or(recovered->previous_configuration);
        recovered->peers = {peers_of(recovered->configuration, recovered->peers.in_force),
                            peers_of(recovered->previous_configuration, recovered->peers.previous)};
        return recovered;
    }

    void save_vote(WriteNumber write, Term term, std::optional<ServerId> vote)
    {
        note_call();
        ++votes;
        memory.save_vote(write, term, vote);
    }

    void append(WriteNumber write, Entries const& entries)
    {
        note_call();
        if (throws_at_append)
            throw std::runtime_error("the log is wet");
        ++appends;
        memory.append(write, entries);
        written_.push_back({write, memory.last().index});
    }

    void truncate(WriteNumber write, Index index)
    {
        note_call();
        ++truncations;
        memory.truncate(write, index);
        durable_last_ = std::min(durable_last_, before(index));
        for (auto& one : written_)
            one.second = std::min(one.second, before(index));
    }

    void compact(WriteNumber write, LogPosition base, Configurations const& configurations, KnownPeers const& peers)
    {
        note_call();
        memory.compact(write, base, configurations, peers);
    }

    void install(WriteNumber write, SnapshotId const& id, Configurations const& configurations, KnownPeers const& peers)
    {
        note_call();
        memory.install(write, id, configurations, peers);
        for (auto& one : written_)
            one.second = std::min(one.second, durable_last_);
        written_.push_back({write, id.last.index});
    }

    [[nodiscard]] std::optional<LogError> rely_on_machine()
    {
        ++reliances;
        return fails_to_rely;
    }

    [[nodiscard]] std::uint64_t snapshot_backlog() const { return backlog; }

    void begin_snapshot() { memory.begin_snapshot(); }
    void write_snapshot(std::span<std::byte const> bytes) { memory.write_snapshot(bytes); }
    void finish_snapshot(SnapshotId const& id) { memory.finish_snapshot(id); }
    void drop_snapshot() { memory.drop_snapshot(); }
    void store_chunk(SnapshotId const& id, std::uint64_t offset, std::span<std::byte const> bytes)
    {
        memory.store_chunk(id, offset, bytes);
    }
    void finish_chunks(SnapshotId const& id) { memory.finish_chunks(id); }
    void drop_chunks() { memory.drop_chunks(); }
    void remove_snapshot(SnapshotId const& id) { memory.remove_snapshot(id); }

    [[nodiscard]] std::optional<SnapshotEnd> snapshot_end()
    {
        return ends_early ? std::exchange(ends_early, std::nullopt) : memory.snapshot_end();
    }
    [[nodiscard]] std::vector<StoredSnapshot> const& snapshots() const { return memory.snapshots(); }
    [[nodiscard]] SnapshotReception                  reception() const { return memory.reception(); }
    [[nodiscard]] std::optional<LogError> finish_install(SnapshotId const& id) { return memory.finish_install(id); }
    [[nodiscard]] Result<PinnedBytes, LogError>
    read_snapshot(SnapshotId const& id, std::uint64_t offset, std::uint64_t bytes_max)
    {
        if (fails_to_read_snapshot and fails_from == 0)
            return Unexpected{*fails_to_read_snapshot};
        fails_from -= std::min<std::uint64_t>(fails_from, 1);
        return memory.read_snapshot(id, offset, bytes_max);
    }

    void save_commit(Index index)
    {
        note_call();
        on_persisted(memory.durable().through());
        saved_commits.push_back(index);
        saved_above_durable = saved_above_durable or index > durable_last_;
        memory.save_commit(index);
    }

    void sync()
    {
        note_call();
        ++syncs;
        memory.sync();
    }

    [[nodiscard]] Durable durable()
    {
        note_call();
        return confirms_instead ? durable_through(*confirms_instead) : memory.durable();
    }

    [[nodiscard]] std::optional<LogError> failure() const { return fails_now ? fails_now : memory.failure(); }

    [[nodiscard]] LogPosition last() const
    {
        note_call();
        return lies_about_last.value_or(memory.last());
    }

    [[nodiscard]] Result<Entries, LogError> read(Index from, Index up_to, std::uint64_t bytes_max)
    {
        note_call();
        if (fails_to_read)
            return Unexpected{*fails_to_read};
        if (returns_nothing)
            return Entries{};
        if (reads_on)
            up_to = memory.last().index;
        auto const entries = memory.read(returns_instead.value_or(from), up_to, bytes_max);
        if (entries and not entries->empty())
            bytes_read += cold_bytes(from, before(from + entries->count()));
        if (not entries or (not damages and not returns_of_term))
            return entries;
        auto copies = Entries{};
        for (auto const entry : *entries) {
            auto const block = std::make_shared<std::vector<std::byte>>(entry.encoded.begin(), entry.encoded.end());
            if (returns_of_term)
                seal_entry(*block, entry.index, *returns_of_term, entry.kind, entry.time_ms);
            if (entry.index == damages)
                block->back() ^= std::byte{0x10};
            copies.add({block, *block}, 1);
        }
        return copies;
    }

    [[nodiscard]] std::uint64_t bytes(Index first, Index up_to) const
    {
        note_call();
        return memory.bytes(first, up_to);
    }
    [[nodiscard]] std::uint64_t cold_bytes(Index first, Index up_to) const
    {
        return memory.bytes(first, std::min(up_to, cold_through));
    }
    [[nodiscard]] bool has_room(std::uint64_t bytes_more) const
    {
        return memory.has_room(bytes_more) and (not room or bytes_more <= *room);
    }

    void close()
    {
        note_call();
        is_closed_ = true;
        ++closes;
        memory.close();
        if (fails_at_close)
            fails_now = fails_at_close;
    }

private:
    void note_call() const { calls_after_close += is_closed_ ? 1 : 0; }

    void on_persisted(WriteNumber through)
    {
        while (not written_.empty() and written_.front().first <= through) {
            durable_last_ = std::max(durable_last_, written_.front().second);
            written_.erase(written_.begin());
        }
    }

    std::vector<std::pair<WriteNumber, Index>> written_; ///< Appends that were not durable when last looked at.
    Index                                      durable_last_;
    bool                                       is_closed_ = false;
};

static_assert(snapshot_log<CheckingLog>);

} // namespace totora::test
