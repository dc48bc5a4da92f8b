// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "commands/membership_commands.hpp"
#include "event_loop.hpp"
#include "machine/key_value.hpp"

#include "totora/node/administration_outcomes.hpp"
#include "totora/node/status.hpp"
#include "totora/transport/tcp/probe_peer.hpp"

#include <algorithm>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace kv
{

/// The members of the cluster with their addresses, as far as a node knows them.
template <typename Node>
[[nodiscard]] std::vector<totora::Peer> known_members(Node const& node, totora::Status const& status)
{
    auto peers = std::vector<totora::Peer>{};
    for (auto const& member : status.configuration.members)
        peers.push_back({member, node.address_of(member.id).value_or(std::string{})});
    return peers;
}

/// Changes the members of the cluster for operators: it finds out which incarnation of a new server runs at its address, asks the node,
/// and turns the end into an answer, which may take as long as the new server needs to receive the log.
template <typename Node>
class Membership
{
public:
    /// Is called once, with the error, which is empty if it is done.
    using Done = std::function<void(std::string const& error)>;
    using Probe = std::function<void(totora::ServerId, std::string_view address, totora::TcpProbe::Done)>;

    Membership(Node& node, KeyValue const& machine, EventLoop<Node>& loop) : node_(node), machine_(machine), loop_(loop)
    {}

    /// Sets what asks at an address who runs there (`probe_peer`).
    void set_probe(Probe probe) { probe_ = std::move(probe); }

    void change(ChangeWish wish, Done done)
    {
        auto const status = node_.status();
        if (status.role != totora::RoleName::leader)
            return done(redirection(status.leader));
        if (wish.command == Command::raft_transfer) {
            node_.transfer_leadership(wish.server, [this, done = std::move(done)](auto const& outcome) {
                auto const* const refused = std::get_if<totora::TransferRefused>(&outcome);
                if (refused != nullptr and refused->why == totora::TransferError::not_leader)
                    return done(redirection(refused->leader));
                done(error_of(outcome));
            });
            return loop_.wake();
        }
        if (wish.command == Command::raft_cancel) {
            node_.cancel_change(completion(wish, std::move(done)));
            return loop_.wake();
        }
        if (is_probing_ or status.change != totora::ChangePhase::idle)
            return done("ERR " + std::string{totora::describe(totora::ChangeError::change_under_way)});
        auto wanted = members_wanted(wish, known_members(node_, status));
        if (auto const* const complaint = std::get_if<std::string>(&wanted))
            return done(*complaint);
        auto members = totora::WantedMembers{status.configuration.index,
                                             std::get<std::vector<totora::Peer>>(std::move(wanted)), wish.forced};
        if (needs_probe(wish, status.id))
            return probe(std::move(wish), std::move(members), std::move(done));
        ask(wish, std::move(members), std::move(done));
    }

private:
    /// A server that is to be let in, or has moved, must answer at its address: the members name the incarnation that runs there.
    void probe(ChangeWish wish, totora::WantedMembers members, Done done)
    {
        auto const server = to_be_found(wish);
        auto const address = wish.address;
        auto       ended = [this, wish = std::move(wish), members = std::move(members),
                      done = std::move(done)](totora::ProbeOutcome const& outcome) {
            is_probing_ = false;
            try {
                end_probe(wish, members, outcome, done);
            } catch (std::exception const&) {
                done("ERR no memory"); // So short that it needs none.
            }
        };
        is_probing_ = true; // It may end before this returns.
        try {
            probe_(server, address, std::move(ended));
        } catch (...) {
            is_probing_ = false;
            throw;
        }
    }

    void end_probe(ChangeWish const& wish, totora::WantedMembers const& members, totora::ProbeOutcome const& outcome,
                   Done const& done)
    {
        if (outcome)
            return found(wish, members, outcome->party, done);
        done("ERR server " + std::to_string(to_be_found(wish).value) + " at " + wish.address + ": " + outcome.error());
    }

    void found(ChangeWish const& wish, totora::WantedMembers members, totora::Party const& party, Done const& done)
    {
        auto const peer = std::find_if(members.peers.begin(), members.peers.end(),
                                       [&](auto const& one) { return one.member.id == party.id; });
        if (wish.newcomer == totora::nobody and peer->member.incarnation != party.incarnation)
            return done(
                "ERR server " + std::to_string(party.id.value) + " at " + wish.address +
                " has another incarnation than the member: it has lost its directory. Remove the member, and add "
                "that server then");
        peer->member.incarnation = party.incarnation;
        ask(wish, std::move(members), done);
    }

    void ask(ChangeWish const& wish, totora::WantedMembers members, Done done)
    {
        node_.change_members(std::move(members), completion(wish, std::move(done)));
        loop_.wake();
    }

    [[nodiscard]] auto completion(ChangeWish const& wish, Done done)
    {
        return [this, wish, done = std::move(done)](totora::ChangeOutcome const& outcome) {
            auto const* const refused = std::get_if<totora::ChangeRefused>(&outcome);
            if (refused != nullptr and refused->why == totora::ChangeError::not_leader)
                return done(redirection(refused->leader));
            done(error_of(wish, outcome));
        };
    }

    [[nodiscard]] std::string redirection(totora::ServerId leader) const
    {
        auto const address = machine_.client_address(leader);
        return address.empty() ? "CLUSTERDOWN no leader" : "MOVED 0 " + std::string{address};
    }

    Node&            node_;
    KeyValue const&  machine_;
    EventLoop<Node>& loop_;
    Probe            probe_;
    bool             is_probing_ = false;
};

} // namespace kv
