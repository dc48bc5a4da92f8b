// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configuration.hpp"
#include "totora/core/values/configurations.hpp"
#include "totora/core/values/result.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/checksum.hpp"
#include "totora/data/configuration_entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/data/known_peers.hpp"
#include "totora/data/numbers.hpp"

#include <algorithm>
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

// A snapshot as bytes, in a file and on its way to a follower: a header, what the state machine wrote, and a checksum. All numbers
// are little-endian.
//
// offset | size | field
// ---|---|---
// 0 | 4 | magic, "TTRS"
// 4 | 4 | version of this format, 1
// 8 | 4 | length of the header, its checksum included
// 12 | 4 | the state machine's format
// 16 | 16 | the last entry that it stands for: index, term
// 32 | | the configuration in force there, and the one before: index (8), what is agreed (16: formats, machine, entry_bytes_max, servers_max), number of members (1), and of each id (8), incarnation (8), kind (1), length of the address (1), address
// | 4 | CRC32C of the header so far
// | | what the state machine wrote
// | 4 | CRC32C of everything before it

/// The first bytes of every snapshot: "TTRS".
inline constexpr std::uint32_t snapshot_magic = 0x53525454;

/// The version of the format of snapshots, around what the state machine writes.
inline constexpr std::uint32_t snapshot_version = 1;

/// How many bytes stand after what the state machine wrote.
inline constexpr std::size_t snapshot_trailer_size = 4;

/// How long a configuration is without its members: its index, what is agreed, and their number.
inline constexpr std::size_t configuration_fixed_size = 8 + abilities_size + 1;

/// How long a configuration can be.
inline constexpr std::size_t configuration_size_max = configuration_fixed_size + servers_max * (18 + address_size_max);

/// How long a header can be.
inline constexpr std::size_t snapshot_header_max = 32 + 2 * configuration_size_max + 4;

/// What stands before the state machine's part of a snapshot.
struct SnapshotHeader
{
    std::uint32_t  machine_format = 0;
    LogPosition    last;           ///< The last entry that it stands for.
    Configurations configurations; ///< That in force at this entry, and the one before.
    KnownPeers     peers;          ///< Their members.

    friend bool operator==(SnapshotHeader const&, SnapshotHeader const&) = default;
};

/// A header that was read, and how long it is.
struct ReadSnapshotHeader
{
    SnapshotHeader header;
    std::size_t    size = 0;
};

/// Why bytes are not a snapshot.
enum class SnapshotFault : std::uint8_t
{
    truncated,     ///< Its end is missing.
    foreign,       ///< Not a snapshot of ours.
    newer_version, ///< Of a later version of the format.
    damaged,       ///< A checksum does not fit, or it is not the snapshot that it was said to be.
};

/// The name of a fault.
[[nodiscard]] constexpr std::string_view to_string(SnapshotFault fault)
{
    switch (fault) {
    case SnapshotFault::truncated:
        return "it is truncated";
    case SnapshotFault::foreign:
        return "it is none";
    case SnapshotFault::newer_version:
        return "its format is of a later version";
    case SnapshotFault::damaged:
        return "it is damaged";
    }
    return "it cannot be read";
}

/// How long a configuration is whose members have these addresses.
[[nodiscard]] inline std::size_t encoded_size(Configuration const& configuration, std::span<Peer const> peers)
{
    auto size = configuration_fixed_size;
    for (auto const& member : configuration.members)
        size += 18 + address_beside(member, peers).size();
    return size;
}

/// Writes a configuration at `to`, with the addresses that these peers have, and returns where it ends.
inline std::byte* put_configuration(std::byte* to, Configuration const& configuration, std::span<Peer const> peers)
{
    to = put(to, configuration.index.value);
    to = put_abilities(to, configuration.agreed);
    to = put(to, static_cast<std::uint8_t>(configuration.members.size()));
    for (auto const& member : configuration.members) {
        auto const address = address_beside(member, peers);
        to = put(to, member.id.value);
        to = put(to, member.incarnation.value);
        to = put(to, static_cast<std::uint8_t>(member.kind));
        to = put(to, static_cast<std::uint8_t>(address.size()));
        for (auto const letter : address)
            to = put(to, static_cast<std::uint8_t>(letter));
    }
    return to;
}

/// Writes both configurations, that in force first.
inline std::byte* put_configurations(std::byte* to, Configurations const& configurations, KnownPeers const& peers)
{
    return put_configuration(put_configuration(to, configurations.in_force, peers.in_force), configurations.previous,
                             peers.previous);
}

/// The bytes of a header.
[[nodiscard]] inline std::vector<std::byte> encode_snapshot_header(SnapshotHeader const& header)
{
    auto  bytes = std::vector<std::byte>(snapshot_header_max);
    auto* to = bytes.data() + 12;
    to = put(to, header.machine_format);
    to = put(to, header.last.index.value);
    to = put(to, header.last.term.value);
    to = put_configurations(to, header.configurations, header.peers);
    auto const size = static_cast<std::size_t>(to - bytes.data()) + 4;
    put(put(put(bytes.data(), snapshot_magic), snapshot_version), static_cast<std::uint32_t>(size));
    put(to, crc32c(std::span{bytes}.first(size - 4)));
    bytes.resize(size);
    return bytes;
}

