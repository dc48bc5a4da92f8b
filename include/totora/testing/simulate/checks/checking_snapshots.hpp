// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/state.hpp"
#include "totora/core/values/configurations.hpp"
#include "totora/core/values/result.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/known_peers.hpp"
#include "totora/data/payload.hpp"
#include "totora/policy/adapter.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/snapshot_log.hpp"
#include "totora/testing/simulate/burdens.hpp"
#include "totora/testing/simulate/checks.hpp"
#include "totora/testing/simulate/faults/snapshot_faults.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace totora::inline v0::simulate
{

/// The part of a checking log that concerns snapshots. Of a log that keeps none: nothing.
template <durable_log Log, bool = snapshot_log<Log>>
class CheckingSnapshots
{
protected:
    CheckingSnapshots(Log&, Burdens&, Checks&, std::size_t) {}

    void confirmed(WriteNumber) {}
};

/// Passes everything on, reports what the log begins after and what it keeps, and follows in which phase it is.
template <durable_log Log>
class CheckingSnapshots<Log, true>
{
public:
    void compact(WriteNumber write, LogPosition base, Configurations const& configurations, KnownPeers const& peers)
    {
        burdens_.call();
        checks_.compact_written(server_, write, base, newest_own());
        log_.compact(write, base, configurations, peers);
        compaction_ = write;
        faults_.enter(SnapshotPhase::before_boundary);
    }

    void install(WriteNumber write, SnapshotId const& id, Configurations const& configurations, KnownPeers const& peers)
    {
        burdens_.call();
        checks_.install_written(server_, write, id.last);
        log_.install(write, id, configurations, peers);
        install_ = write;
        faults_.enter(SnapshotPhase::installing);
    }

    void begin_snapshot()
    {
        faults_.leave(SnapshotPhase::finishing);
        faults_.enter(SnapshotPhase::writing);
        log_.begin_snapshot();
    }

    void write_snapshot(std::span<std::byte const> bytes) { log_.write_snapshot(bytes); }

    void finish_snapshot(SnapshotId const& id)
    {
        faults_.leave(SnapshotPhase::writing);
        faults_.enter(SnapshotPhase::finishing);
        log_.finish_snapshot(id);
    }

    void drop_snapshot()
    {
        faults_.leave(SnapshotPhase::writing);
        log_.drop_snapshot();
    }

    void store_chunk(SnapshotId const& id, std::uint64_t offset, std::span<std::byte const> bytes)
    {
        checks_.chunk_stored(bytes.size());
        faults_.enter(SnapshotPhase::receiving);
        log_.store_chunk(id, offset, bytes);
    }

    void finish_chunks(SnapshotId const& id) { log_.finish_chunks(id); }

    void drop_chunks()
    {
        faults_.leave(SnapshotPhase::receiving);
        log_.drop_chunks();
    }

    [[nodiscard]] std::optional<SnapshotEnd> snapshot_end()
    {
        auto end = log_.snapshot_end();
        if (not end)
            return end;
        faults_.leave(end->is_received ? SnapshotPhase::receiving : SnapshotPhase::finishing);
        if (not end->failure)
            checks_.snapshot_kept(server_, end->id);
        return end;
    }

    [[nodiscard]] std::vector<StoredSnapshot> const& snapshots() const { return log_.snapshots(); }
    [[nodiscard]] SnapshotReception                  reception() const { return log_.reception(); }

    [[nodiscard]] Result<PinnedBytes, LogError>
    read_snapshot(SnapshotId const& id, std::uint64_t offset, std::uint64_t bytes_max)
    {
        return log_.read_snapshot(id, offset, bytes_max);
    }

    void remove_snapshot(SnapshotId const& id)
    {
        checks_.snapshot_removed(server_, id);
        log_.remove_snapshot(id);
    }

    [[nodiscard]] std::optional<LogError> rely_on_machine()
    {
        return if_offered(
            log_, [](auto& log) -> decltype(log.rely_on_machine()) { return log.rely_on_machine(); },
            [] { return std::optional<LogError>{}; });
    }

    [[nodiscard]] std::optional<LogError> finish_install(SnapshotId const& id)
    {
        auto failure = log_.finish_install(id);
        if (not failure) {
            checks_.install_written(server_, WriteNumber{}, id.last);
            checks_.durable_reported(server_, WriteNumber{});
        }
        return failure;
    }

protected:
    CheckingSnapshots(Log& log, Burdens& burdens, Checks& checks, std::size_t server)
        : log_(log), burdens_(burdens), faults_(burdens.snapshots()), checks_(checks), server_(server)
    {}

    /// The log reports every write up to this one durable.
    void confirmed(WriteNumber through)
    {
        if (compaction_ and through >= *compaction_) {
            compaction_.reset();
            faults_.leave(SnapshotPhase::before_boundary);
        }
        if (install_ and through >= *install_) {
            install_.reset();
            faults_.leave(SnapshotPhase::installing);
            faults_.enter(SnapshotPhase::before_restore);
        }
    }

private:
    /// The last entry that the newest durable snapshot stands for.
    [[nodiscard]] Index newest_own() const
    {
        auto newest = Index{};
        for (auto const& one : log_.snapshots())
            if (not one.is_received)
                newest = one.id.last.index;
        return newest;
    }

    Log&                       log_;
    Burdens&                   burdens_;
    SnapshotFaults&            faults_;
    Checks&                    checks_;
    std::size_t                server_;
    std::optional<WriteNumber> compaction_; ///< The newest that is not known to be durable.
    std::optional<WriteNumber> install_;
};

} // namespace totora::inline v0::simulate
