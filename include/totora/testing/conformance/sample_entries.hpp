// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"

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
    entries.add(entry_slice(index, term, encode_peers(peers), EntryKind::configuration), 1);
    return entries;
}

/// The configuration entry that a workload puts at an index: others than before and after it.
[[nodiscard]] inline Entries sample_configuration(Term term, Index index)
{
    return configuration_entry(term, index, {1, 2, 3 + index.value % 7});
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

} // namespace totora::inline v0::conformance
