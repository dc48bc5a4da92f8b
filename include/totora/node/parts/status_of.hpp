// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/role.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/progress.hpp"
#include "totora/node/parts/guard.hpp"
#include "totora/node/status.hpp"
#include "totora/policy/adapter.hpp"
#include "totora/policy/log.hpp"

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace totora::inline v0
{

/// The snapshot that a follower is sent.
[[nodiscard]] inline std::optional<TransferStatus> transfer_of(Progress const& progress)
{
    auto const* const sending = std::get_if<SendSnapshot>(&progress.mode);
    return sending != nullptr ? std::optional{TransferStatus{sending->snapshot, sending->received}} : std::nullopt;
}

/// What the core of a leader knows of a follower.
[[nodiscard]] inline FollowerStatus follower_of(Progress const& progress)
{
    auto follower = FollowerStatus{};
    follower.server = progress.server;
    follower.match = progress.match;
    follower.next = progress.next;
    follower.replicating = std::holds_alternative<Replicate>(progress.mode);
    follower.full = progress.link_full;
    follower.in_flight = in_flight(progress);
    follower.no_room = progress.no_room;
    follower.transfer = transfer_of(progress);
    return follower;
}

/// The members that have yet to acknowledge the configuration in force; none if it is committed, or this server does not lead.
[[nodiscard]] inline std::vector<ServerId> servers_awaited(State const& state)
{
    auto       awaited = std::vector<ServerId>{};
    auto const index = state.configurations.in_force.index;
    if (index <= state.commit_index)
        return awaited;
    for (auto const& progress : state.followers)
        if (progress.match < index)
            awaited.push_back(progress.server);
    return awaited;
}

/// The status of a node, from those of its parts that know something of it.
template <typename Stepper, typename Intake, typename Applying, typename Sender, typename Snapshots, typename Log>
[[nodiscard]] Status
status_of(Stepper const& stepper, Guard const& guard, Intake const& intake, Applying const& applying,
          Sender const& sender, Snapshots const& snapshots, Log const& log)
{
    State const& state = stepper.state();
    auto         status = Status{};
    status.running = guard.runs();
    if (auto const* failed = guard.failed())
        status.failed = *failed;
    status.id = state.own.id;
    status.role = role_of(state);
    status.term = state.current_term;
    status.leader = known_leader(state);
    status.admitted = is_admitted(state);
    status.removed = was_removed(state);
    status.configuration = state.configurations.in_force;
    status.change = state.membership.phase;
    status.change_awaits = servers_awaited(state);
    status.last = last_index(state);
    status.commit = state.commit_index;
    status.applied = applying.applied();
    status.durable = state.writes.durable_index;
    status.base = state.log.base().index;
    status.ready = applying.is_ready();
    status.room = state.room;
    status.disk_hangs = state.writes.watch.late;
    status.entry_bytes_sent = sender.entry_bytes_sent();
    status.entry_bytes_received = intake.entry_bytes_received();
    status.entry_bytes_stored = stepper.counts().entry_bytes_stored;
    status.decisions = stepper.counts().decisions;
    status.payload_mismatches = intake.payload_mismatches();
    status.violations = stepper.counts().violations.rows();
    snapshots.show(status);
    for (auto const& progress : state.followers) {
        auto follower = follower_of(progress);
        intake.show(follower);
        follower.address = stepper.address_book().address_of(progress.server).value_or(std::string{});
        status.followers.push_back(std::move(follower));
    }
    status.scrub = if_offered(
        log, [](auto& one) -> decltype(one.scrub_status()) { return one.scrub_status(); },
        [] { return std::optional<ScrubStatus>{}; });
    return status;
}

} // namespace totora::inline v0
