// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configuration.hpp"
#include "totora/data/entry.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// Which cluster a frame or a directory belongs to.
struct ClusterId
{
    std::uint64_t value = 0;

    friend constexpr auto operator<=>(ClusterId const&, ClusterId const&) = default;
};

template <>
inline constexpr bool is_number<ClusterId> = true;

/// The id of the cluster of this name (FNV-1a), so that every server of it finds the same id without asking.
[[nodiscard]] constexpr ClusterId cluster_of(std::string_view name)
{
    auto hash = std::uint64_t{0xCBF29CE484222325U};
    for (auto const letter : name)
        hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001B3U;
    return ClusterId{hash};
}

/// A member and where to find it. The address is opaque: it means something to the transport only.
struct Peer
{
    Member      member;
    std::string address;

    friend bool operator==(Peer const&, Peer const&) = default;
};

/// Where the server of this id is to be found; nothing if it is not among them.
[[nodiscard]] inline std::optional<std::string> address_of(std::span<Peer const> peers, ServerId id)
{
    for (auto const& peer : peers)
        if (peer.member.id == id)
            return peer.address;
    return std::nullopt;
}

/// The id of a new cluster of this name and these first members, so that servers given different members are of different
/// clusters, and refuse each other instead of electing two leaders (case 95).
///
/// Ids, incarnations and kinds count, in any order; addresses do not, because they may change. `token` distinguishes
/// clusters that are made alike. Computed once, when the directory is made, and stored: the members of a cluster change, its id does
/// not. A server that joins later is given it.
[[nodiscard]] inline ClusterId
cluster_of(std::string_view name, std::span<Peer const> first_members, std::string_view token = {})
{
    auto const comes_before = [](Member const& a, Member const& b) {
        return a.id != b.id ? a.id < b.id : a.incarnation < b.incarnation;
    };
    auto members = std::vector<Member>{}; // In order; they are few.
    for (auto const& peer : first_members) {
        members.push_back(peer.member);
        for (auto at = members.size() - 1; at > 0 and comes_before(members[at], members[at - 1]); --at)
            std::swap(members[at], members[at - 1]);
    }
    // Lengths first, so that no text can stand for another one with a part of the members.
    auto       text = std::string{};
    auto const add = [&](std::uint64_t number) {
        for (auto byte = 0; byte < 8; ++byte)
            text.push_back(static_cast<char>(number >> (8 * byte) & 0xFFU));
    };
    add(name.size());
    text += name;
    add(members.size());
    for (auto const& [id, incarnation, kind] : members) {
        add(id.value);
        add(incarnation.value);
        add(static_cast<std::uint64_t>(kind));
    }
    text += token;
    return cluster_of(text);
}

/// The first members of a cluster without their addresses.
[[nodiscard]] inline Members members_of(std::span<Peer const> peers)
{
    auto members = Members{};
    for (auto const& peer : peers)
        static_cast<void>(members.push_back(peer.member));
    return members;
}

/// Who a server is: an explicit act gives it, once, to the directory of its log. The user who fills it in makes sure that the id
/// is not `nobody`, and that the first members are the same on every server, at most `servers_max`, none twice, at least one
/// of them a voter, this server with this incarnation among them, and no address longer than `address_size_max`.
struct Identity
{
    ClusterId   cluster;
    ServerId    id;
    Incarnation incarnation; ///< 1 for first members. A server that lost its log must not come back under the same one.
    std::vector<Peer>
        first_members; ///< The configuration at index 0. Empty: the server waits until the cluster's log names it.
    std::uint64_t group = 0; ///< Which of the cluster's groups; 0 as long as it has one.

    friend bool operator==(Identity const&, Identity const&) = default;
};

/// The incarnation of the servers that a cluster is made of.
inline constexpr Incarnation first_incarnation{1};

/// How long an address may be, in bytes.
inline constexpr std::size_t address_size_max = 255;

