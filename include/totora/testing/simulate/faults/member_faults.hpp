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
#include <utility>

namespace totora::inline v0::simulate
{

/// What operators do in the middle of everything else.
template <typename Run>
class MemberFaults
{
public:
    MemberFaults(Run& run, ProcessScheduler<Run>& turns) : run_(run), turns_(turns), operator_(run, turns) {}

    /// Mostly the newest leader is asked: who else is not can only refuse.
    [[nodiscard]] PlannedFault aimed(PlannedFault fault) const
    {
        if (fault.kind == Fault::directory_lost)
            fault.server = first_that_may_lose_directory(fault.server);
        auto const leader = operator_.newest_leader();
        if (leader and is_for_leaders(fault.kind) and fault.seed % 16 != 0)
            fault.server = *leader;
        return fault;
    }

    /// Whether a fault is to be counted now; nothing if it is none of these.
    [[nodiscard]] std::optional<bool> carry_out(PlannedFault const& fault, testing::Prng& random)
    {
        if (fault.kind == Fault::directory_lost)
            return lose_directory(fault.server, random);
        if (fault.kind != Fault::campaigned and not is_for_leaders(fault.kind))
            return std::nullopt;
        if (not operator_.is_there(fault.server))
            return false;
        if (fault.kind == Fault::members_changed)
            return change(fault.server, random);
        else if (fault.kind == Fault::change_cancelled)
            operator_.cancel(fault.server);
        else if (fault.kind == Fault::lead_transferred)
            operator_.transfer(fault.server,
                               random.below(2) == 0 ? nobody : ServerId{random.between(1, run_.cluster.size())});
        else
            operator_.campaign(fault.server);
        return true;
    }

private:
    /// Asks a server for other members, unless these could decide nothing.
    bool change(std::size_t number, testing::Prng& random)
    {
        auto wanted =
            DrawnMembers{operator_.state(number), run_.cluster.size(), random, run_.cluster.network.residents.lives()}
                .draw();
        if (not run_.checks.may_be_asked_for(wanted.peers))
            return false;
        operator_.change(number, std::move(wanted));
        return true;
    }

    /// This server or the next one.
    [[nodiscard]] std::size_t first_that_may_lose_directory(std::size_t number) const
    {
        for (auto at = std::size_t{0}; at < run_.cluster.size(); ++at)
            if (auto const next = (number + at) % run_.cluster.size(); run_.checks.may_lose_directory(next))
                return next;
        return number;
    }

    bool lose_directory(std::size_t number, testing::Prng& random)
    {
        if (run_.cluster[number].dead or not run_.checks.may_lose_directory(number))
            return false;
        auto const lose = [&] { run_.cluster.lose_directory(number, Incarnation{random.next()}); };
        if (run_.cluster[number].process)
            turns_.end(number, lose);
        else
            lose();
        return true;
    }

    [[nodiscard]] static bool is_for_leaders(Fault kind)
    {
        return kind == Fault::members_changed or kind == Fault::change_cancelled or kind == Fault::lead_transferred;
    }

    Run&                   run_;
    ProcessScheduler<Run>& turns_;
    Operator<Run>          operator_;
};

} // namespace totora::inline v0::simulate
