// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configuration.hpp"
#include "totora/core/values/configurations.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/configuration_entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/data/known_peers.hpp"
#include "totora/policy/adapter.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// Where the members of a node's configurations are to be found, of which the core knows nothing.
///
/// It follows the writes of the node: like a configuration, an address is in force as soon as the entry that holds it is in the log,
/// and no longer when that is truncated (§6). What the two configurations of the core name is known, and nothing else.
class AddressBook
{
public:
    /// Begins with what the log of server `own` recovered.
    void begin(ServerId own, KnownPeers recovered, Configurations const& configurations)
    {
        *this = AddressBook{};
        own_ = own;
        install(std::move(recovered), configurations);
    }

    /// The entry at `index`, of these members, is appended to the log.
    void append(Index index, std::vector<Peer> peers)
    {
        known_.append(std::move(peers));
        previous_ = std::exchange(in_force_, index);
        noted_.clear();
        is_changed_ = true;
    }

    /// The entry at `first` and all following ones are removed from the log.
    void truncate(Index first)
    {
        if (in_force_ < first)
            return;
        known_.in_force = known_.previous;
        in_force_ = previous_;
        is_changed_ = true;
    }

    /// A snapshot takes the place of the log: these are the members of its configurations.
    void install(KnownPeers peers, Configurations const& configurations)
    {
        known_ = std::move(peers);
        in_force_ = configurations.in_force.index;
        previous_ = configurations.previous.index;
        is_changed_ = true;
    }

    /// The index of the entry that holds what is in force.
    [[nodiscard]] Index in_force_index() const { return in_force_; }

    /// The members of `configurations_at(configurations, index)`.
    [[nodiscard]] KnownPeers at(Index index) const
    {
        return in_force_ <= index ? known_ : KnownPeers{known_.previous, known_.previous};
    }

    /// Where a server is to be found: by the configuration in force, or else by the one before. Nothing if neither names it.
    [[nodiscard]] std::optional<std::string> address_of(ServerId id) const
    {
        auto in_force = totora::address_of(known_.in_force, id);
        return in_force ? in_force : totora::address_of(known_.previous, id);
    }

    /// Notes the addresses of servers that the next configuration names: newcomers, and members that move. They take the place of what was
    /// noted before, and are forgotten when a configuration is appended. False, and nothing is noted, if one is longer than
    /// `address_size_max`.
    [[nodiscard]] bool note(std::span<Peer const> peers)
    {
        for (auto const& peer : peers)
            if (peer.address.size() > address_size_max)
                return false;
        noted_.assign(peers.begin(), peers.end());
        return true;
    }

    /// The payload of an entry that holds this configuration: with the addresses that are noted, or else known, of its members.
    [[nodiscard]] std::vector<std::byte> encode(Configuration const& configuration) const
    {
        auto peers = std::vector<Peer>{};
        for (auto const& member : configuration.members)
            peers.push_back({member, std::string{address_for(member)}});
        return encode_configuration(configuration.agreed, peers);
    }

    /// Notifies the transport of what has changed since this was called last. The own server is left out.
    template <typename Transport>
    void introduce(Transport& transport)
    {
        if (not std::exchange(is_changed_, false))
            return;
        auto wanted = others();
        for (auto const& [member, address] : introduced_)
            if (auto const server = member.id; not totora::address_of(wanted, server))
                if_offered(
                    transport, [server](auto& one) -> decltype(one.remove(server)) { return one.remove(server); },
                    [] {});
        for (auto const& peer : wanted)
            if (not is_introduced(peer))
                transport.update(peer.member.id, peer.member.incarnation, peer.address);
        introduced_ = std::move(wanted);
    }

private:
    /// All but the own server, each once: what is in force counts.
    [[nodiscard]] std::vector<Peer> others() const
    {
        auto all = std::vector<Peer>{};
        for (auto const* peers : {&known_.in_force, &known_.previous})
            for (auto const& peer : *peers)
                if (peer.member.id != own_ and not totora::address_of(all, peer.member.id))
                    all.push_back(peer);
        return all;
    }

    [[nodiscard]] bool is_introduced(Peer const& wanted) const
    {
        for (auto const& [member, address] : introduced_)
            if (member.id == wanted.member.id)
                return member.incarnation == wanted.member.incarnation and address == wanted.address;
        return false;
    }

    [[nodiscard]] std::string_view address_for(Member const& member) const
    {
        for (auto const* peers : {&noted_, &known_.in_force, &known_.previous})
            if (auto const address = address_beside(member, *peers); not address.empty())
                return address;
        return {};
    }

    ServerId          own_;
    KnownPeers        known_;
    Index             in_force_; ///< Of the entries that hold them, or 0.
    Index             previous_;
    std::vector<Peer> noted_;
    std::vector<Peer> introduced_; ///< What the transport was last notified of.
    bool              is_changed_ = false;
};

} // namespace totora::inline v0
