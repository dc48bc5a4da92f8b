// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/node/clients/pending.hpp"
#include "totora/node/clients/pending_reads.hpp"
#include "totora/node/clients/proposals.hpp"
#include "totora/node/links/cold_reads.hpp"
#include "totora/node/parts/applier.hpp"
#include "totora/node/parts/apply_pace.hpp"
#include "totora/node/parts/stepper.hpp"
#include "totora/node/settings.hpp"
#include "totora/node/status.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace totora::inline v0
{

/// Gives the state machine what is committed and durable, as much as one turn may, and completes the proposals and reads that
/// waited for it. A slow machine is given the rest in later turns: messages and alarms come in between.
template <typename Policies>
class ApplyTurn
{
public:
    using Response = typename Policies::Response;

    ApplyTurn(Policies& policies, Stepper<Policies>& stepper, ColdReads& cold_reads, Proposals<Response>& proposals,
              PendingReads& reads)
        : log_(policies.log), clock_(policies.clock), settings_(policies.settings), stepper_(stepper),
          state_(stepper.state()), applier_(policies.machine, policies.log, cold_reads),
          apply_pace_(apply_call_ms_max(settings_)), proposals_(proposals), reads_(reads)
    {}

    /// The server begins with what was recovered: so far the machine is, and so far the log knew entries to be committed.
    void begin()
    {
        applier_.start_after(state_.apply_index);
        replayed_at_ = state_.commit_index;
    }

    /// The machine was restored from a snapshot. What the entries in its place answered is not known.
    void restored(Index index)
    {
        applier_.start_after(index);
        proposals_.pending().end_through(index);
        reads_.serve(index);
    }

    [[nodiscard]] Index applied() const { return applier_.applied(); }

    /// Whether the log has something for the machine. While an install is not durable it has not: its entries are gone, and the machine
    /// waits to be restored.
    [[nodiscard]] bool can_apply() const
    {
        return applied() < state_.apply_index and applied() >= state_.log.base().index;
    }

    /// Whether the next turn can apply more.
    [[nodiscard]] bool can_go_on() const { return can_apply() and applier_.can_read(); }

    [[nodiscard]] bool is_ready() const { return stepper_.running() and ready_; }

    /// Returns the time.
    std::uint64_t run()
    {
        auto const began_ms = clock_.now_ms();
        auto       now_ms = began_ms;
        auto       entries_left = settings_.apply_entries_max;
        auto       bytes_left = settings_.apply_bytes_max;
        for (auto goes_on = true; stepper_.running() and goes_on;) {
            auto const first = next(applier_.applied());
            apply_batch(std::min(entries_left, apply_pace_.entries()), bytes_left);
            auto const applied = next(applier_.applied()).value - first.value;
            auto const took_ms = clock_.now_ms() - now_ms;
            now_ms += took_ms;
            apply_pace_.learn(applied, took_ms);
            if (not stepper_.running() or applied == 0 or applier_.applied() >= state_.apply_index)
                break;
            entries_left -= std::min(entries_left, applied);
            bytes_left -= std::min(bytes_left, log_.bytes(first, applier_.applied()));
            goes_on = entries_left > 0 and
                      log_.bytes(next(applier_.applied()), next(applier_.applied())) <= bytes_left and
                      now_ms - began_ms < settings_.apply_ms_max and clock_.next_ring_ms().value_or(never_ms) > now_ms;
        }
        return now_ms;
    }

    /// Notifies the core and the observer of how far the state machine is, and so of whether this server may take clients.
    void notice_readiness()
    {
        if (state_.replaying and applier_.applied() >= replayed_at_)
            stepper_.feed(nobody, Replayed{});
        auto const ready = stepper_.running() and stepper_.readiness().is_ready(applier_.applied());
        if (ready != std::exchange(ready_, ready))
            stepper_.notify(ReadinessChanged{ready});
    }

private:
    void apply_batch(std::uint64_t count_max, std::uint64_t bytes_max)
    {
        auto const through = can_apply() ? state_.apply_index : applied();
        auto const failed =
            applier_.apply(state_.log, through, count_max, bytes_max, [&](LogPosition position, Response&& response) {
                proposals_.pending().applied(position, std::move(response));
            });
        if (failed)
            return stepper_.fail(*failed);
        proposals_.pending().end_through(applier_.applied());
        reads_.serve(applier_.applied());
    }

    typename Policies::Log&                                     log_;
    typename Policies::Clock&                                   clock_;
    NodeSettings const&                                         settings_;
    Stepper<Policies>&                                          stepper_;
    State const&                                                state_;
    Applier<typename Policies::Machine, typename Policies::Log> applier_;
    ApplyPace                                                   apply_pace_;
    Proposals<Response>&                                        proposals_;
    PendingReads&                                               reads_;
    Index replayed_at_; ///< What the log knew to be committed at the start.
    bool  ready_ = false;
};

} // namespace totora::inline v0
