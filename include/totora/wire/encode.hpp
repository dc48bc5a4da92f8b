// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/core/values/result.hpp"
#include "totora/core/values/with_alternative.hpp"
#include "totora/data/checksum.hpp"
#include "totora/data/identity.hpp"
#include "totora/data/payload.hpp"
#include "totora/wire/bytes.hpp"
#include "totora/wire/fields.hpp"
#include "totora/wire/frame.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

namespace totora::inline v0
{

/// The header and the fields of a frame. Its payload follows as it is, from where it is pinned.
class FrameHead
{
public:
    [[nodiscard]] std::span<std::byte const> bytes() const { return std::span{bytes_}.first(size_); }

private:
    template <typename WriteFields>
    friend FrameHead make_head(FrameKind, Route const&, std::uint64_t, std::uint8_t, WriteFields);

    std::array<std::byte, frame_head_max> bytes_{};
    std::size_t                           size_ = 0;
};

/// Writes the fields, and then the header in front of them.
template <typename WriteFields>
[[nodiscard]] FrameHead make_head(FrameKind kind, Route const& route, std::uint64_t payload_bytes, std::uint8_t version,
                                  WriteFields write_fields)
{
    auto head = FrameHead{};
    auto fields = ByteWriter{std::span{head.bytes_}.subspan(frame_header_size)};
    write_fields(fields);
    head.size_ = frame_header_size + fields.size();

    auto const written = head.bytes().subspan(frame_header_size);
    auto       header = ByteWriter{std::span{head.bytes_}.first(frame_header_size)};
    header.number(frame_magic);
    header.number(version);
    header.number(static_cast<std::uint8_t>(kind));
    header.number(std::uint16_t{0});
    header.number(static_cast<std::uint32_t>(fields.size() + payload_bytes));
    header.number(static_cast<std::uint32_t>(fields.size()));
    header.number(route.cluster.value);
    header.number(route.group);
    for (auto const& [id, incarnation] : {route.sender, route.addressee}) {
        header.number(id.value);
        header.number(incarnation.value);
    }
    header.number(crc32c(written));
    header.number(crc32c(head.bytes().first(header.size())));
    return head;
}

[[nodiscard]] inline FrameHead encode(Route const& route, Hello const& hello)
{
    return make_head(FrameKind::hello, route, 0, frame_version_lowest,
                     [&](ByteWriter& fields) { write_field(fields, hello); });
}

[[nodiscard]] inline FrameHead encode(Route const& route, HandshakeError const& refusal)
{
    return make_head(FrameKind::refusal, route, 0, frame_version_lowest,
                     [&](ByteWriter& fields) { write_field(fields, refusal); });
}

[[nodiscard]] inline FrameHead encode(Route const& route, Confirmation const& confirmation)
{
    return make_head(FrameKind::confirmation, route, 0, frame_version_lowest,
                     [&](ByteWriter& fields) { write_field(fields, confirmation); });
}

[[nodiscard]] constexpr FrameKind kind_of(Rpc const& rpc) { return rpc_kinds[rpc.index()]; }

/// How many bytes of entries, or of a chunk, follow the fields of a message.
[[nodiscard]] inline std::uint64_t payload_bytes_of(Rpc const& rpc, Payload const& payload)
{
    auto const carries = std::holds_alternative<AppendEntries>(rpc) or std::holds_alternative<InstallSnapshot>(rpc);
    return carries ? payload.bytes() : 0;
}

/// The CRC32C of a payload, whole.
[[nodiscard]] inline std::uint32_t checksum_of(Payload const& payload)
{
    auto checksum = std::uint32_t{0};
    for (auto const& slice : payload.slices())
        checksum = crc32c(slice.bytes, checksum);
    return checksum;
}

/// The head of a message whose payload, if any, will follow it; refused if the frame would be longer than `frame_bytes_max`.
///
/// `payload` are the entries that an `AppendEntries` names, or the chunk of an `InstallSnapshot`; beside another message it is left
/// out. `version` is the one that the receiver can read: that of its connection, if there was a handshake.
[[nodiscard]] inline Result<FrameHead, FrameError> encode(Route const& route, Rpc const& rpc, Payload const& payload,
                                                          std::uint32_t frame_bytes_max,
                                                          std::uint8_t  version = frame_version)
{
    auto const payload_bytes = payload_bytes_of(rpc, payload);
    if (payload_bytes > frame_bytes_max)
        return Unexpected{FrameError::oversized};
    auto const head = make_head(kind_of(rpc), route, payload_bytes, version, [&](ByteWriter& fields) {
        with_alternative(rpc, [&](auto const& message) { write_field(fields, message); });
        if (auto const* const chunk = std::get_if<InstallSnapshot>(&rpc); chunk != nullptr and chunk->bytes > 0)
            fields.number(checksum_of(payload)); // Entries bring their own.
    });
    if (head.bytes().size() + payload_bytes > frame_bytes_max)
        return Unexpected{FrameError::oversized};
    return head;
}

/// The head of a piece; `size` bytes of the frame follow it, from `piece.offset` on.
[[nodiscard]] inline FrameHead
encode(Route const& route, Piece const& piece, std::uint32_t size, std::uint8_t version = frame_version)
{
    return make_head(FrameKind::piece, route, size, version, [&](ByteWriter& fields) { write_field(fields, piece); });
}

/// A whole frame as one run of bytes, for a transport that cannot gather.
[[nodiscard]] inline std::vector<std::byte> join_frame(FrameHead const& head, Payload const& payload)
{
    auto bytes = std::vector<std::byte>{};
    bytes.reserve(head.bytes().size() + payload.bytes());
    bytes.insert(bytes.end(), head.bytes().begin(), head.bytes().end());
    for (auto const& slice : payload.slices())
        bytes.insert(bytes.end(), slice.bytes.begin(), slice.bytes.end());
    return bytes;
}

} // namespace totora::inline v0
