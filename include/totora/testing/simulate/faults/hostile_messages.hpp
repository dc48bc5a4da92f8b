// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/decision.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/role.hpp"
#include "totora/core/rules/violations.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/policy/transport.hpp"
#include "totora/testing/prng.hpp"
#include "totora/testing/simulate/faults/malformed_messages.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <variant>

namespace totora::inline v0::simulate
{

/// Draws messages that no correct server can send to a server in this state, one of each kind as likely as any other.
///
/// Each would do harm: if it were not wrong, the server would obey it.
class HostileMessages : private MalformedMessages
{
public:
    /// `receiver`, which outlives this, is one of `servers`.
    HostileMessages(State const& receiver, std::size_t servers, testing::Prng& random)
        : MalformedMessages(receiver, servers, random)
    {}

    /// Nothing if the kind that was drawn cannot be in this state: two leaders need a first one.
    [[nodiscard]] std::optional<HostileMessage> draw()
    {
        switch (random().below(10)) {
        case 0:
            return HostileMessage{{random().below(2) == 0 ? nobody : receiver().own.id, tempting(), {}},
                                  Decision::violation_sender};
        case 1:
            return HostileMessage{{other(), out_of_range(), {}}, Decision::violation_number};
        case 2:
            return contradictory();
        case 3:
            return of_a_second_leader();
        case 4:
            return against_the_committed();
        case 5:
            return never_asked_for();
        case 6:
            return with_a_configuration();
        case 7:
            return of_a_non_member();
        case 8:
            return of_a_far_term();
        default:
            return with_other_entries();
        }
    }

private:
    /// What the receiver would obey.
    [[nodiscard]] Rpc tempting()
    {
        auto const term = receiver().current_term;
        auto const last = last_index(receiver());
        switch (random().below(5)) {
        case 0:
            return RequestVote{newer(), {std::max(term, Term{1}), next(last)}, true};
        case 1:
            return RequestVoteResponse{term, true};
        case 2:
            return append(0);
        case 3:
            return RequestPreVoteResponse{term, receiver().pre_vote_round, true};
        default:
            return AppendEntriesResponse{
                .term = term, .success = true, .match = last, .conflict_hint = {}, .round = {}, .number = {}};
        }
    }

    /// An append of the current term, which another server leads.
    [[nodiscard]] std::optional<HostileMessage> of_a_second_leader()
    {
        auto const leader = known_leader(receiver());
        auto const from = other();
        if (leader == nobody or from == leader)
            return std::nullopt;
        auto one = append(0);
        one.term = one.entries.term = receiver().current_term;
        return HostileMessage{{from, one, {}}, Decision::violation_second_leader};
    }

    /// An append that would replace what is committed, the last of it or any.
    [[nodiscard]] std::optional<HostileMessage> against_the_committed()
    {
        auto const base = receiver().log.base().index;
        if (receiver().commit_index <= base) // What lies below the base is late, and no violation.
            return std::nullopt;
        auto const index =
            coin() ? receiver().commit_index : Index{random().between(base.value + 1, receiver().commit_index.value)};
        auto one = append(0);
        if (coin()) {
            one.previous = {newer(), index};
            one.entries.first = next(index);
        } else {
            one.previous = {receiver().log.term_at(before(index)).value_or(Term{}), before(index)};
            one.entries = {newer(), index, 1};
        }
        return HostileMessage{{other(), one, entries_beside(one)}, Decision::violation_conflict_committed};
    }

    /// What the receiver would obey, of a term that elections cannot have reached. None is left near the last term.
    [[nodiscard]] std::optional<HostileMessage> of_a_far_term()
    {
        auto const own = receiver().current_term.value;
        auto const least = own == 0 ? first_term_end : own + term_jump_max + 1;
        if (least > number_max)
            return std::nullopt;
        auto const term = Term{random().below(3) == 0 ? least : random().between(least, number_max)};
        auto       rpc = Rpc{RequestVoteResponse{term, false}};
        switch (random().below(5)) {
        case 0:
            rpc = RequestVote{term, last_position(receiver()), true};
            break;
        case 1:
            rpc = RequestPreVote{term, last_position(receiver()), {}};
            break;
        case 2:
            rpc = RequestPreVoteResponse{term, receiver().pre_vote_round, true};
            break;
        case 3: {
            auto one = append(0);
            one.term = one.entries.term = term;
            rpc = one;
            break;
        }
        default:
            break;
        }
        return HostileMessage{{other(), rpc, {}}, Decision::violation_term_jump};
    }

    /// The response to an append or a read round that this leader has not sent, or that acknowledges more than it has.
    [[nodiscard]] std::optional<HostileMessage> never_asked_for()
    {
        auto const* leader = std::get_if<Leader>(&receiver().role);
        auto const  from = other();
        auto const* progress = find_progress(receiver(), from);
        if (leader == nullptr or progress == nullptr)
            return std::nullopt;
        auto       answer = AppendEntriesResponse{.term = receiver().current_term,
                                                  .success = true,
                                                  .match = last_index(receiver()),
                                                  .conflict_hint = {},
                                                  .round = leader->reads.newest,
                                                  .number = progress->sent};
        auto const which = random().below(3);
        ++(which == 0 ? answer.match.value : which == 1 ? answer.round.value : answer.number.value);
        return HostileMessage{{from, answer, {}}, Decision::violation_never_sent};
    }

    /// A response of a server that was removed, or never was a member: of a newer term, or to what this server
    /// requested.
    [[nodiscard]] HostileMessage of_a_non_member()
    {
        auto const from = ServerId{servers() + random().between(1, 2)};
        auto const asks = not std::holds_alternative<Follower>(receiver().role) and coin();
        auto const term = asks ? receiver().current_term : newer();
        auto       rpc = Rpc{RequestVoteResponse{term, true}};
        if (asks ? std::holds_alternative<PreCandidate>(receiver().role) : random().below(3) == 0)
            rpc = RequestPreVoteResponse{term, receiver().pre_vote_round, true};
        else if (asks ? is_leader(receiver()) : coin())
            rpc = AppendEntriesResponse{.term = term,
                                        .success = true,
                                        .match = last_index(receiver()),
                                        .conflict_hint = {},
                                        .round = {},
                                        .number = {}};
        return {{from, rpc, {}}, Decision::response_from_non_member};
    }
};

} // namespace totora::inline v0::simulate
