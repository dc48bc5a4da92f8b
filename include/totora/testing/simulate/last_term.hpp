// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/policy/transport.hpp"
#include "totora/testing/simulate/trace_event.hpp"

#include <cstdint>

namespace totora::inline v0::simulate
{

/// Follows a run on some seeds: a candidate of the highest term there is, which was not elected. No later term follows,
/// so that no server leads any more, and none campaigns or ends because of it.
template <typename Run, typename Turns>
class LastTerm
{
public:
    LastTerm(Run& run, Turns& turns) : run_(run), turns_(turns) {}

    /// Every server that was healed adopts it.
    void begin()
    {
        until_us_ = run_.now_us + 4 * run_.scenario.settings.core.election.at_most_ms * 1000;
        for (auto const number : run_.quorum) {
            auto& server = run_.cluster[number];
            if (not server.process)
                continue;
            auto const candidate = ServerId{number == 0 ? 2U : 1U};
            auto const request = RequestVote{.term = Term{number_max}, .last_log = {}, .transfer = true};
            auto&      event = run_.trace(TraceEventKind::message, number);
            ++run_.report.events;
            event.from = candidate;
            event.rpc = request;
            server.process->endpoint.arrive(TransportEvent{Received{candidate, request, {}}});
            turns_.turn(number);
            turns_.finish(event);
        }
    }

    /// Whether every server has had the time to campaign.
    [[nodiscard]] bool is_over() const { return run_.now_us > until_us_; }

    void check() const
    {
        for (auto const number : run_.quorum) {
            auto const& process = run_.cluster[number].process;
            run_.checks.expect(process and process->node.state().current_term == Term{number_max} and
                                   not is_leader(process->node.state()),
                               "in the last term every server follows, and continues");
        }
    }

private:
    Run&          run_;
    Turns&        turns_;
    std::uint64_t until_us_ = 0;
};

} // namespace totora::inline v0::simulate
