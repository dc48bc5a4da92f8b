// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/fields.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/wire/bytes.hpp"
#include "totora/wire/fields.hpp"
#include "totora/wire/hello.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
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
    install_snapshot = 11,
    install_snapshot_response = 12,
    timeout_now = 13,
};

/// The name of what a frame holds; "unknown" if it is of a later version.
[[nodiscard]] constexpr std::string_view to_string(FrameKind kind)
{
    switch (kind) {
    case FrameKind::hello:
        return "hello";
    case FrameKind::refusal:
        return "refusal";
    case FrameKind::request_pre_vote:
        return "request_pre_vote";
    case FrameKind::request_pre_vote_response:
        return "request_pre_vote_response";
    case FrameKind::request_vote:
        return "request_vote";
    case FrameKind::request_vote_response:
        return "request_vote_response";
    case FrameKind::append_entries:
        return "append_entries";
    case FrameKind::append_entries_response:
        return "append_entries_response";
    case FrameKind::piece:
        return "piece";
    case FrameKind::confirmation:
        return "confirmation";
    case FrameKind::install_snapshot:
        return "install_snapshot";
    case FrameKind::install_snapshot_response:
        return "install_snapshot_response";
    case FrameKind::timeout_now:
        return "timeout_now";
    }
    return "unknown";
}

/// The kind of each alternative of `Rpc`, in their order.
inline constexpr auto rpc_kinds = std::array{FrameKind::request_pre_vote, FrameKind::request_pre_vote_response,
                                             FrameKind::request_vote,     FrameKind::request_vote_response,
                                             FrameKind::append_entries,   FrameKind::append_entries_response,
                                             FrameKind::install_snapshot, FrameKind::install_snapshot_response,
                                             FrameKind::timeout_now};
static_assert(rpc_kinds.size() == std::variant_size_v<Rpc>);

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
/// 8 | 4 | length of the body: the fields of the message, followed by the entries or the chunk
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
/// The fields of a message stand as wire/fields.hpp writes them, the entries as data/entry.hpp encodes them. Every byte of a
/// frame is covered: the header by its checksum, which makes the lengths trustworthy before anything is allocated; the
/// fields by theirs; each entry by the one its proposer made; a chunk by its CRC32C, which are the last four bytes of the fields.
inline constexpr std::size_t frame_header_size = 72;

/// A longer frame travels in pieces, between which others may pass: what is short does not wait until it is through.
inline constexpr std::uint32_t whole_frame_max = std::uint32_t{64} << 10U;

/// A part of a frame that is longer than `whole_frame_max`; the part itself follows these fields.
///
/// The pieces of a frame follow each other in order, and those of two frames do not mix. The first one begins with the header
/// of the frame. What covers the bytes of a frame covers them in pieces too: they are checked once they are together.
struct Piece
{
    std::uint32_t offset = 0;     ///< Where in the frame it belongs.
    std::uint32_t frame_size = 0; ///< Of the whole frame, its header included.

    friend constexpr bool operator==(Piece const&, Piece const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("offset", self.offset);
        visit("frame_size", self.frame_size);
    }
};
static_assert(lists_its_fields<Piece>());

/// How long the fields of a piece are.
inline constexpr std::size_t piece_fields_size = fields_size(Piece{});

/// How much of a frame a piece carries at most, so that it is itself no longer than `whole_frame_max`.
inline constexpr std::uint32_t piece_bytes_max = whole_frame_max - frame_header_size - piece_fields_size;

/// How long the fields of an append are.
inline constexpr std::size_t append_fields_size = fields_size(AppendEntries{});

/// How long the fields of a hello are that names `members` first members.
[[nodiscard]] constexpr std::size_t hello_fields_size(std::size_t members)
{
    return fields_size(Hello{}) + members * fields_size(Member{});
}

/// How long the fields of the longest of these messages are.
template <typename... Messages>
[[nodiscard]] constexpr std::size_t longest_fields(std::variant<Messages...> const&)
{
    return std::max({fields_size(Messages{})...});
}

/// The largest header and fields together: a hello with the most members, or a refusal with the longest text.
inline constexpr std::size_t frame_head_max =
    frame_header_size + std::max(hello_fields_size(servers_max), 2 + text_size_max);
static_assert(frame_head_max >= frame_header_size + longest_fields(Rpc{}));

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

/// A frame, read.
struct Frame
{
    Route                                                  route;
    std::variant<Hello, Confirmation, HandshakeError, Rpc> content;
    Entries     entries = {}; ///< Exactly those that an `AppendEntries` names, intact.
    PinnedBytes chunk = {};   ///< Exactly that which an `InstallSnapshot` names, intact.
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
