// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/core/role.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/quorum.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/configuration_entry.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/node/administration_outcomes.hpp"
#include "totora/testing/simulate/checks/member_checks.hpp"
#include "totora/testing/simulate/members/member_counts.hpp"
#include "totora/testing/simulate/network/links.hpp"
#include "totora/wire/frame.hpp"

#include <array>
#include <cstddef>
#include <utility>
#include <variant>
#include <vector>

namespace totora::inline v0::simulate
{

/// The properties of servers that lost their directories and came back in other lives: members are lives of servers.
class LifeChecks : public MemberChecks
{
public:
    void begins_with(std::vector<Peer> const& peers)
    {
        MemberChecks::begins_with(peers);
        names_lives_ = true;
        name(peers);
    }

    /// A server lost its directory, and begins another life of its log, in which it has promised nothing.
    void begin_life(std::size_t server, Incarnation life)
    {
        MemberChecks::begin_life(server, life);
        is_named_[server] = is_let_in_[server] = false;
    }

    void appended(std::size_t server, LogPosition previous, Entries const& entries)
    {
        MemberChecks::appended(server, previous, entries);
        for (auto const entry : entries)
            if (entry.kind == EntryKind::configuration)
                if (auto const held = decode_named_configuration(entry))
                    name(held->peers);
    }

    void stepped(std::size_t server, State const& before, State const& after)
    {
        MemberChecks::stepped(server, before, after);
        auto const& earlier = before.configurations.in_force;
        auto const& later = after.configurations.in_force;
        if (not is_leader(before) or later.index <= earlier.index)
            return;
        for (auto const& member : later.members)
            if (auto const* const known = find_member(earlier, member.id))
                expect(known->incarnation == member.incarnation,
                       "a server is removed in one life before it is a member in another");
    }

    void sent(std::size_t server, ServerId to, Rpc const& rpc)
    {
        MemberChecks::sent(server, to, rpc);
        if (not names_lives_ or not is_promise(rpc))
            return;
        expect(is_named_[server], "a life of a server that no configuration names neither votes nor acknowledges");
        counts()[MemberCount::promises_of_later_lives] += lives().now(server) != first_incarnation ? 1U : 0U;
    }

    /// A transport gives a node a message that was sent in this life of a server.
    void taken(State const& by, Member const& sender, Rpc const& rpc)
    {
        if (not is_response(rpc))
            return;
        auto const& [in_force, previous] = by.configurations;
        auto const* const in_force_now = find_member(in_force, sender.id);
        auto const* const named = in_force_now != nullptr ? in_force_now : find_member(previous, sender.id);
        expect(named == nullptr or named->incarnation == sender.incarnation,
               "an answer counts for the life of a server that the log of its receiver names");
    }

    /// A transport rejects a frame.
    void refused(FrameError why)
    {
        auto const is_of_another_life = why == FrameError::another_incarnation or why == FrameError::another_sender;
        counts()[MemberCount::frames_of_other_lives] += is_of_another_life ? 1U : 0U;
    }

    void change_ended(std::size_t number, ChangeOutcome const& outcome)
    {
        MemberChecks::change_ended(number, outcome);
        if (not std::holds_alternative<MembersChanged>(outcome))
            return;
        for (auto const& [member, address] : wanted_by(number))
            if (member.incarnation != first_incarnation and lives().is_now(member) and
                not std::exchange(is_let_in_[member.id.value - 1], true))
                ++counts()[MemberCount::lives_let_in];
    }

    // --- What may happen -----------------------------------------------------------------------------------------------

    /// Whether a member may lose its directory without the end of the cluster: in each configuration that may yet decide
    /// something a quorum is left of those that are in the life that it names.
    [[nodiscard]] bool may_lose_directory(std::size_t server) const
    {
        auto const id = ServerId{server + 1};
        auto       is_member = false;
        auto       may = true;
        for_each_that_may_count([&](std::vector<Peer> const& peers) {
            auto const* const member = find_peer(peers, id);
            is_member = is_member or (member != nullptr and lives().is_now(member->member));
            may = may and is_quorum_left(peers, id);
        });
        for_each_wanted([&](std::vector<Peer> const& peers) { may = may and is_quorum_left(peers, id); });
        return is_member and may;
    }

    /// Whether operators may ask for these, although some of them may be in another life by now.
    [[nodiscard]] bool may_be_asked_for(std::vector<Peer> const& peers) const { return is_quorum_left(peers, nobody); }

private:
    [[nodiscard]] static bool is_promise(Rpc const& rpc)
    {
        if (auto const* vote = std::get_if<RequestVoteResponse>(&rpc))
            return vote->vote_granted;
        if (auto const* append = std::get_if<AppendEntriesResponse>(&rpc))
            return append->success;
        if (auto const* installed = std::get_if<InstallSnapshotResponse>(&rpc))
            return installed->match > Index{};
        return std::holds_alternative<RequestVote>(rpc);
    }

    [[nodiscard]] static Peer const* find_peer(std::vector<Peer> const& peers, ServerId id)
    {
        for (auto const& peer : peers)
            if (peer.member.id == id)
                return &peer;
        return nullptr;
    }

    /// Whether a quorum of these is in the life that is named, without this one; also if none of them votes.
    [[nodiscard]] bool is_quorum_left(std::vector<Peer> const& peers, ServerId without) const
    {
        auto configuration = Configuration{};
        for (auto const& peer : peers)
            if (find_member(configuration, peer.member.id) == nullptr)
                configuration.members.push_back(peer.member);
        if (not is_sound(configuration))
            return true;
        return has_quorum(configuration, [&](ServerId server) {
            return server != without and lives().is_now(*find_member(configuration, server));
        });
    }

    /// A configuration was made of these.
    void name(std::vector<Peer> const& peers)
    {
        for (auto const& [member, address] : peers)
            if (lives().is_now(member))
                is_named_[member.id.value - 1] = true;
    }

    bool                                    names_lives_ = false; ///< It is known what the cluster is made of.
    std::array<bool, simulated_servers_max> is_named_{};          ///< In the life that it is in, by any configuration.
    std::array<bool, simulated_servers_max> is_let_in_{};         ///< In that life, and that is counted.
};

} // namespace totora::inline v0::simulate
