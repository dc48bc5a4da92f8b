// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/wire/bytes.hpp"
#include "totora/wire/frame.hpp"

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace totora::inline v0
{

/// The fields of each message, named once for both directions: `visit` is a `ByteWriter` or a `ByteReader`.
template <typename Visit, typename Message>
void visit_fields(Visit& visit, Message& message)
{
    using M = std::remove_const_t<Message>;
    if constexpr (std::same_as<M, RequestPreVote>) {
        visit(message.term);
        visit(message.last_log);
        visit(message.round);
    } else if constexpr (std::same_as<M, RequestPreVoteResponse>) {
        visit(message.term);
        visit(message.round);
        visit(message.vote_granted);
    } else if constexpr (std::same_as<M, RequestVote>) {
        visit(message.term);
        visit(message.last_log);
        visit(message.transfer);
    } else if constexpr (std::same_as<M, RequestVoteResponse>) {
        visit(message.term);
        visit(message.vote_granted);
    } else if constexpr (std::same_as<M, AppendEntries>) {
        visit(message.term);
        visit(message.previous);
        visit(message.entries);
        visit(message.leader_commit);
        visit(message.round);
        visit(message.number);
        visit(message.committed);
    } else {
        static_assert(std::same_as<M, AppendEntriesResponse>);
        visit(message.term);
        visit(message.success);
        visit(message.match);
        visit(message.conflict_hint);
        visit(message.round);
        visit(message.number);
        visit(message.no_room);
    }
}

inline void write_fields(ByteWriter& writer, Hello const& hello)
{
    writer.number(hello.version_lowest);
    writer.number(hello.version_highest);
    writer.number(hello.limits.servers_max);
    writer.number(hello.limits.entry_bytes_max);
    writer.number(hello.limits.frame_bytes_max);
    writer.number(hello.features.may_ignore);
    writer.number(hello.features.must_understand);
    writer.number(hello.life.start);
    writer.number(hello.life.process);
    writer.number(hello.challenge);
    writer.number(static_cast<std::uint8_t>(hello.first_members.size()));
    for (auto const& [id, incarnation, kind] : hello.first_members) {
        writer.number(id.value);
        writer.number(incarnation.value);
        writer.number(static_cast<std::uint8_t>(kind));
    }
}

[[nodiscard]] inline Hello read_hello(ByteReader& reader)
{
    auto hello = Hello{};
    hello.version_lowest = reader.number<std::uint8_t>();
    hello.version_highest = reader.number<std::uint8_t>();
    hello.limits.servers_max = reader.number<std::uint32_t>();
    hello.limits.entry_bytes_max = reader.number<std::uint32_t>();
    hello.limits.frame_bytes_max = reader.number<std::uint32_t>();
    hello.features.may_ignore = reader.number<std::uint64_t>();
    hello.features.must_understand = reader.number<std::uint64_t>();
    hello.life.start = reader.number<std::uint64_t>();
    hello.life.process = reader.number<std::uint64_t>();
    hello.challenge = reader.number<std::uint64_t>();
    for (auto count = reader.number<std::uint8_t>(); count > 0; --count) {
        auto member = Member{};
        member.id.value = reader.number<std::uint64_t>();
        member.incarnation.value = reader.number<std::uint64_t>();
        member.kind = static_cast<MemberKind>(reader.number<std::uint8_t>());
        static_cast<void>(hello.first_members.push_back(member));
    }
    return hello;
}

inline void write_fields(ByteWriter& writer, Confirmation const& confirmation) { writer.number(confirmation.answer); }

[[nodiscard]] inline Confirmation read_confirmation(ByteReader& reader) { return {reader.number<std::uint64_t>()}; }

inline void write_fields(ByteWriter& writer, Piece const& piece)
{
    writer.number(piece.offset);
    writer.number(piece.frame_size);
}

[[nodiscard]] inline Piece read_piece(ByteReader& reader)
{
    auto piece = Piece{};
    piece.offset = reader.number<std::uint32_t>();
    piece.frame_size = reader.number<std::uint32_t>();
    return piece;
}

inline void write_fields(ByteWriter& writer, HandshakeError const& refusal)
{
    writer.number(static_cast<std::uint8_t>(refusal.because));
    writer.text(refusal.what);
}

[[nodiscard]] inline HandshakeError read_refusal(ByteReader& reader)
{
    auto const because = reader.number<std::uint8_t>();
    auto const known = because <= static_cast<std::uint8_t>(HandshakeFault::two_lives);
    return {.because = known ? static_cast<HandshakeFault>(because) : HandshakeFault::other, .what = reader.text()};
}

} // namespace totora::inline v0
