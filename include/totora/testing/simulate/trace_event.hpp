// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/fields.hpp"
#include "totora/core/values/types.hpp"
#include "totora/node/status.hpp"
#include "totora/testing/simulate/faults/faults.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace totora::inline v0::simulate
{

/// Kinds of events of a simulation.
enum class TraceEventKind : std::uint8_t
{
    message,    ///< A message arrived.
    alarm,      ///< An alarm rang.
    completion, ///< Writing and syncing ended, successfully or not.
    request,    ///< A client made a request.
    start,      ///< A process started.
    resumed,    ///< A paused process resumed, with all that had arrived meanwhile.
    link,       ///< The connection to a server changed state.
    fault,      ///< A planned fault began.
    healed,     ///< A quorum was healed; everything else stays as it is.
};

/// A server's state at a glance.
struct Glance
{
    RoleName    role{};
    Term        term;
    ServerId    voted_for;
    Index       commit;
    Index       apply_index;
    Index       durable;
    LogPosition last;
    Index       configuration; ///< Where the configuration in force is.
    Index       base;          ///< Before the first entry.

    friend constexpr bool operator==(Glance const&, Glance const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("role", self.role);
        visit("term", self.term);
        visit("vote", self.voted_for);
        visit("commit", self.commit);
        visit("applied", self.apply_index);
        visit("durable", self.durable);
        visit("last", self.last);
        visit("configuration", self.configuration);
        visit("base", self.base);
    }
};
static_assert(lists_its_fields<Glance>());

[[nodiscard]] constexpr Glance glance_at(State const& state)
{
    return {role_of(state),
            state.current_term,
            state.voted_for.value_or(nobody),
            state.commit_index,
            state.apply_index,
            state.writes.durable_index,
            last_position(state),
            state.configurations.in_force.index,
            state.log.base().index};
}

/// One event, with all that is needed to print it.
struct TraceEvent
{
    std::uint64_t  number = 0;
    std::uint64_t  at_us = 0;
    TraceEventKind what{};
    Fault          fault{};
    std::uint32_t  planned = 0; ///< The number of the fault.
    std::size_t    server = 0;
    ServerId       from;
    Rpc            rpc;
    bool           refused = false; ///< The message was no intact frame.
    Alarm          alarm{};
    Glance         before;
    Glance         after;
};

/// The last so many events, in order.
class LastSightings
{
public:
    static constexpr std::size_t kept = 40;

    /// A slot for the next one, which the caller fills in; what was there is the oldest.
    [[nodiscard]] TraceEvent& next() { return all_[count_++ % kept]; }

    template <typename Visit>
    void for_each(Visit visit) const
    {
        for (auto at = count_ < kept ? 0 : count_ - kept; at < count_; ++at)
            visit(all_[at % kept]);
    }

private:
    std::array<TraceEvent, kept> all_{};
    std::size_t                  count_ = 0;
};

} // namespace totora::inline v0::simulate
