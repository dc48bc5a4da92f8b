// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/state.hpp"
#include "totora/core/values/configurations.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/attempt.hpp"
#include "totora/data/saturating.hpp"
#include "totora/data/snapshot_format.hpp"
#include "totora/node/parts/address_book.hpp"
#include "totora/node/snapshot_settings.hpp"
#include "totora/node/snapshots/snapshot_backlog.hpp"
#include "totora/node/snapshots/snapshot_file.hpp"
#include "totora/node/status.hpp"
#include "totora/policy/snapshot_log.hpp"
#include "totora/policy/snapshot_machine.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace totora::inline v0
{

/// Takes a server's own snapshots: the state of the machine is captured, written part by part, and made durable by the log. Of a machine
/// that keeps itself only those that are demanded.
///
///     idle ──▶ writing ──▶ finishing ──▶ idle
///       ▲         │            │
///       └─────────┴────────────┴── failed: a pause, and idle again
template <typename Machine, typename Log>
class SnapshotTaker
{
public:
    SnapshotTaker(Machine& machine, Log& log, SnapshotSettings const& settings, AddressBook const& book)
        : machine_(machine), log_(log), settings_(settings), book_(book), writer_(log)
    {}

    /// Takes one as soon as there is something new to take.
    void request() { is_requested_ = true; }

    /// Whether one is needed now: none is taken otherwise.
    void demand(bool is_needed)
    {
        is_on_demand_ = true;
        is_requested_ = is_needed;
    }

    /// Whether the next turn has something to write.
    [[nodiscard]] bool is_writing() const { return capture_.has_value() and not has_snapshot_backlog(log_); }

    /// Whether one is captured and not yet durable.
    [[nodiscard]] bool is_under_way() const { return capture_.has_value() or is_finishing_; }

    /// Goes on with what is under way, or begins, if it is time. The machine has applied everything up to `applied`. Returns what went
    /// wrong, if anything did.
    [[nodiscard]] std::optional<SnapshotFailed> go_on(State const& state, Index applied, std::uint64_t now_ms)
    {
        if (capture_)
            return has_snapshot_backlog(log_) ? std::nullopt : write(now_ms);
        if (is_finishing_ or now_ms < not_before_ms_ or not is_due(state, applied))
            return std::nullopt;
        return begin(state, applied, now_ms);
    }

    /// The log has ended the attempt.
    void ended(bool failed, std::uint64_t now_ms)
    {
        is_finishing_ = false;
        if (failed)
            pause(now_ms);
    }

    /// Takes the next one after a pause.
    void pause(std::uint64_t now_ms)
    {
        not_before_ms_ = add_sat(now_ms, settings_.pause_ms);
        is_requested_ = true; // It was due, and is.
    }

private:
    [[nodiscard]] StoredSnapshot const* newest() const
    {
        StoredSnapshot const* found = nullptr;
        for (auto const& one : log_.snapshots())
            if (not one.is_received)
                found = &one;
        return found;
    }

    [[nodiscard]] bool is_due(State const& state, Index applied)
    {
        auto const* const last = newest();
        auto const        since = last != nullptr ? last->id.last.index : Index{};
        if (applied <= since) {
            is_requested_ = false; // There is one of this very state.
            return false;
        }
        if (is_requested_ or is_on_demand_)
            return is_requested_;
        return is_snapshot_due(settings_, {.server = state.own.id,
                                           .entries = applied.value - since.value,
                                           .log_bytes = log_.bytes(next(since), applied),
                                           .snapshot_bytes = last != nullptr ? last->id.bytes : 0});
    }

    /// While an install is under way the machine is below the log, and nothing can be said of its position; where it is forgotten which
    /// configuration was in force there, a later one will do (case 31).
    ///
    /// The header names that configuration twice: it is committed, so that nothing needs the one before, which some servers have forgotten.
    /// Equal machines thus give equal bytes. The checksum that identifies a snapshot could not tell two headers apart, since each ends with
    /// its own, and a follower may take the chunks of one snapshot from several leaders.
    [[nodiscard]] std::optional<SnapshotFailed> begin(State const& state, Index applied, std::uint64_t now_ms)
    {
        auto const term = state.log.term_at(applied);
        auto const known = configurations_at(state.configurations, applied);
        if (not term or not known)
            return std::nullopt;
        auto thrown = attempt("the state machine", [&] {
            auto const format = machine_.snapshot_format();
            capture_.emplace(machine_.capture());
            auto const peers = book_.at(applied).in_force;
            writer_.begin({format, {*term, applied}, {known->in_force, known->in_force}, {peers, peers}});
        });
        part_ = 0;
        is_requested_ = false;
        if (not thrown)
            return std::nullopt;
        return fail(SnapshotStep::capture, *std::move(thrown), now_ms);
    }

    [[nodiscard]] std::optional<SnapshotFailed> write(std::uint64_t now_ms)
    {
        auto more = false;
        auto thrown = attempt("the capture of a state machine", [&] {
            auto& sink = static_cast<SnapshotSink&>(writer_);
            if constexpr (requires {
                              {
                                  std::as_const(*capture_).write_part(sink, part_)
                                  } -> std::same_as<bool>;
                          })
                more = std::as_const(*capture_).write_part(sink, part_++);
            else
                std::as_const(*capture_).write(sink);
        });
        if (thrown)
            return fail(SnapshotStep::write, *std::move(thrown), now_ms);
        if (more)
            return std::nullopt;
        capture_.reset();
        is_finishing_ = true;
        writer_.finish();
        return std::nullopt;
    }

    [[nodiscard]] SnapshotFailed fail(SnapshotStep step, std::string what, std::uint64_t now_ms)
    {
        capture_.reset();
        writer_.drop();
        pause(now_ms);
        return {step, std::move(what)};
    }

    Machine&                                 machine_;
    Log&                                     log_;
    SnapshotSettings const&                  settings_;
    AddressBook const&                       book_;
    SnapshotWriter<Log>                      writer_;
    std::optional<typename Machine::Capture> capture_; ///< While it is written.
    std::uint64_t                            part_ = 0;
    std::uint64_t                            not_before_ms_ = 0;
    bool                                     is_requested_ = false;
    bool                                     is_on_demand_ = false;
    bool                                     is_finishing_ = false;
};

} // namespace totora::inline v0
