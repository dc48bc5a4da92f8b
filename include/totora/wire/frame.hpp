// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/wire/bytes.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace totora::inline v0
{

/// What a frame holds. The numbers are those of version 1 and stay.
enum class FrameKind : std::uint8_t
{
    hello = 1,
    refusal = 2,
    request_pre_vote = 3,
    request_pre_vote_response = 4,
    request_vote = 5,
    request_vote_response = 6,
    append_entries = 7,
    append_entries_response = 8,
    piece = 9,
    confirmation = 10,
};

/// The newest version that this code speaks, and the oldest.
inline constexpr std::uint8_t frame_version = 1;
inline constexpr std::uint8_t frame_version_lowest = 1;

/// The first bytes of every frame: "TTRA".
inline constexpr std::uint32_t frame_magic = 0x41525454;

/// How many bytes stand before the body of a frame. All numbers are little-endian.
///
/// offset | size | field
/// ---|---|---
/// 0 | 4 | magic, "TTRA"
/// 4 | 1 | version of the frame, the lower one of the two servers'; that of a handshake is 1 permanently
/// 5 | 1 | kind (`FrameKind`); a frame of an unknown kind is skipped by its length
/// 6 | 2 | flags, 0 in version 1
/// 8 | 4 | length of the body: the fields of the message, and behind them the entries
/// 12 | 4 | length of the fields
/// 16 | 8 | cluster
/// 24 | 8 | group, 0 in version 1; that of a hello is the connection's
/// 32 | 8 | sender: id
/// 40 | 8 | sender: incarnation
/// 48 | 8 | addressee: id
/// 56 | 8 | addressee: incarnation, as the sender knows it
/// 64 | 4 | CRC32C of the fields
/// 68 | 4 | CRC32C of the bytes 0 to 67
///
/// The fields of a message stand in the order of its struct, without gaps: terms, indexes, rounds and numbers 8 bytes, `bool` 1.
/// A text is its length (1) and that many letters. The entries stand as data/entry.hpp encodes them. So every byte of a
/// frame is covered: the header by its checksum, which makes the lengths trustworthy before anything is allocated; the
/// fields by theirs; each entry by the one its proposer made.
inline constexpr std::size_t frame_header_size = 72;

/// A longer frame travels in pieces, between which others may pass: what is short does not wait until it is through.
inline constexpr std::uint32_t whole_frame_max = std::uint32_t{64} << 10U;

/// How long the fields of a piece are.
inline constexpr std::size_t piece_fields_size = 8;

/// How much of a frame a piece carries at most, so that it is itself no longer than `whole_frame_max`.
inline constexpr std::uint32_t piece_bytes_max = whole_frame_max - frame_header_size - piece_fields_size;

/// How long the fields of an append are.
inline constexpr std::size_t append_fields_size = 80;

/// How long the fields of a hello are that names `members` first members.
[[nodiscard]] constexpr std::size_t hello_fields_size(std::size_t members) { return 55 + 17 * members; }

/// The largest header and fields together: a hello with the most members, or a refusal with the longest sentence.
inline constexpr std::size_t frame_head_max =
    frame_header_size + std::max(hello_fields_size(servers_max), 2 + text_size_max);
static_assert(frame_head_max >= frame_header_size + append_fields_size);

/// Why bytes are not a frame, or a frame is not for us.
enum class FrameError : std::uint8_t
{
    truncated,           ///< Less than a whole frame.
    foreign_magic,       ///< Not a frame of ours.
    newer_version,       ///< A frame of a version that this code cannot read.
    unknown_kind,        ///< An intact frame of a kind of a later version: skip it.
    oversized,           ///< Longer than agreed.
    bad_checksum,        ///< Changed on the way.
    bad_field,           ///< Intact, but a field has a value that it may not have.
    bad_entry,           ///< Intact, but the entries are not those that the message names.
    newer_entry,         ///< Intact, but with an entry of a kind, or with flags, that this version does not know.
    another_cluster,     ///< For or from another cluster.
    another_group,       ///< Of a group that is not served here.
    another_server,      ///< For another server.
    another_incarnation, ///< For another life of this server.
    another_sender,      ///< Not from the server at the other end, or an answer of another life of it.
    bad_piece,           ///< Intact, but not the piece that follows, or of no frame.
};

inline constexpr std::size_t frame_refusals = static_cast<std::size_t>(FrameError::bad_piece) + 1;

/// One end of a frame: a server, and which life of it.
struct Party
{
    ServerId    id;
    Incarnation incarnation;

    friend constexpr bool operator==(Party const&, Party const&) = default;
};

/// From where to where a frame goes.
struct Route
{
    ClusterId     cluster;
    std::uint64_t group = 0; ///< For many clusters of the same servers; 0 so far.
    Party         sender;
    Party         addressee; ///< As the sender knows it.

    friend constexpr bool operator==(Route const&, Route const&) = default;
};

/// What a server can carry; exchanged in the handshake.
struct FrameLimits
{
    std::uint32_t servers_max = static_cast<std::uint32_t>(totora::servers_max);
    std::uint32_t entry_bytes_max = 8U << 20U;  ///< Of one payload.
    std::uint32_t frame_bytes_max = 16U << 20U; ///< Of one frame, header included.

    friend constexpr bool operator==(FrameLimits const&, FrameLimits const&) = default;
};

/// The largest payload of an entry that goes through these limits.
[[nodiscard]] constexpr std::uint64_t entry_bytes_through(FrameLimits const& limits)
{
    constexpr auto around = std::uint64_t{frame_header_size + append_fields_size + entry_header_size};
    auto const     room = limits.frame_bytes_max > around ? limits.frame_bytes_max - around : 0;
    return std::min<std::uint64_t>(room, limits.entry_bytes_max);
}

/// How long a frame must be allowed to be for the largest entry to fit into one.
[[nodiscard]] constexpr std::uint64_t frame_bytes_for(std::uint32_t entry_bytes_max)
{
    return frame_header_size + append_fields_size + entry_header_size + std::uint64_t{entry_bytes_max};
}

/// What a server can do beyond version 1, a bit a feature. There is none so far.
struct Features
{
    std::uint64_t may_ignore = 0;      ///< Whoever does not know them goes on without.
    std::uint64_t must_understand = 0; ///< Whoever does not know all of them does not talk to this server.

    friend constexpr bool operator==(Features const&, Features const&) = default;
};

/// The features that this code knows.
inline constexpr std::uint64_t features_known = 0;

/// Which process a server is: two that have the same identity are told apart, and the newer one counts.
struct Life
{
    std::uint64_t start = 0;   ///< How often a process has started on its directory; 0 if nobody counts.
    std::uint64_t process = 0; ///< A random number of this process.

    friend constexpr bool operator==(Life const&, Life const&) = default;
};

/// The first frame of each side of a connection. Who speaks to whom, and of which group, stands in the header.
///
/// A later version may add fields at the end; an older reader leaves them out.
struct Hello
{
    std::uint8_t  version_lowest = frame_version_lowest;
    std::uint8_t  version_highest = frame_version;
    FrameLimits   limits;
    Features      features;
    Life          life;
    std::uint64_t challenge = 0; ///< A fresh number, which a `Confirmation` answers.
    /// What the cluster was made of, as this server was told; empty if it joined later. Members of a later version that has room
    /// for more than `servers_max` are left out.
    Members first_members;

    friend constexpr bool operator==(Hello const&, Hello const&) = default;
};

/// The dialing side's answer to the other's `Hello`: it lives, and is not a greeting that a process left in a queue when it died.
struct Confirmation
{
    std::uint64_t answer = 0; ///< The `challenge` of that hello.

    friend constexpr bool operator==(Confirmation const&, Confirmation const&) = default;
};

/// Why a server does not talk to another. The numbers stay; one of a later version reads as `other`.
enum class HandshakeFault : std::uint8_t
{
    other = 0,
    another_cluster = 1,
    another_server = 2,
    another_incarnation = 3,
    no_common_version = 4,
    unequal_limits = 5,
    another_group = 6,
    unknown_feature = 7, ///< One that it says must be understood.
    superseded = 8,      ///< A later start of the same server was met.
    two_lives = 9,       ///< Two processes have the identity of one server.
};

/// The answer to a `Hello`, or to the answer to one, that ends the connection.
struct HandshakeError
{
    HandshakeFault because{};
    std::string    what; ///< For the operators of both servers.

    friend bool operator==(HandshakeError const&, HandshakeError const&) = default;
};

/// A part of a frame that is longer than `whole_frame_max`; the part itself follows these fields.
///
/// The pieces of a frame follow each other in order, and those of two frames do not mix. The first one begins with the header
/// of the frame. What covers the bytes of a frame covers them in pieces too: they are checked once they are together.
struct Piece
{
    std::uint32_t offset = 0;     ///< Where in the frame it belongs.
    std::uint32_t frame_size = 0; ///< Of the whole frame, its header included.

    friend constexpr bool operator==(Piece const&, Piece const&) = default;
};

/// A frame, read.
struct Frame
{
    Route                                                  route;
    std::variant<Hello, Confirmation, HandshakeError, Rpc> content;
    Entries entries; ///< Exactly those that an `AppendEntries` names, intact.
};

/// Why a server of this cluster does not take a frame of this route; nothing if it does.
[[nodiscard]] constexpr std::optional<FrameError> refuse_route(Route const& route, ClusterId cluster, Party self)
{
    if (route.cluster != cluster)
        return FrameError::another_cluster;
    if (route.group != 0)
        return FrameError::another_group;
    if (route.addressee.id != self.id)
        return FrameError::another_server;
    if (route.addressee.incarnation != self.incarnation)
        return FrameError::another_incarnation;
    return std::nullopt;
}

} // namespace totora::inline v0