/// Reads a configuration that `from` begins with, and moves `from` after it; false if it is not whole.
[[nodiscard]] inline bool
read_configuration(std::span<std::byte const>& from, Configuration& configuration, std::vector<Peer>& peers)
{
    if (from.size() < configuration_fixed_size)
        return false;
    configuration.index = Index{get<std::uint64_t>(from.data())};
    configuration.agreed = get_abilities(from.data() + 8);
    auto const count = std::size_t{get<std::uint8_t>(from.data() + 8 + abilities_size)};
    from = from.subspan(configuration_fixed_size);
    if (count > servers_max)
        return false;
    for (auto at = std::size_t{0}; at < count; ++at) {
        auto const length = from.size() < 18 ? std::size_t{0} : std::size_t{get<std::uint8_t>(from.data() + 17)};
        if (from.size() < 18 + length)
            return false;
        auto peer = Peer{{ServerId{get<std::uint64_t>(from.data())}, Incarnation{get<std::uint64_t>(from.data() + 8)},
                          static_cast<MemberKind>(get<std::uint8_t>(from.data() + 16))},
                         {}};
        for (auto const letter : from.subspan(18, length))
            peer.address.push_back(static_cast<char>(letter));
        static_cast<void>(configuration.members.push_back(peer.member));
        peers.push_back(std::move(peer));
        from = from.subspan(18 + length);
    }
    return true;
}

/// Reads both configurations, and nothing else; false if `from` is anything else.
[[nodiscard]] inline bool
read_configurations(std::span<std::byte const> from, Configurations& configurations, KnownPeers& peers)
{
    return read_configuration(from, configurations.in_force, peers.in_force) and
           read_configuration(from, configurations.previous, peers.previous) and from.empty();
}

/// Reads the header that bytes begin with, from any bytes at all.
[[nodiscard]] inline Result<ReadSnapshotHeader, SnapshotFault> decode_snapshot_header(std::span<std::byte const> bytes)
{
    if (bytes.size() >= 4 and get<std::uint32_t>(bytes.data()) != snapshot_magic)
        return Unexpected{SnapshotFault::foreign};
    if (bytes.size() < 12)
        return Unexpected{SnapshotFault::truncated};
    if (get<std::uint32_t>(bytes.data() + 4) > snapshot_version)
        return Unexpected{SnapshotFault::newer_version};
    auto const size = std::size_t{get<std::uint32_t>(bytes.data() + 8)};
    if (size < 36 or size > snapshot_header_max)
        return Unexpected{SnapshotFault::damaged};
    if (bytes.size() < size)
        return Unexpected{SnapshotFault::truncated};
    auto const rest = bytes.first(size - 4);
    if (crc32c(rest) != get<std::uint32_t>(bytes.data() + size - 4))
        return Unexpected{SnapshotFault::damaged};
    auto read = ReadSnapshotHeader{.header = {}, .size = size};
    read.header.machine_format = get<std::uint32_t>(rest.data() + 12);
    read.header.last = {Term{get<std::uint64_t>(rest.data() + 24)}, Index{get<std::uint64_t>(rest.data() + 16)}};
    if (not read_configurations(rest.subspan(32), read.header.configurations, read.header.peers))
        return Unexpected{SnapshotFault::damaged};
    return read;
}

/// Checks a snapshot as its bytes pass, in order: whether they are those that its identity names.
class SnapshotCheck
{
public:
    explicit SnapshotCheck(SnapshotId const& expected) : expected_(expected) {}

    /// The next bytes.
    void add(std::span<std::byte const> bytes)
    {
        auto const covered_end = expected_.bytes - std::min<std::uint64_t>(expected_.bytes, snapshot_trailer_size);
        auto const covered =
            static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), covered_end - std::min(covered_end, seen_)));
        checksum_ = crc32c(bytes.first(covered), checksum_);
        for (auto const byte : bytes.subspan(covered))
            if (trailer_size_ < snapshot_trailer_size)
                trailer_[trailer_size_++] = byte;
        seen_ += bytes.size();
    }

    /// How many bytes were added.
    [[nodiscard]] std::uint64_t seen() const { return seen_; }

    /// Whether all were added and are right.
    [[nodiscard]] bool is_whole() const
    {
        return seen_ == expected_.bytes and trailer_size_ == snapshot_trailer_size and
               get<std::uint32_t>(trailer_) == checksum_ and checksum_ == expected_.checksum;
    }

private:
    SnapshotId    expected_;
    std::uint64_t seen_ = 0;
    std::uint32_t checksum_ = 0;
    std::byte     trailer_[snapshot_trailer_size]{};
    std::size_t   trailer_size_ = 0;
};

} // namespace totora::inline v0
