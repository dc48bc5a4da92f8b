// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/core/rules/recovery.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/result.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/data/attempt.hpp"
#include "totora/data/known_peers.hpp"
#include "totora/data/snapshot_format.hpp"
#include "totora/node/snapshots/has_snapshots.hpp"
#include "totora/node/snapshots/snapshot_file.hpp"
#include "totora/node/status.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/snapshot_log.hpp"
#include "totora/policy/versioned_machine.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// "the snapshot up to entry 7 (term 2)".
[[nodiscard]] inline std::string to_string(SnapshotId const& id)
{
    return "the snapshot up to entry " + std::to_string(id.last.index.value) + " (term " +
           std::to_string(id.last.term.value) + ")";
}

/// Why a state machine was not restored.
struct NotRestored
{
    bool is_damaged = false; ///< Another snapshot may do. Otherwise it cannot be read, or the machine does not take it.
    std::string what;
    bool        threw = false;    ///< The machine did.
    bool        is_later = false; ///< It cannot be read now, and nothing was changed: later it can.
};

/// Restores a machine from a snapshot that the log keeps, when the check of it has ended so. Nothing if that went well.
template <typename Machine, typename Log>
[[nodiscard]] std::optional<NotRestored>
restore_machine(Machine& machine, Log& log, SnapshotId const& id, Result<ReadSnapshotHeader, LogError> const& header,
                SnapshotBlocks at_hand = {})
{
    if (not header) {
        auto const is_damaged = header.error().failure == LogFailure::damaged;
        auto       what = to_string(id) + " cannot be read back: " + header.error().what;
        if (not is_damaged)
            what += " Nothing was removed: start the server again when that can be read.";
        return NotRestored{is_damaged, std::move(what)};
    }
    auto source = SnapshotReader<Log>{log, id, *header, std::move(at_hand)};
    auto refusal = std::optional<std::string>{};
    auto thrown = attempt("the state machine", [&] {
        use_version(machine, header->header.configurations.in_force.agreed.machine);
        refusal = machine.restore(source);
    });
    if (thrown)
        return NotRestored{false, *std::move(thrown) + " when it was restored from " + to_string(id), true};
    if (source.failure())
        return NotRestored{.what = to_string(id) + " could not be read again: " + source.failure()->what,
                           .is_later = source.failure()->failure == LogFailure::not_now};
    if (refusal)
        return NotRestored{false, "the state machine does not take " + to_string(id) + ": " + *std::move(refusal)};
    return std::nullopt;
}

/// What a server that starts has done with its snapshots.
struct SnapshotsAtStart
{
    std::optional<std::string>  refusal;               ///< Why it cannot start.
    bool                        machine_threw = false; ///< When it was restored.
    std::optional<SnapshotId>   restored;
    std::vector<SnapshotFailed> failures; ///< Snapshots that are damaged, where another one did.
    std::vector<SnapshotId>     damaged;  ///< These.
    std::optional<KnownPeers>   installed =
        {}; ///< The members of the configurations of the snapshot whose install was finished.
};

/// Brings the state machine of a server that starts to where it can be brought without its log, and finishes an install that had
/// begun: `recovered` is changed accordingly, and with it the log (decision 0010, "At a start").
template <typename Machine, typename Log>
class SnapshotRecovery
{
public:
    /// A machine that keeps itself is restored only where the log no longer has what follows: it has more of its own than it would be given.
    SnapshotRecovery(Machine& machine, Log& log, RecoveredState& recovered, bool keeps_itself)
        : machine_(machine), log_(log), recovered_(recovered), keeps_itself_(keeps_itself)
    {}

    [[nodiscard]] SnapshotsAtStart run()
    {
        auto const received = newest_received();
        if (received)
            recovered_.received = SnapshotReceived{received->id, received->configurations};
        received_peers_ = received ? received->peers : KnownPeers{};
        if (not keeps_itself_ or not is_within_log())
            restore_from([&](StoredSnapshot const& one) { return not one.is_received; });
        if (not is_within_log())
            restore_from([](StoredSnapshot const& one) { return one.is_received; });
        if (not done_.refusal)
            finish_install();
        recovered_.reception =
            received ? SnapshotReception{received->id, received->id.bytes, Term{}} : log_.reception();
        return std::move(done_);
    }

private:
    [[nodiscard]] std::optional<StoredSnapshot> newest_received() const
    {
        auto newest = std::optional<StoredSnapshot>{};
        for (auto const& one : log_.snapshots())
            if (one.is_received)
                newest = one; // They are in order.
        return newest;
    }

    /// Whether the log goes on from where the machine is.
    [[nodiscard]] bool is_within_log() const
    {
        return recovered_.applied_index >= recovered_.log.base().index and
               recovered_.applied_index <= recovered_.log.last().index;
    }

    /// Restores the machine from the newest of these snapshots that is beyond it, not below the base, and not damaged.
    template <typename Wanted>
    void restore_from(Wanted wanted)
    {
        auto const& all = log_.snapshots();
        for (auto at = all.size(); at > 0 and not done_.refusal; --at) {
            auto const& one = all[at - 1];
            auto const  index = one.id.last.index;
            if (not wanted(one) or index <= recovered_.applied_index or index < recovered_.log.base().index)
                continue;
            auto failed = restore_machine(machine_, log_, one.id, check_snapshot(log_, one.id));
            if (not failed) {
                recovered_.applied_index = index;
                done_.restored = one.id;
                return;
            }
            if (not failed->is_damaged) {
                done_.refusal = std::move(failed->what);
                done_.machine_threw = failed->threw;
                return;
            }
            done_.failures.push_back({SnapshotStep::read, std::move(failed->what)});
            done_.damaged.push_back(one.id);
        }
    }

    /// The machine was restored from a snapshot of another server, now or before, and the log does not reach as far.
    void finish_install()
    {
        if (not recovered_.received or recovered_.received->snapshot.last.index != recovered_.applied_index)
            return;
        auto finished = core::finish_install(recovered_);
        if (finished.log == recovered_.log)
            return;
        if (auto const failure = log_.finish_install(finished.received->snapshot))
            done_.refusal = failure->what;
        done_.installed = std::move(received_peers_);
        recovered_ = std::move(finished);
    }

    Machine&         machine_;
    Log&             log_;
    RecoveredState&  recovered_;
    bool             keeps_itself_;
    KnownPeers       received_peers_; ///< Of the newest received snapshot.
    SnapshotsAtStart done_;
};

} // namespace totora::inline v0
