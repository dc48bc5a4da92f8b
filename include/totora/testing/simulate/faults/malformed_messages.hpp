// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/decision.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/policy/transport.hpp"
#include "totora/testing/conformance/sample_entries.hpp"
#include "totora/testing/prng.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <utility>

namespace totora::inline v0::simulate
{

/// A message that no correct server can send, and what a node must note of it.
struct HostileMessage
{
    Received                received;
    std::optional<Decision> noted; ///< Nothing: that the entries that accompany it are not those that it names.
};

/// Messages that are wrong in themselves, whatever the state of their receiver: numbers, positions, shapes,
/// configurations, and entries with them that they do not name.
class MalformedMessages
{
protected:
    MalformedMessages(State const& receiver, std::size_t servers, testing::Prng& random)
        : receiver_(receiver), servers_(servers), random_(random)
    {}

    [[nodiscard]] State const&   receiver() const { return receiver_; }
    [[nodiscard]] std::size_t    servers() const { return servers_; }
    [[nodiscard]] testing::Prng& random() { return random_; }

    [[nodiscard]] bool coin() { return random_.below(2) == 0; }

    /// A member other than the receiver; if there is none, a non-member.
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

    /// A message of which one number is too large, or of which term and index belong to no position, and the rest as it
    /// should be.
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
        case 1: // A candidate has no entry of the term of its campaign.
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

    /// An append with a configuration without voters, with a server named twice, or that cannot be decoded.
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

    /// A message with other entries than it names: more, fewer, others, or entries where none can be.
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

private:
    State const&   receiver_;
    std::size_t    servers_;
    testing::Prng& random_;
};

} // namespace totora::inline v0::simulate