/// Members with their addresses: a count (2 bytes), then for each member id (8), incarnation (8), kind (1),
/// length of the address (1), address. Little-endian. Only for what `decode_peers` reads back: at most `servers_max` members,
/// and addresses of at most `address_size_max` bytes.
[[nodiscard]] inline std::vector<std::byte> encode_peers(std::span<Peer const> peers)
{
    auto size = std::size_t{2};
    for (auto const& peer : peers)
        size += 18 + peer.address.size();
    auto  bytes = std::vector<std::byte>(size);
    auto* to = put(bytes.data(), static_cast<std::uint16_t>(peers.size()));
    for (auto const& [member, address] : peers) {
        to = put(to, member.id.value);
        to = put(to, member.incarnation.value);
        to = put(to, static_cast<std::uint8_t>(member.kind));
        to = put(to, static_cast<std::uint8_t>(address.size()));
        for (auto const letter : address)
            to = put(to, static_cast<std::uint8_t>(letter));
    }
    return bytes;
}

/// Reads what `encode_peers` wrote; nothing if the bytes are anything else, or name more than `servers_max` members.
[[nodiscard]] inline std::optional<std::vector<Peer>> decode_peers(std::span<std::byte const> bytes)
{
    if (bytes.size() < 2)
        return std::nullopt;
    auto const count = std::size_t{get<std::uint16_t>(bytes.data())};
    if (count > servers_max)
        return std::nullopt;
    auto rest = bytes.subspan(2);
    auto peers = std::vector<Peer>{};
    for (auto at = std::size_t{0}; at < count; ++at) {
        if (rest.size() < 18)
            return std::nullopt;
        auto const length = std::size_t{get<std::uint8_t>(rest.data() + 17)};
        if (rest.size() < 18 + length)
            return std::nullopt;
        auto peer = Peer{{ServerId{get<std::uint64_t>(rest.data())}, Incarnation{get<std::uint64_t>(rest.data() + 8)},
                          static_cast<MemberKind>(get<std::uint8_t>(rest.data() + 16))},
                         {}};
        for (auto const letter : rest.subspan(18, length))
            peer.address.push_back(static_cast<char>(letter));
        peers.push_back(std::move(peer));
        rest = rest.subspan(18 + length);
    }
    if (not rest.empty())
        return std::nullopt;
    return peers;
}

/// The configuration that peers make, as the core sees it; nothing if no log may hold it (`is_sound`).
[[nodiscard]] inline std::optional<Configuration> configuration_of(Index index, std::span<Peer const> peers)
{
    auto configuration = Configuration{.index = index, .members = {}};
    for (auto const& peer : peers)
        if (not configuration.members.push_back(peer.member))
            return std::nullopt;
    if (not is_sound(configuration))
        return std::nullopt;
    return configuration;
}

/// The configuration at index 0, which is in force until the log holds another: that of the first members. It has no members if
/// there are none, or if they make no sound configuration.
[[nodiscard]] inline Configuration first_configuration(Identity const& identity)
{
    return configuration_of(Index{}, identity.first_members).value_or(Configuration{});
}

/// What is wrong with an identity, for people; empty if it can be a server. Nobody could start what is wrong here.
[[nodiscard]] inline std::string fault_in(Identity const& identity)
{
    if (identity.id == nobody)
        return "the server's id is 0, which is nobody's";
    auto const& peers = identity.first_members;
    if (peers.size() > servers_max)
        return "there are more than " + std::to_string(servers_max) + " first members";
    if (not peers.empty() and not configuration_of(Index{}, peers))
        return "among the first members nobody votes, or an id is 0 or named twice";
    for (auto const& peer : peers)
        if (peer.address.size() > address_size_max)
            return "the address of server " + std::to_string(peer.member.id.value) + " is longer than " +
                   std::to_string(address_size_max) + " bytes";
    return {};
}

} // namespace totora::inline v0
