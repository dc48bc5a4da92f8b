// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/bytes.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/data/configuration_entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/wire/codec.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Frames for the tests of codec and transports.
namespace totora::test
{

/// What is agreed in the configurations below.
inline constexpr auto agreed_in_frames = Abilities{.machine = 2};

inline constexpr auto any_cluster = cluster_of("a cluster");
inline constexpr auto route_1_to_2 = Route{.cluster = any_cluster,
                                           .group = 0,
                                           .sender = {ServerId{1}, Incarnation{11}},
                                           .addressee = {ServerId{2}, Incarnation{22}}};

/// One entry to be made: its kind and its payload.
struct EntryPlan
{
    EntryKind              kind = EntryKind::command;
    std::vector<std::byte> payload;
};

/// Encoded entries from `first` on, one slice of one block each.
[[nodiscard]] inline Entries make_entries(Term term, Index first, std::vector<EntryPlan> const& plans)
{
    auto entries = Entries{};
    auto index = first;
    for (auto const& [kind, payload] : plans) {
        auto const block = std::make_shared<std::vector<std::byte>>(entry_header_size + payload.size());
        std::copy(payload.begin(), payload.end(), block->begin() + std::ptrdiff_t{entry_header_size});
        seal_entry(*block, index, term, kind, 1'700'000'000'000);
        entries.add({block, *block}, 1);
        index = next(index);
    }
    return entries;
}

/// An append of commands with these payloads, and its entries.
struct AppendWithEntries
{
    AppendEntries rpc;
    Entries       entries;
};

[[nodiscard]] inline AppendWithEntries make_append(Term term, Index first, std::vector<EntryPlan> const& plans)
{
    auto const run = Run{term, first, plans.size()};
    return {AppendEntries{.term = term,
                          .previous = {term, before(first)},
                          .entries = run,
                          .leader_commit = before(first),
                          .round = Round{3},
                          .number = AppendNumber{4},
                          .committed = next(first)},
            make_entries(term, first, plans)};
}

/// Members 1 to `count`, the last of several a learner.
[[nodiscard]] inline std::vector<Peer> make_peers(std::size_t count)
{
    auto peers = std::vector<Peer>{};
    for (auto id = std::uint64_t{1}; id <= count; ++id) {
        auto const kind = count > 1 and id == count ? MemberKind::learner : MemberKind::voter;
        peers.push_back({{ServerId{id}, Incarnation{id * 11}, kind}, "10.0.0.1:7001"});
    }
    return peers;
}

/// An append of three entries whose second is a configuration of `members` members.
[[nodiscard]] inline AppendWithEntries make_configuration_append(Term term, Index first, std::size_t members)
{
    auto const peers = make_peers(members);
    return make_append(term, first,
                       {{EntryKind::no_op, {}},
                        {EntryKind::configuration, encode_configuration(agreed_in_frames, peers)},
                        {EntryKind::command, bytes_of("payload")}});
}

/// A frame in one piece. A frame of any size is made, so that receivers can be shown one that is too long.
[[nodiscard]] inline std::vector<std::byte>
to_frame(Rpc const& rpc, Entries const& entries = {}, Route const& route = route_1_to_2)
{
    return join_frame(*encode(route, rpc, entries, UINT32_MAX), entries);
}

/// The frame of a message with a chunk.
[[nodiscard]] inline std::vector<std::byte> chunk_to_frame(InstallSnapshot const& rpc, PinnedBytes const& chunk)
{
    auto const payload = Payload{chunk};
    return join_frame(*encode(route_1_to_2, rpc, payload, UINT32_MAX), payload);
}

/// A piece of a frame: `size` bytes of it from `offset` on.
[[nodiscard]] inline std::vector<std::byte>
to_piece(std::vector<std::byte> const& frame, std::size_t offset, std::size_t size, Route const& route = route_1_to_2)
{
    auto const head = encode(route, Piece{static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(frame.size())},
                             static_cast<std::uint32_t>(size));
    auto       bytes = std::vector<std::byte>(head.bytes().begin(), head.bytes().end());
    auto const part = std::span{frame}.subspan(offset, size);
    bytes.insert(bytes.end(), part.begin(), part.end());
    return bytes;
}

/// A frame as it travels: in pieces if it is long.
[[nodiscard]] inline std::vector<std::byte>
to_stream(std::vector<std::byte> const& frame, Route const& route = route_1_to_2)
{
    if (frame.size() <= whole_frame_max)
        return frame;
    auto stream = std::vector<std::byte>{};
    for (auto at = std::size_t{0}; at < frame.size(); at += piece_bytes_max) {
        auto const piece = to_piece(frame, at, std::min<std::size_t>(piece_bytes_max, frame.size() - at), route);
        stream.insert(stream.end(), piece.begin(), piece.end());
    }
    return stream;
}

/// Reads a frame from a copy that it keeps.
[[nodiscard]] inline Result<Frame, FrameError> read_frame(std::vector<std::byte> bytes)
{
    auto const block = std::make_shared<std::vector<std::byte>>(std::move(bytes));
    return decode(*block, block);
}

/// A hello of a server that reads these versions.
[[nodiscard]] inline Hello hello_of(std::uint8_t lowest, std::uint8_t highest, FrameLimits limits = {})
{
    auto hello = Hello{};
    hello.version_lowest = lowest;
    hello.version_highest = highest;
    hello.limits = limits;
    return hello;
}

/// A hello with ordinary values in every field.
[[nodiscard]] inline Hello sample_hello()
{
    auto hello = Hello{};
    hello.features.may_ignore = 0x8001;
    hello.life = {.start = 7, .process = 0x1122334455667788};
    hello.challenge = 0x99AABBCCDDEEFF00;
    hello.first_members = members_of(make_peers(3));
    return hello;
}

/// One frame of each kind, with ordinary values.
struct Sample
{
    std::string            name;
    std::vector<std::byte> bytes;
};

[[nodiscard]] inline std::vector<Sample> sample_frames()
{
    auto const commands = make_append(Term{7}, Index{41},
                                      {{EntryKind::command, bytes_of("one")},
                                       {EntryKind::command, {}},
                                       {EntryKind::command, bytes_of(std::string(100, 'x'))}});
    auto const heartbeat = make_append(Term{7}, Index{41}, {});
    auto const change = make_configuration_append(Term{7}, Index{41}, 3);
    auto const whole_head = [](FrameHead const& head) {
        return std::vector<std::byte>(head.bytes().begin(), head.bytes().end());
    };
    return {
        {"Hello", whole_head(encode(route_1_to_2, sample_hello()))},
        {"Confirmation", whole_head(encode(route_1_to_2, Confirmation{0x99AABBCCDDEEFF00}))},
        {"HandshakeError",
         whole_head(encode(route_1_to_2, HandshakeError{HandshakeFault::another_cluster, "another cluster"}))},
        {"RequestPreVote", to_frame(RequestPreVote{Term{7}, {Term{6}, Index{40}}, Round{9}})},
        {"RequestPreVoteResponse", to_frame(RequestPreVoteResponse{Term{7}, Round{9}, true, {Term{6}, Index{40}}})},
        {"RequestVote", to_frame(RequestVote{Term{7}, {Term{6}, Index{40}}, true})},
        {"RequestVoteResponse", to_frame(RequestVoteResponse{Term{7}, true})},
        {"AppendEntries, no entries", to_frame(heartbeat.rpc)},
        {"AppendEntries", to_frame(commands.rpc, commands.entries)},
        {"AppendEntries, configuration", to_frame(change.rpc, change.entries)},
        {"AppendEntriesResponse",
         to_frame(
             AppendEntriesResponse{Term{7}, false, Index{40}, {Term{6}, Index{39}}, Round{3}, AppendNumber{4}, true})},
        {"InstallSnapshot",
         to_frame(InstallSnapshot{Term{7}, {{Term{6}, Index{40}}, 100'000, 0x99AABBCCDDEEFF00}, 65'536, 0})},
        {"InstallSnapshotResponse",
         to_frame(
             InstallSnapshotResponse{Term{7}, {{Term{6}, Index{40}}, 100'000, 0x99AABBCCDDEEFF00}, 65'536, Index{40}})},
        {"TimeoutNow", to_frame(TimeoutNow{Term{7}, {Term{6}, Index{40}}})},
    };
}

/// Makes the checksums of header and fields right again after a change of either.
inline void reseal(std::vector<std::byte>& frame)
{
    auto const bytes = std::span<std::byte>{frame};
    auto const fields = get<std::uint32_t>(bytes.data() + 12);
    put(bytes.data() + 64, crc32c(bytes.subspan(frame_header_size, fields)));
    put(bytes.data() + 68, crc32c(bytes.first(68)));
}

/// Makes the checksum of the entry at `offset` right again.
inline void reseal_entry(std::vector<std::byte>& frame, std::size_t offset)
{
    auto const entry = view_entry(std::span<std::byte const>{frame}.subspan(offset));
    put(frame.data() + offset + 36, entry_checksum(entry->encoded));
}

} // namespace totora::test
