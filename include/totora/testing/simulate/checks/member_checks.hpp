// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/state.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/configuration_entry.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/node/administration_outcomes.hpp"
#include "totora/testing/simulate/checks/made_configurations.hpp"
#include "totora/testing/simulate/checks/snapshot_checks.hpp"
#include "totora/testing/simulate/members/member_counts.hpp"
#include "totora/testing/simulate/network/links.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace totora::inline v0::simulate
{

/// The properties of changes of the members, of transfers, and of the addresses that transports are given.
class MemberChecks : public SnapshotChecks
{
public:
    [[nodiscard]] MemberCounts const& members() const { return counts_; }

    /// The cluster is made of these.
    void begins_with(std::vector<Peer> peers) { made_.begin_with(std::move(peers)); }

    void appended(std::size_t server, LogPosition previous, Entries const& entries)
    {
        SnapshotChecks::appended(server, previous, entries);
        for (auto const entry : entries)
            if (entry.kind == EntryKind::configuration)
                if (auto held = decode_named_configuration(entry))
                    made_.add({entry.term, entry.index}, std::move(held->peers));
    }

    void stepped(std::size_t server, State const& before, State const& after)
    {
        SnapshotChecks::stepped(server, before, after);
        if (before.configurations.in_force.index == after.configurations.in_force.index)
            return;
        for (auto const& progress : after.followers)
            if (find_progress(before, progress.server) == nullptr) {
                ++let_in_[server][progress.server.value - 1];
                follower_let_in(server, progress.server);
            }
    }

    /// How often a server has let another one in as its follower.
    [[nodiscard]] std::uint32_t let_in(std::size_t leader, ServerId follower) const
    {
        return let_in_[leader][follower.value - 1];
    }

    // --- What operators ask for --------------------------------------------------------------------------------------

    /// A server is asked for something. The number of the request; `wanted` is empty if it is not for members.
    [[nodiscard]] std::size_t asked(std::size_t server, std::vector<Peer> wanted = {})
    {
        requests_.push_back({server, std::move(wanted)});
        return requests_.size() - 1;
    }

    void change_ended(std::size_t number, ChangeOutcome const& outcome)
    {
        auto& request = end(number);
        if (auto const* changed = std::get_if<MembersChanged>(&outcome)) {
            ++counts_[MemberCount::changes_done];
            request.is_done = true;
            expect(holds(changed->configuration, request.wanted),
                   "a change that is done has put its members in force, and that is committed");
        } else if (auto const* given_up = std::get_if<ChangeGivenUp>(&outcome)) {
            ++counts_[count_of(given_up->why)];
        } else {
            ++counts_[std::holds_alternative<ChangeRefused>(outcome) ? MemberCount::changes_refused
                                                                     : MemberCount::changes_unknown];
        }
    }

    /// `leads` if the server that was asked still leads in its term.
    void transfer_ended(std::size_t number, TransferOutcome const& outcome, bool leads)
    {
        (void)end(number);
        auto const is_done = std::holds_alternative<HandedOver>(outcome);
        expect(not is_done or not leads, "a server that has handed over does not lead");
        ++counts_[is_done                                           ? MemberCount::transfers_done
                  : std::holds_alternative<TransferFailed>(outcome) ? MemberCount::transfers_failed
                                                                    : MemberCount::transfers_refused];
    }

    [[nodiscard]] bool is_open(std::size_t number) const { return requests_[number].is_open; }
    [[nodiscard]] bool is_done(std::size_t number) const { return requests_[number].is_done; }

    /// How many requests wait at a server.
    [[nodiscard]] std::size_t requests_at(std::size_t server) const
    {
        return static_cast<std::size_t>(std::count_if(requests_.begin(), requests_.end(), [&](Request const& request) {
            return request.is_open and request.server == server;
        }));
    }

    /// The process there has ended, with all requests that wait at it.
    void requests_gone(std::size_t server)
    {
        for (auto& request : requests_)
            if (request.is_open and request.server == server) {
                request.is_open = false;
                ++counts_[MemberCount::left_open];
            }
    }

    // --- Who may decide ----------------------------------------------------------------------------------------------

    /// Everyone whom a leader may count that is elected from now on: by the newest configuration that is committed, or one after
    /// everything that is.
    [[nodiscard]] std::vector<ServerId> servers_that_may_count() const
    {
        auto servers = std::vector<ServerId>{};
        for_each_that_may_count([&](std::vector<Peer> const& peers) {
            for (auto const& peer : peers)
                if (std::find(servers.begin(), servers.end(), peer.member.id) == servers.end())
                    servers.push_back(peer.member.id);
        });
        std::sort(servers.begin(), servers.end());
        return servers;
    }

    // --- Addresses ---------------------------------------------------------------------------------------------------

    /// A transport is given the address of a server, or is to forget it.
    void introduced(std::size_t to, Peer peer) { known_[to].insert_or_assign(peer.member.id, std::move(peer)); }
    void forgotten(std::size_t by, ServerId server) { known_[by].erase(server); }

    void knows_nobody(std::size_t server) { known_[server].clear(); }

    /// A server has run: its transport knows the members of the configuration in force, and of the one before, and nobody else.
    void look_at_addresses(std::size_t server, State const& state)
    {
        auto const& [in_force, previous] = state.configurations;
        auto const* const peers = made_.at(position_of(state, in_force.index));
        if (peers == nullptr or in_force.members.empty())
            return;
        auto const& known = known_[server];
        for (auto const& [member, address] : *peers) {
            auto const found = known.find(member.id);
            expect(member.id == state.own.id or (found != known.end() and found->second.address == address and
                                                 found->second.member.incarnation == member.incarnation),
                   "a transport knows where the members are to be found");
        }
        for (auto const& [id, peer] : known)
            expect(find_member(in_force, id) != nullptr or find_member(previous, id) != nullptr,
                   "a transport knows nobody whom no configuration names");
    }

protected:
    [[nodiscard]] MemberCounts& counts() { return counts_; }

    /// Calls `visit` with the members of each configuration by which a leader may decide that is elected from now on.
    template <typename Visit>
    void for_each_that_may_count(Visit visit) const
    {
        auto const& committed = committed_log().log();
        auto        newest = LogPosition{};
        made_.for_each([&](LogPosition entry, std::vector<Peer> const&) {
            if (entry.index > newest.index and committed.holds(entry))
                newest = entry;
        });
        made_.for_each([&](LogPosition entry, std::vector<Peer> const& peers) {
            if (entry == newest or
                (entry.index > committed.last().index and registry().is_before(committed.last(), entry)))
                visit(peers);
        });
    }

    /// The members that a request is for, and those of each request that has not ended.
    [[nodiscard]] std::vector<Peer> const& wanted_by(std::size_t number) const { return requests_[number].wanted; }
    template <typename Visit>
    void for_each_wanted(Visit visit) const
    {
        for (auto const& request : requests_)
            if (request.is_open)
                visit(request.wanted);
    }

private:
    struct Request
    {
        std::size_t       server = 0;
        std::vector<Peer> wanted;
        bool              is_open = true;
        bool              is_done = false;
    };

    [[nodiscard]] Request& end(std::size_t number)
    {
        auto& request = requests_[number];
        expect(std::exchange(request.is_open, false), "every request of an operator ends exactly once");
        return request;
    }

    /// Whether the entry at `index` is committed and holds these members, where they were wanted.
    [[nodiscard]] bool holds(Index index, std::vector<Peer> const& wanted) const
    {
        auto const        term = committed_log().log().term_at(index);
        auto const* const peers = term ? made_.at({*term, index}) : nullptr;
        if (peers == nullptr or peers->size() != wanted.size())
            return false;
        return std::all_of(wanted.begin(), wanted.end(), [&](Peer const& one) {
            return std::any_of(peers->begin(), peers->end(), [&](Peer const& other) {
                return one.member == other.member and (one.address.empty() or one.address == other.address);
            });
        });
    }

    /// The entry of a configuration of a server, also if it is compacted.
    [[nodiscard]] LogPosition position_of(State const& state, Index index) const
    {
        auto const term = state.log.term_at(index);
        return {term.value_or(committed_log().log().term_at(index).value_or(Term{})), index};
    }

    MadeConfigurations                                                                  made_;
    MemberCounts                                                                        counts_;
    std::array<std::array<std::uint32_t, simulated_servers_max>, simulated_servers_max> let_in_{};
    std::vector<Request>                                                                requests_;
    std::array<std::map<ServerId, Peer>, simulated_servers_max>                         known_; ///< Of each transport.
};

} // namespace totora::inline v0::simulate
