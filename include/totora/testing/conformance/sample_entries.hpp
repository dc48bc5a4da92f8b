// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configuration.hpp"
#include "totora/core/values/configurations.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/configuration_entry.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/data/known_peers.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0::conformance
{

/// A payload of `size` bytes in which everything depends on index and term.
[[nodiscard]] inline std::vector<std::byte> payload_for(Index index, Term term, std::size_t size)
{
    auto payload = std::vector<std::byte>(size);
    for (auto at = std::size_t{0}; at < size; ++at)
        payload[at] = static_cast<std::byte>((index.value * 31 + term.value * 7 + at * 13 + at / 251) & 0xFFU);
    return payload;
}

/// One entry in a slice of its own.
[[nodiscard]] inline EntrySlice
entry_slice(Index index, Term term, std::span<std::byte const> payload, EntryKind kind = EntryKind::command)
{
    auto block = std::make_shared<std::vector<std::byte>>(entry_header_size + payload.size());
    std::copy(payload.begin(), payload.end(), block->begin() + entry_header_size);
    seal_entry(*block, index, term, kind, 0);
    auto const bytes = std::span<std::byte const>{*block};
    return {std::move(block), bytes};
}

/// `count` entries of one term from `first` on, in slices of `per_slice` entries.
[[nodiscard]] inline Entries
entries_of(Term term, Index first, std::uint64_t count, std::size_t payload_size = 10, std::uint64_t per_slice = 4)
{
    auto entries = Entries{};
    for (auto done = std::uint64_t{0}; done < count;) {
        auto const take = std::min(per_slice, count - done);
        auto const each = entry_header_size + payload_size;
        auto       block = std::make_shared<std::vector<std::byte>>(each * take);
        for (auto at = std::uint64_t{0}; at < take; ++at) {
            auto const index = first + done + at;
            auto const payload = payload_for(index, term, payload_size);
            auto const encoded = std::span{*block}.subspan(each * at, each);
            std::copy(payload.begin(), payload.end(), encoded.begin() + entry_header_size);
            seal_entry(encoded, index, term, EntryKind::command, 0);
        }
        auto const bytes = std::span<std::byte const>{*block};
        entries.add({std::move(block), bytes}, take);
        done += take;
    }
    return entries;
}

/// A configuration entry that names these servers as voters of the first incarnation.
[[nodiscard]] inline Entries configuration_entry(Term term, Index index, std::vector<std::uint64_t> const& servers)
{
    auto peers = std::vector<Peer>{};
    for (auto const server : servers)
        peers.push_back({{ServerId{server}, first_incarnation, MemberKind::voter}, "host:" + std::to_string(server)});
    auto entries = Entries{};
    entries.add(entry_slice(index, term, encode_configuration(Abilities{}, peers), EntryKind::configuration), 1);
    return entries;
}

/// The address of a server in the configuration that `sample_configuration` puts at an index: another than before and after it.
[[nodiscard]] inline std::string sample_address(std::uint64_t server, Index index)
{
    return "host:" + std::to_string(server) + ":" + std::to_string(index.value);
}

/// What is agreed in the configuration that `sample_configuration` puts at an index: more than before it.
[[nodiscard]] inline Abilities sample_agreement(Index index)
{
    auto agreed = Abilities{};
    agreed.machine += static_cast<std::uint32_t>(index.value);
    return agreed;
}

/// The configuration entry that a workload puts at an index: other members than before and after it, and other addresses.
[[nodiscard]] inline Entries sample_configuration(Term term, Index index)
{
    auto peers = std::vector<Peer>{};
    for (auto const server : {std::uint64_t{1}, std::uint64_t{2}, 3 + index.value % 7})
        peers.push_back({{ServerId{server}, first_incarnation, MemberKind::voter}, sample_address(server, index)});
    auto entries = Entries{};
    entries.add(
        entry_slice(index, term, encode_configuration(sample_agreement(index), peers), EntryKind::configuration), 1);
    return entries;
}

/// What `check_log` keeps in a log: no two fields are alike, and none is what it is by default.
[[nodiscard]] inline Identity sample_identity()
{
    auto       identity = Identity{cluster_of("rushes"), ServerId{3}, Incarnation{5}, {}, 7};
    auto const members = {Member{ServerId{3}, Incarnation{5}, MemberKind::voter},
                          Member{ServerId{2}, Incarnation{4}, MemberKind::voter},
                          Member{ServerId{9}, Incarnation{1}, MemberKind::learner}};
    for (auto const& member : members)
        identity.first_members.push_back({member, std::string(member.id.value * 20, 'a') + std::string{"\0:\n\"", 4}});
    return identity;
}

/// Server 1 of a cluster of three.
[[nodiscard]] inline Identity identity_of_first()
{
    auto identity = Identity{cluster_of("reeds"), ServerId{1}, first_incarnation, {}};
    for (auto const server : {1U, 2U, 3U})
        identity.first_members.push_back(
            {{ServerId{server}, first_incarnation, MemberKind::voter}, "host:" + std::to_string(server)});
    return identity;
}

/// The members of a configuration that `sample_configuration` made, or that of the first members of one of the identities above.
[[nodiscard]] inline std::vector<Peer> sample_peers(Configuration const& configuration)
{
    for (auto const& identity : {sample_identity(), identity_of_first()})
        if (configuration == first_configuration(identity))
            return identity.first_members;
    auto peers = std::vector<Peer>{};
    for (auto const& member : configuration.members)
        peers.push_back({member, sample_address(member.id.value, configuration.index)});
    return peers;
}

[[nodiscard]] inline KnownPeers sample_peers(Configurations const& configurations)
{
    return {sample_peers(configurations.in_force), sample_peers(configurations.previous)};
}

/// Whether the addresses that a log recovered are those of the configurations that it recovered.
[[nodiscard]] inline bool has_sample_peers(Recovered const& recovered)
{
    return recovered.peers == sample_peers(Configurations{recovered.configuration, recovered.previous_configuration});
}

} // namespace totora::inline v0::conformance
