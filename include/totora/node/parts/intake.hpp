// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/role.hpp"
#include "totora/core/state.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/node/links/carries_own_payload.hpp"
#include "totora/node/links/contacts.hpp"
#include "totora/node/links/for_each_append.hpp"
#include "totora/node/links/link_bytes.hpp"
#include "totora/node/links/log_ends.hpp"
#include "totora/node/links/sender.hpp"
#include "totora/node/links/set_back_filter.hpp"
#include "totora/node/parts/room.hpp"
#include "totora/node/parts/seams.hpp"
#include "totora/node/parts/stepper.hpp"
#include "totora/node/settings.hpp"
#include "totora/node/snapshots/has_snapshots.hpp"
#include "totora/node/snapshots/snapshot_backlog.hpp"
#include "totora/node/status.hpp"
#include "totora/policy/transport.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace totora::inline v0
{

/// Takes from the policies what is new there, and feeds it to the core: what is durable, messages, alarms.
template <typename Policies>
class Intake
{
public:
    using Log = typename Policies::Log;
    using Transport = typename Policies::Transport;

    Intake(Policies& policies, Stepper<Policies>& stepper, Sender<Log, Transport>& sender, RoomWatch& room)
        : log_(policies.log), transport_(policies.transport), clock_(policies.clock), settings_(policies.settings),
          stepper_(stepper), state_(stepper.state()), sender_(sender), room_(room)
    {}

    /// The log has failed, or more is durable: what waited for that is sent.
    void watch_log()
    {
        if (log_.failure())
            return stepper_.fail({NodeFailure::storage, log_.failure()->what});
        auto const durable = log_.durable();
        if (not may_confirm(state_, durable.through()))
            return stepper_.fail({NodeFailure::untrusted_log, describe_confirmation(state_, durable.through())});
        if (durable.through() > state_.writes.durable) {
            feed(nobody, Persisted{durable.through()});
            if (auto const fault = fault_after_notice(state_, durable.through()); fault and running())
                return stepper_.fail({NodeFailure::invariant, std::string{*fault}});
        }
        if (running())
            sender_.release(durable);
    }

    /// The moment at which a turn begins is that of all which it does.
    void watch_clock()
    {
        now_ms_ = clock_.now_ms();
        if (is_leader(state_))
            log_ends_.note(state_.current_term, last_index(state_), now_ms_);
    }

    void watch_room()
    {
        auto const& core = settings_.core;
        if (not running())
            return;
        auto const lasting_ms = is_leader(state_) ? core.election.at_most_ms : 0; // A follower is waited for.
        auto const room = room_.ask(log_, now_ms_, core.heartbeat_ms, lasting_ms);
        if (room and *room != state_.room)
            feed(nobody, RoomChanged{*room});
    }

    /// Makes durable what this turn wrote, and goes on with what that allows, if the log can confirm it at once.
    void write_out()
    {
        while (running() and stepper_.take_written()) {
            log_.sync();
            watch_log();
        }
    }

    /// True if there may be more.
    bool take_messages()
    {
        for (auto taken = std::uint64_t{0}; taken < settings_.receive_max; ++taken) {
            auto event = transport_.receive();
            if (not event)
                return false;
            if (auto const* changed = std::get_if<LinkChanged>(&*event)) {
                stepper_.full_links().note(*changed);
                feed(nobody, *changed);
            } else if (auto const* announced = std::get_if<Announced>(&*event)) {
                stepper_.announcements().note(*announced);
                feed(nobody, *announced);
            } else {
                take(*std::get_if<Received>(&*event));
            }
            if (not running())
                return false;
        }
        return true;
    }

    /// Each kind once or so: a clock that rings without end keeps no message waiting.
    void ring_alarms()
    {
        for (auto left = alarm_kinds; left > 0 and running(); --left) {
            auto const rang = clock_.ring();
            if (not rang)
                return;
            if (rang->alarm == Alarm::quorum_check)
                report_links();
            feed(nobody, *rang);
        }
    }

    /// Goes on with followers whose last append was cut.
    void resume_appends()
    {
        for (auto const server : sender_.take_resumed(state_))
            feed(nobody, AppendsResumed{server});
    }

    /// What a leader's node knows of a follower, and its core does not. The log is not asked after the end of the node: it may be closed.
    void show(FollowerStatus& follower) const
    {
        auto const now_ms = clock_.now_ms();
        auto const last = last_index(state_);
        auto const held = std::max(follower.match, state_.log.base().index);
        follower.set_back = set_back_.is_set_back(state_, follower.server);
        follower.lag = last.value - std::min(follower.match, last).value;
        follower.lag_bytes = running() and held < last ? log_.bytes(next(held), last) : 0;
        follower.lag_ms = follower.match < last ? log_ends_.age_ms(state_.current_term, follower.match, now_ms) : 0;
        if (auto const contact_ms = contacts_.last_ms(follower.server))
            follower.silent_ms = now_ms - *contact_ms;
    }

    [[nodiscard]] std::uint64_t entry_bytes_received() const { return entry_bytes_received_; }
    [[nodiscard]] std::uint64_t payload_mismatches() const { return payload_mismatches_; }

private:
    [[nodiscard]] bool running() const { return stepper_.running(); }

    template <typename Happened>
    void feed(ServerId from, Happened const& happened, Entries const& received = {})
    {
        stepper_.feed(from, happened, received);
    }

    void take(Received const& received)
    {
        contacts_.note(received.from, state_.configurations.in_force, now_ms_);
        if (not carries_own_payload(received)) {
            ++payload_mismatches_;
            return stepper_.notify(PayloadMismatch{received.from});
        }
        if (is_response(received.rpc) and
            set_back_.drops(state_, received.from, received.rpc, [&](SetBack const& found) { stepper_.notify(found); }))
            return;
        if (auto const* const chunk = std::get_if<InstallSnapshot>(&received.rpc))
            return take_chunk(received, *chunk);
        entry_bytes_received_ += received.entries.bytes();
        auto const fits = received.entries.empty() or log_.has_room(received.entries.bytes());
        if (not fits) {
            room_.refused(received.entries.bytes(), received.entries.bytes());
            watch_room();
        }
        // What does not fit is not stored, whatever the core knows by now: of a leader a lack of room must last.
        auto const* append = std::get_if<AppendEntries>(&received.rpc);
        if (received.entries.empty() or (fits and state_.room == LogRoom::enough)) {
            for_each_append(received,
                            [&](auto const& rpc, Entries const& entries) { feed(received.from, rpc, entries); });
        } else {
            // No disk space: to the core it is an append without entries, and the answer carries the reason (case 90).
            auto stripped = *append;
            stripped.entries = Run{stripped.term, next(stripped.previous.index), 0};
            feed(received.from, stripped);
        }
        if (append != nullptr)
            stepper_.readiness().reached_by(state_, received.from, *append);
        set_back_.note(state_, received.from, received.rpc);
    }

    /// A state machine that takes no snapshots cannot be restored from one. What does not fit is not stored, as with entries. What comes
    /// faster than the log writes, or just could not be stored, is dropped as by the network: the leader asks at its next heartbeat what is needed.
    void take_chunk(Received const& received, InstallSnapshot const& chunk)
    {
        if constexpr (has_snapshots<Policies>) {
            if (chunk.bytes > 0 and
                (has_snapshot_backlog(refined<KeepsSnapshots>(log_)) or stepper_.snapshots().is_paused(chunk.snapshot)))
                return;
            auto const fits = chunk.bytes == 0 or log_.has_room(chunk.bytes);
            if (not fits) {
                room_.refused(chunk.bytes, chunk.bytes);
                watch_room();
            }
            auto asked = chunk;
            asked.bytes = fits ? chunk.bytes : 0; // Without bytes it asks what is needed.
            stepper_.snapshots().take_chunk(received.chunk);
            feed(received.from, asked);
            stepper_.snapshots().drop_chunk();
        } else {
            static_cast<void>(received);
            static_cast<void>(chunk);
        }
    }

    /// Reports to the core which links have taken bytes, before it judges whether anything gets through (case 94). Of a transport
    /// without `bytes_taken` all have.
    void report_links()
    {
        for (auto at = std::size_t{0}; at < state_.followers.size(); ++at)
            if (auto const server = state_.followers[at].server; link_bytes_.moved(transport_, server))
                feed(nobody, LinkMoved{server});
    }

    Log&                      log_;
    Transport&                transport_;
    typename Policies::Clock& clock_;
    NodeSettings const&       settings_;
    Stepper<Policies>&        stepper_;
    State const&              state_;
    Sender<Log, Transport>&   sender_;
    RoomWatch&                room_;
    LinkBytes                 link_bytes_;
    SetBackFilter             set_back_;
    LogEnds                   log_ends_;
    Contacts                  contacts_;
    std::uint64_t             now_ms_ = 0; ///< When the turn began.
    std::uint64_t             entry_bytes_received_ = 0;
    std::uint64_t             payload_mismatches_ = 0;
};

} // namespace totora::inline v0
