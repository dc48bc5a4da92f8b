// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/testing/prng.hpp"
#include "totora/testing/simulate/faults/faults.hpp"
#include "totora/testing/simulate/members/drawn_members.hpp"
#include "totora/testing/simulate/members/operator.hpp"
#include "totora/testing/simulate/process_scheduler.hpp"
#include "totora/testing/simulate/scenario.hpp"

#include <cstddef>
#include <optional>

namespace totora::inline v0::simulate
{

/// What operators do in the middle of everything else.
template <typename Run>
class MemberFaults
{
public:
    MemberFaults(Run& run, ProcessScheduler<Run>& turns) : run_(run), operator_(run, turns) {}

    /// Mostly the newest leader is asked: who else is not can only refuse.
    [[nodiscard]] PlannedFault aimed(PlannedFault fault) const
    {
        auto const leader = operator_.newest_leader();
        if (leader and is_for_leaders(fault.kind) and fault.seed % 16 != 0)
            fault.server = *leader;
        return fault;
    }

    /// Whether a fault is to be counted now; nothing if it is none of these.
    [[nodiscard]] std::optional<bool> carry_out(PlannedFault const& fault, testing::Prng& random)
    {
        if (fault.kind != Fault::campaigned and not is_for_leaders(fault.kind))
            return std::nullopt;
        if (not operator_.is_there(fault.server))
            return false;
        auto const servers = run_.cluster.size();
        if (fault.kind == Fault::members_changed)
            operator_.change(fault.server, DrawnMembers{operator_.state(fault.server), servers, random}.draw());
        else if (fault.kind == Fault::change_cancelled)
            operator_.cancel(fault.server);
        else if (fault.kind == Fault::lead_transferred)
            operator_.transfer(fault.server, random.below(2) == 0 ? nobody : ServerId{random.between(1, servers)});
        else
            operator_.campaign(fault.server);
        return true;
    }

private:
    [[nodiscard]] static bool is_for_leaders(Fault kind)
    {
        return kind == Fault::members_changed or kind == Fault::change_cancelled or kind == Fault::lead_transferred;
    }

    Run&          run_;
    Operator<Run> operator_;
};

} // namespace totora::inline v0::simulate
