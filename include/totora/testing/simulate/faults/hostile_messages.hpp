// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/decision.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/role.hpp"
#include "totora/core/rules/violations.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/policy/transport.hpp"
#include "totora/testing/conformance/sample_entries.hpp"
#include "totora/testing/prng.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <utility>
#include <variant>

namespace totora::inline v0::simulate
{

/// A message that no correct server can send, and what a node must note of it.
struct HostileMessage
{
    Received                received;
    std::optional<Decision> noted; ///< Nothing: that the entries beside it are not those that it names.
};

/// Draws messages that no correct server can send to a server in this state, one of each kind as likely as any other.
///
/// Each would do harm: where it is not wrong it is a message that the server would obey.
class HostileMessages
{
public:
    /// `receiver`, which outlives this, is one of `servers`.
    HostileMessages(State const& receiver, std::size_t servers, testing::Prng& random)
        : receiver_(receiver), servers_(servers), random_(random)
    {}

    /// Nothing if the kind that was drawn cannot be in this state: two leaders need a first one.
    [[nodiscard]] std::optional<HostileMessage> draw()
    {
        switch (random_.below(10)) {
        case 0:
            return HostileMessage{{random_.below(2) == 0 ? nobody : receiver_.own.id, tempting(), {}},
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
    [[nodiscard]] bool coin() { return random_.below(2) == 0; }

    /// A member other than the receiver; where there is none, one that is no member.
    [[nodiscard]] ServerId other()
    {
        if (servers_ == 1)
            return ServerId{2};
        auto const drawn = ServerId{random_.between(1, servers_ - 1)};
        return drawn < receiver_.own.id ? drawn : ServerId{drawn.value + 1};
    }

    [[nodiscard]] Term newer() const { return Term{receiver_.current_term.value + 1}; }

    /// An append of a newer term that follows the last entry, with one entry or none.
    [[nodiscard]] AppendEntries append(std::uint64_t count) const
    {
        auto const last = last_position(receiver_);
        return {.term = newer(),
                .previous = last,
                .entries = {newer(), next(last.index), count},
                .leader_commit = last.index,
                .round = {},
                .number = AppendNumber{1},
                .committed = last.index};
    }

    [[nodiscard]] static Entries entries_beside(AppendEntries const& append)
    {
        return conformance::entries_of(append.entries.term, append.entries.first, append.entries.count);
    }

    /// What the receiver would obey.
    [[nodiscard]] Rpc tempting()
    {
        auto const term = receiver_.current_term;
        auto const last = last_index(receiver_);
        switch (random_.below(5)) {
        case 0:
            return RequestVote{newer(), {std::max(term, Term{1}), next(last)}, true};
        case 1:
            return RequestVoteResponse{term, true};
        case 2:
            return append(0);
        case 3:
            return RequestPreVoteResponse{term, receiver_.pre_vote_round, true};
        default:
            return AppendEntriesResponse{
                .term = term, .success = true, .match = last, .conflict_hint = {}, .round = {}, .number = {}};
        }
    }

    /// A message of which one number is too large, or of which term and index belong to no position, and the rest as it should be.
    [[nodiscard]] Rpc out_of_range()
    {
        switch (random_.below(6)) {
        case 0: {
            auto request = RequestPreVote{newer(), last_position(receiver_), {}};
            if (not unplaces(request.last_log))
                enlarge({&request.term.value, &request.last_log.term.value, &request.last_log.index.value,
                         &request.round.value});
            return request;
        }
        case 1: {
            auto response = RequestPreVoteResponse{receiver_.current_term, receiver_.pre_vote_round, true};
            enlarge({&response.term.value, &response.round.value});
            return response;
        }
        case 2: {
            auto request = RequestVote{newer(), last_position(receiver_), true};
            if (not unplaces(request.last_log))
                enlarge({&request.term.value, &request.last_log.term.value, &request.last_log.index.value});
            return request;
        }
        case 3:
            return RequestVoteResponse{Term{number_max + 1}, true};
        case 4: {
            auto one = append(0);
            if (not unplaces(one.previous))
                enlarge({&one.term.value, &one.previous.term.value, &one.previous.index.value, &one.entries.term.value,
                         &one.leader_commit.value, &one.round.value, &one.number.value, &one.committed.value});
            return one;
        }
        default: {
            auto answer = AppendEntriesResponse{.term = receiver_.current_term,
                                                .success = true,
                                                .match = {},
                                                .conflict_hint = {},
                                                .round = {},
                                                .number = {}};
            enlarge({&answer.term.value, &answer.match.value, &answer.conflict_hint.term.value,
                     &answer.conflict_hint.index.value, &answer.round.value, &answer.number.value});
            return answer;
        }
        }
    }

    /// One of these numbers becomes more than any correct server reaches.
    void enlarge(std::initializer_list<std::uint64_t*> numbers)
    {
        *numbers.begin()[random_.below(numbers.size())] = coin() ? number_max + 1 : ~std::uint64_t{0};
    }

    /// Sometimes makes a position one at which no entry is: only the one before the first entry has neither term nor index.
    [[nodiscard]] bool unplaces(LogPosition& position)
    {
        if (random_.below(3) != 0)
            return false;
        position = coin() ? LogPosition{Term{}, Index{1}} : LogPosition{Term{1}, Index{}};
        return true;
    }

    [[nodiscard]] HostileMessage contradictory()
    {
        auto const last = last_position(receiver_);
        auto       one = append(0);
        switch (random_.below(8)) {
        case 0:
            return shapeless(RequestPreVote{receiver_.current_term, {newer(), next(last.index)}, {}});
        case 1: // A candidate has no entry of the term for which it asks.
            return shapeless(RequestVote{newer(), {newer(), next(last.index)}, true});
        case 2:
            return shapeless(AppendEntries{{}, {}, {{}, Index{1}, 0}, {}, {}, {}});
        case 3:
            one.previous = {Term{newer().value + 1}, next(last.index)};
            one.entries.first = next(one.previous.index);
            break;
        case 4:
            one.entries.term = Term{newer().value + 1};
            break;
        case 5:
            one.entries.first = coin() ? last.index : next(one.entries.first);
            break;
        case 6:
            one.entries = {{}, next(last.index), 1};
            break;
        default: // Terms in a log never go back.
            one.term = Term{newer().value + 1};
            one.previous = {newer(), next(last.index)};
            one.entries = {receiver_.current_term, next(one.previous.index), 1};
            break;
        }
        return shapeless(one, entries_beside(one));
    }

    [[nodiscard]] HostileMessage shapeless(Rpc const& rpc, Entries entries = {})
    {
        return {{other(), rpc, std::move(entries)}, Decision::violation_shape};
    }

    /// An append of the present term, which somebody else leads.
    [[nodiscard]] std::optional<HostileMessage> of_a_second_leader()
    {
        auto const leader = known_leader(receiver_);
        auto const from = other();
        if (leader == nobody or from == leader)
            return std::nullopt;
        auto one = append(0);
        one.term = one.entries.term = receiver_.current_term;
        return HostileMessage{{from, one, {}}, Decision::violation_second_leader};
    }

    /// An append that would replace what is committed, the last of it or any.
    [[nodiscard]] std::optional<HostileMessage> against_the_committed()
    {
        if (receiver_.commit_index == Index{})
            return std::nullopt;
        auto const index = coin() ? receiver_.commit_index : Index{random_.between(1, receiver_.commit_index.value)};
        auto       one = append(0);
        if (coin()) {
            one.previous = {newer(), index};
            one.entries.first = next(index);
        } else {
            one.previous = {receiver_.log.term_at(before(index)).value_or(Term{}), before(index)};
            one.entries = {newer(), index, 1};
        }
        return HostileMessage{{other(), one, entries_beside(one)}, Decision::violation_conflict_committed};
    }

    /// What the receiver would obey, of a term that elections cannot have reached. None is left near the last term.
    [[nodiscard]] std::optional<HostileMessage> of_a_far_term()
    {
        auto const own = receiver_.current_term.value;
        auto const least = own == 0 ? first_term_end : own + term_jump_max + 1;
        if (least > number_max)
            return std::nullopt;
        auto const term = Term{random_.below(3) == 0 ? least : random_.between(least, number_max)};
        auto       rpc = Rpc{RequestVoteResponse{term, false}};
        switch (random_.below(5)) {
        case 0:
            rpc = RequestVote{term, last_position(receiver_), true};
            break;
        case 1:
            rpc = RequestPreVote{term, last_position(receiver_), {}};
            break;
        case 2:
            rpc = RequestPreVoteResponse{term, receiver_.pre_vote_round, true};
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

    /// The answer to an append or a read round that this leader has not sent, or that acknowledges more than it has.
    [[nodiscard]] std::optional<HostileMessage> never_asked_for()
    {
        auto const* leader = std::get_if<Leader>(&receiver_.role);
        auto const  from = other();
        auto const* progress = find_progress(receiver_, from);
        if (leader == nullptr or progress == nullptr)
            return std::nullopt;
        auto       answer = AppendEntriesResponse{.term = receiver_.current_term,
                                                  .success = true,
                                                  .match = last_index(receiver_),
                                                  .conflict_hint = {},
                                                  .round = leader->reads.newest,
                                                  .number = progress->sent};
        auto const which = random_.below(3);
        ++(which == 0 ? answer.match.value : which == 1 ? answer.round.value : answer.number.value);
        return HostileMessage{{from, answer, {}}, Decision::violation_never_sent};
    }

    /// An append with a configuration in which nobody votes, somebody is named twice, or nothing can be read.
    [[nodiscard]] HostileMessage with_a_configuration()
    {
        auto const one = append(1);
        auto const index = one.entries.first;
        auto       entries = Entries{};
        auto const which = random_.below(3);
        if (which == 0)
            entries = conformance::configuration_entry(newer(), index, {});
        else if (which == 1)
            entries = conformance::configuration_entry(newer(), index, {1, 1});
        else
            entries.add(conformance::entry_slice(index, newer(), conformance::payload_for(index, newer(), 5),
                                                 EntryKind::configuration),
                        1);
        return {{other(), one, std::move(entries)}, Decision::violation_configuration};
    }

    /// A response of a server that was removed, or never was a member: of a newer term, or to what this server asked.
    [[nodiscard]] HostileMessage of_a_non_member()
    {
        auto const from = ServerId{servers_ + random_.between(1, 2)};
        auto const asks = not std::holds_alternative<Follower>(receiver_.role) and coin();
        auto const term = asks ? receiver_.current_term : newer();
        auto       rpc = Rpc{RequestVoteResponse{term, true}};
        if (asks ? std::holds_alternative<PreCandidate>(receiver_.role) : random_.below(3) == 0)
            rpc = RequestPreVoteResponse{term, receiver_.pre_vote_round, true};
        else if (asks ? is_leader(receiver_) : coin())
            rpc = AppendEntriesResponse{.term = term,
                                        .success = true,
                                        .match = last_index(receiver_),
                                        .conflict_hint = {},
                                        .round = {},
                                        .number = {}};
        return {{from, rpc, {}}, Decision::response_from_non_member};
    }

    /// A message beside which there are other entries than it names: more, fewer, others, or entries where none can be.
    [[nodiscard]] HostileMessage with_other_entries()
    {
        auto const one = append(1);
        auto const first = one.entries.first;
        auto const which = random_.below(5);
        auto       entries = Entries{};
        if (which != 0)
            entries = conformance::entries_of(which == 1 ? Term{one.term.value + 1} : one.term,
                                              which == 2 ? next(first) : first, which == 3 ? 2 : 1);
        auto const rpc = which == 4 ? Rpc{RequestVoteResponse{newer(), false}} : Rpc{one};
        return {{other(), rpc, std::move(entries)}, std::nullopt};
    }

    State const&   receiver_;
    std::size_t    servers_;
    testing::Prng& random_;
};

} // namespace totora::inline v0::simulate
