// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/core/values/result.hpp"
#include "totora/data/checksum.hpp"
#include "totora/data/configuration_entry.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/wire/bytes.hpp"
#include "totora/wire/fields.hpp"
#include "totora/wire/frame.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <variant>

namespace totora::inline v0
{

/// The header of a frame, read and intact.
struct FrameHeader
{
    std::uint8_t  version = frame_version;
    std::uint8_t  kind = 0; ///< Perhaps of a later version.
    std::uint32_t body_size = 0;
    std::uint32_t fields_size = 0; ///< Part of the body.
    Route         route;
    std::uint32_t fields_checksum = 0;

    /// How many bytes the frame has in all.
    [[nodiscard]] constexpr std::uint64_t frame_size() const { return frame_header_size + std::uint64_t{body_size}; }
};

/// Reads the header that `bytes` begin with. Its lengths can be relied on: it is intact, and within the limit.
[[nodiscard]] inline Result<FrameHeader, FrameError>
decode_header(std::span<std::byte const> bytes, std::uint32_t frame_bytes_max)
{
    if (bytes.size() >= sizeof frame_magic and get<std::uint32_t>(bytes.data()) != frame_magic)
        return Unexpected{FrameError::foreign_magic};
    if (bytes.size() < frame_header_size)
        return Unexpected{FrameError::truncated};

    auto reader = ByteReader{bytes.first(frame_header_size).subspan(sizeof frame_magic)};
    auto header = FrameHeader{};
    header.version = reader.number<std::uint8_t>();
    header.kind = reader.number<std::uint8_t>();
    auto const flags = reader.number<std::uint16_t>();
    header.body_size = reader.number<std::uint32_t>();
    header.fields_size = reader.number<std::uint32_t>();
    header.route.cluster.value = reader.number<std::uint64_t>();
    header.route.group = reader.number<std::uint64_t>();
    for (auto* const party : {&header.route.sender, &header.route.addressee}) {
        party->id.value = reader.number<std::uint64_t>();
        party->incarnation.value = reader.number<std::uint64_t>();
    }
    header.fields_checksum = reader.number<std::uint32_t>();
    auto const checksum = reader.number<std::uint32_t>();

    // A later version may have another header, so that its checksum is not ours to check.
    if (header.version > frame_version)
        return Unexpected{FrameError::newer_version};
    if (checksum != crc32c(bytes.first(frame_header_size - sizeof checksum)))
        return Unexpected{FrameError::bad_checksum};
    if (header.frame_size() > frame_bytes_max)
        return Unexpected{FrameError::oversized};
    if (header.version < frame_version_lowest or flags != 0 or header.fields_size > header.body_size or
        header.route.sender.id == nobody or header.route.addressee.id == nobody)
        return Unexpected{FrameError::bad_field};
    return header;
}

/// Why an entry is not the one that stands at this place of an append; nothing if it is.
[[nodiscard]] inline std::optional<FrameError>
refuse_entry(EntryView const& entry, Index index, AppendEntries const& append)
{
    if (not is_intact(entry))
        return FrameError::bad_checksum;
    if (entry.index != index or entry.term != append.entries.term)
        return FrameError::bad_entry;

    if (not is_known(entry))
        return FrameError::newer_entry;
    if (entry.kind == EntryKind::configuration and not decode_configuration(entry))
        return FrameError::bad_entry;
    return std::nullopt;
}

/// Why bytes are not the entries that an append names, one after the other; nothing if they are.
[[nodiscard]] inline std::optional<FrameError>
refuse_entries(std::span<std::byte const> bytes, AppendEntries const& append)
{
    for (auto at = std::uint64_t{0}; at < append.entries.count; ++at) {
        auto const entry = view_entry(bytes);
        if (not entry)
            return FrameError::bad_entry;
        if (auto const refusal = refuse_entry(*entry, append.entries.first + at, append))
            return refusal;
        bytes = bytes.subspan(entry->encoded.size());
    }
    return bytes.empty() ? std::nullopt : std::optional{FrameError::bad_entry};
}

/// Reads the body of an rpc of this type.
template <typename Message>
[[nodiscard]] Result<Frame, FrameError>
decode_rpc(FrameHeader const& header, std::span<std::byte const> body, std::shared_ptr<void const> pin)
{
    auto message = Message{};
    auto reader = ByteReader{body.first(header.fields_size)};
    read_field(reader, message);
    auto checksum = std::uint32_t{0};
    if constexpr (std::same_as<Message, InstallSnapshot>)
        checksum = message.bytes > 0 ? reader.number<std::uint32_t>() : checksum;
    if (not reader.complete())
        return Unexpected{FrameError::bad_field};

    auto       frame = Frame{.route = header.route, .content = Rpc{message}};
    auto const payload = body.subspan(header.fields_size);
    if constexpr (std::same_as<Message, AppendEntries>) {
        if (auto const refusal = refuse_entries(payload, message))
            return Unexpected{*refusal};
        frame.entries.add({std::move(pin), payload}, message.entries.count);
    } else if constexpr (std::same_as<Message, InstallSnapshot>) {
        if (payload.size() != message.bytes)
            return Unexpected{FrameError::bad_field};
        if (crc32c(payload) != checksum)
            return Unexpected{FrameError::bad_checksum};
        if (not payload.empty())
            frame.chunk = {std::move(pin), payload};
    } else if (not payload.empty()) {
        return Unexpected{FrameError::bad_field};
    }
    return frame;
}

/// Reads the body of an rpc of any type; `which` are all of them.
template <std::size_t... which>
[[nodiscard]] Result<Frame, FrameError> decode_rpc(FrameHeader const& header, std::span<std::byte const> body,
                                                   std::shared_ptr<void const> pin, std::index_sequence<which...>)
{
    using Decode =
        Result<Frame, FrameError> (*)(FrameHeader const&, std::span<std::byte const>, std::shared_ptr<void const>);
    constexpr auto decoders =
        std::array<Decode, sizeof...(which)>{&decode_rpc<std::variant_alternative_t<which, Rpc>>...};
    for (auto at = std::size_t{0}; at < rpc_kinds.size(); ++at)
        if (static_cast<FrameKind>(header.kind) == rpc_kinds[at])
            return decoders[at](header, body, std::move(pin));
    return Unexpected{FrameError::unknown_kind};
}

/// Reads the fields of a piece whose header was read; what is left of `body` after them is the piece.
[[nodiscard]] inline Result<Piece, FrameError> decode_piece(FrameHeader const& header, std::span<std::byte const> body)
{
    if (header.fields_size != piece_fields_size)
        return Unexpected{FrameError::bad_field};
    auto const fields = body.first(header.fields_size);
    if (crc32c(fields) != header.fields_checksum)
        return Unexpected{FrameError::bad_checksum};
    auto reader = ByteReader{fields};
    auto piece = Piece{};
    read_field(reader, piece);
    return piece;
}

/// Reads the body of a frame whose header was read; `body` is all of it. Its payload stays where it is, kept by `pin`.
[[nodiscard]] inline Result<Frame, FrameError>
decode_body(FrameHeader const& header, std::span<std::byte const> body, std::shared_ptr<void const> pin)
{
    if (body.size() < header.body_size)
        return Unexpected{FrameError::truncated};
    if (body.size() > header.body_size)
        return Unexpected{FrameError::bad_field};
    auto const fields = body.first(header.fields_size);
    if (crc32c(fields) != header.fields_checksum)
        return Unexpected{FrameError::bad_checksum};

    auto const alone = [&](auto content, bool read) -> Result<Frame, FrameError> {
        if (not read or header.fields_size != header.body_size)
            return Unexpected{FrameError::bad_field};
        return Frame{.route = header.route, .content = std::move(content)};
    };
    auto reader = ByteReader{fields};
    switch (static_cast<FrameKind>(header.kind)) {
    case FrameKind::hello: {
        auto hello = Hello{};
        read_field(reader, hello);
        return alone(hello, not reader.failed()); // What follows the fields that we know is of a later version.
    }
    case FrameKind::confirmation: {
        auto confirmation = Confirmation{};
        read_field(reader, confirmation);
        return alone(confirmation, reader.complete());
    }
    case FrameKind::refusal: {
        auto refusal = HandshakeError{};
        read_field(reader, refusal);
        if (refusal.because > HandshakeFault::two_lives)
            refusal.because = HandshakeFault::other;
        return alone(std::move(refusal), reader.complete());
    }
    case FrameKind::piece: // A piece alone is no frame: the reader of a stream puts them together.
        return Unexpected{FrameError::bad_piece};
    default:
        return decode_rpc(header, body, std::move(pin), std::make_index_sequence<rpc_kinds.size()>{});
    }
}

/// Reads one whole frame, from any bytes at all. Nothing is allocated from a length that was not checked.
///
/// `pin` keeps `bytes` alive and unchanged: entries and chunks are cut from them, and copied nowhere.
[[nodiscard]] inline Result<Frame, FrameError> decode(std::span<std::byte const> bytes, std::shared_ptr<void const> pin,
                                                      std::uint32_t frame_bytes_max = FrameLimits{}.frame_bytes_max)
{
    auto const header = decode_header(bytes, frame_bytes_max);
    if (not header)
        return Unexpected{header.error()};
    return decode_body(*header, bytes.subspan(frame_header_size), std::move(pin));
}

} // namespace totora::inline v0
