// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/abilities.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/data/numbers.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// How long what is agreed is where it is stored: formats, machine, entry_bytes_max, servers_max (4 bytes each). Little-endian.
inline constexpr std::size_t abilities_size = 16;

/// Writes what is agreed at `to`, and returns where it ends.
inline std::byte* put_abilities(std::byte* to, Abilities const& agreed)
{
    return put(put(put(put(to, agreed.formats), agreed.machine), agreed.entry_bytes_max), agreed.servers_max);
}

/// Reads what `put_abilities` wrote.
[[nodiscard]] inline Abilities get_abilities(std::byte const* from)
{
    return {get<std::uint32_t>(from), get<std::uint32_t>(from + 4), get<std::uint32_t>(from + 8),
            get<std::uint32_t>(from + 12)};
}

/// The payload of a configuration entry: what is agreed, then its members with their addresses (`encode_peers`).
[[nodiscard]] inline std::vector<std::byte> encode_configuration(Abilities const& agreed, std::span<Peer const> peers)
{
    auto const members = encode_peers(peers);
    auto       bytes = std::vector<std::byte>(abilities_size + members.size());
    std::copy(members.begin(), members.end(), put_abilities(bytes.data(), agreed));
    return bytes;
}

/// A configuration with the addresses of its members, as an entry holds it.
struct NamedConfiguration
{
    Configuration     configuration;
    std::vector<Peer> peers;
};

/// The configuration that an entry holds, with addresses; nothing if it holds none that a log may hold.
[[nodiscard]] inline std::optional<NamedConfiguration> decode_named_configuration(EntryView const& entry)
{
    if (entry.payload.size() < abilities_size)
        return std::nullopt;
    auto peers = decode_peers(entry.payload.subspan(abilities_size));
    if (not peers)
        return std::nullopt;
    auto configuration = configuration_of(entry.index, *peers);
    if (not configuration)
        return std::nullopt;
    configuration->agreed = get_abilities(entry.payload.data());
    return NamedConfiguration{*configuration, *std::move(peers)};
}

/// The configuration that an entry holds; nothing if it holds none that a log may hold.
[[nodiscard]] inline std::optional<Configuration> decode_configuration(EntryView const& entry)
{
    auto named = decode_named_configuration(entry);
    return named ? std::optional{named->configuration} : std::nullopt;
}

} // namespace totora::inline v0
