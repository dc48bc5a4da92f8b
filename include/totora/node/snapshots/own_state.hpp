// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/state.hpp"
#include "totora/core/values/progress.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/saturating.hpp"
#include "totora/node/snapshot_settings.hpp"
#include "totora/node/snapshots/compaction_point.hpp"
#include "totora/node/snapshots/has_snapshots.hpp"
#include "totora/node/status.hpp"
#include "totora/policy/snapshot_log.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace totora::inline v0
{

/// Whether a follower is sent a snapshot, or waits for one.
[[nodiscard]] inline bool is_any_sent_snapshot(State const& state)
{
    return std::any_of(state.followers.begin(), state.followers.end(),
                       [](Progress const& progress) { return std::holds_alternative<SendSnapshot>(progress.mode); });
}

/// Whether a follower that answers waits for a snapshot. One that does not may never again.
[[nodiscard]] inline bool is_any_waiting_for_snapshot(State const& state)
{
    return std::any_of(state.followers.begin(), state.followers.end(), [](Progress const& progress) {
        return std::holds_alternative<SendSnapshot>(progress.mode) and progress.recently_active;
    });
}

/// What the log of a server need not hold, and which files it needs, if its state machine keeps itself on disk (decision 0016).
template <typename Policies, bool = has_durable_machine<Policies>>
class OwnState
{
public:
    using Log = Refined<KeepsSnapshots, typename Policies::Log>;

    OwnState(Policies& policies, State const& state)
        : machine_(refined<KeepsItself>(policies.machine)), log_(refined<KeepsSnapshots>(policies.log)),
          settings_(policies.settings.snapshots), state_(state)
    {}

    void begin() { counted_from_ = state_.log.base().index; }

    /// The log is compacted by what the machine has, as soon as that is more than before.
    void request() { is_requested_ = true; }

    /// Asks the machine, which was given everything up to `applied`. Nothing if it can be relied on.
    [[nodiscard]] std::optional<Failed> look(Index applied)
    {
        auto const durable = machine_.durable_index();
        if (durable > applied)
            return Failed{NodeFailure::untrusted_machine, "the state machine says that it keeps entry " +
                                                              number(durable) + ", and was given entries up to " +
                                                              number(applied)};
        if (durable < durable_)
            return Failed{NodeFailure::untrusted_machine, "the state machine said that it keeps entry " +
                                                              number(durable_) + ", and now only entry " +
                                                              number(durable)};
        durable_ = durable;
        return std::nullopt;
    }

    /// Up to where the log is to be compacted now; nothing if it is not time. While a snapshot is written nothing is: it would be for nothing
    /// if the log went on beyond it.
    [[nodiscard]] std::optional<Index> compaction(bool is_writing)
    {
        if (is_writing)
            return std::nullopt;
        note_file();
        if (durable_ <= counted_from_)
            return std::nullopt;
        auto const facts = SnapshotFacts{.server = state_.own.id,
                                         .entries = durable_.value - counted_from_.value,
                                         .log_bytes = log_.bytes(next(counted_from_), durable_),
                                         .snapshot_bytes = 0};
        if (not is_requested_ and not is_snapshot_due(settings_, facts))
            return std::nullopt;
        is_requested_ = false;
        counted_from_ = durable_;
        return std::min(compaction_point(settings_, state_, log_, durable_), held_by_file());
    }

    /// Whether a follower needs a file, and there is none that it could be sent.
    [[nodiscard]] bool needs_file() const { return is_any_waiting_for_snapshot(state_) and usable() == nullptr; }

    /// Whether the machine has not durably what the log begins after: if it lost that, it would be restored from a file.
    [[nodiscard]] bool needs_for_itself() const { return durable_ < state_.log.base().index; }

    /// Whether a file of this server's own is kept. The machine needs it until it has durably what the log begins after; a follower, as long
    /// as the log goes on from there.
    [[nodiscard]] bool keeps(StoredSnapshot const& own, bool is_being_sent) const
    {
        if (own.id.last.index < state_.log.base().index)
            return false;
        return needs_for_itself() or is_being_sent or (is_any_sent_snapshot(state_) and own.id == usable()->id);
    }

private:
    [[nodiscard]] static std::string number(Index index) { return std::to_string(index.value); }

    /// The newest file that the log goes on from.
    [[nodiscard]] StoredSnapshot const* usable() const
    {
        StoredSnapshot const* found = nullptr;
        for (auto const& one : log_.snapshots())
            if (not one.is_received and one.id.last.index >= state_.log.base().index)
                found = &one;
        return found;
    }

    void note_file()
    {
        auto const* const file = usable();
        if (file != nullptr and file->id != file_) {
            file_ = file->id;
            file_was_there_at_ = durable_;
        }
    }

    /// What follows a file stays for who is sent it, or waits for it, as long as what came since it was there is less than the file
    /// (`log_percent_min`), or than `follower_bytes_max`: one that is always outrun brings no follower back.
    [[nodiscard]] Index held_by_file() const
    {
        auto const* const file = usable();
        if (file == nullptr or not is_any_sent_snapshot(state_))
            return durable_;
        auto const bytes_max =
            std::max(settings_.follower_bytes_max, mul_sat(file->id.bytes / 100, settings_.log_percent_min));
        return log_.bytes(next(file_was_there_at_), durable_) < bytes_max ? file->id.last.index : durable_;
    }

    Refined<KeepsItself, typename Policies::Machine> const& machine_;

    Log const&              log_;
    SnapshotSettings const& settings_;
    State const&            state_;
    Index                   durable_;      ///< Of the machine, as of this turn.
    Index                   counted_from_; ///< What the machine has had since then is counted.
    bool                    is_requested_ = false;
    SnapshotId              file_;              ///< The newest that the log went on from...
    Index                   file_was_there_at_; ///< ... and what the machine had when it was first seen.
};

/// Of a machine that does not keep itself there is nothing to know.
template <typename Policies>
class OwnState<Policies, false>
{
public:
    OwnState(Policies&, State const&) {}

    /// It needs its files.
    [[nodiscard]] static bool needs_for_itself() { return true; }
};

} // namespace totora::inline v0
