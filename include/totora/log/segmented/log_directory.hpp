// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// The file that makes a directory a log: cluster, id, incarnation, group, the features that a reader needs (8 bytes each), then
/// `encode_peers(first_members)`.
inline constexpr std::string_view identity_name = "identity";
inline constexpr FileMagic        identity_magic{"totoraid"};
inline constexpr std::size_t      identity_numbers_size = 40; ///< What stands before the first members.

/// The file that counts the starts.
inline constexpr std::string_view run_name = "run";
inline constexpr FileMagic        run_magic{"totorarn"};

/// What is known of the newest start of a process on this directory, and what was durable then for sure.
///
/// The content of the file "run": start, generation, batch (8 bytes each), clean (1 byte).
struct StartMark
{
    std::uint64_t start = 0;      ///< Counts the starts, from 1 on.
    std::uint64_t generation = 0; ///< The segment that was written to; 0 if there was none yet.
    std::uint64_t batch = 0;      ///< Everything up to this batch is durable.
    bool          clean = false;  ///< The process stopped cleanly, and `batch` is the last one.

    friend constexpr bool operator==(StartMark const&, StartMark const&) = default;
};

/// No log lives long enough to reach this generation: a file that has it is none of ours, and those after it would wrap.
inline constexpr std::uint64_t generation_end = std::uint64_t{1} << 63U;

[[nodiscard]] inline std::string segment_name(std::uint64_t generation)
{
    auto name = std::string{"segment-"};
    for (auto digit = 16U; digit-- > 0;)
        name.push_back("0123456789abcdef"[generation >> 4U * digit & 0xFU]);
    return name;
}

/// The generation of the segment of this name; nothing if it is no segment's name.
[[nodiscard]] inline std::optional<std::uint64_t> generation_of(std::string_view name)
{
    auto       generation = std::uint64_t{0};
    auto const prefix = std::string_view{"segment-"};
    if (name.size() != 24 or not name.starts_with(prefix))
        return std::nullopt;
    std::from_chars(name.data() + prefix.size(), name.data() + name.size(), generation, 16);
    return segment_name(generation) == name ? std::optional{generation} : std::nullopt;
}

/// Writes `StartMark`.
template <log_files Files>
[[nodiscard]] Result<Done, FileError> write_run_mark(Files& files, StartMark const& mark)
{
    auto  bytes = std::vector<std::byte>(25);
    auto* to = put(put(put(bytes.data(), mark.start), mark.generation), mark.batch);
    put(to, static_cast<std::uint8_t>(mark.clean ? 1 : 0));
    return write_sealed(files, run_name, run_magic, bytes);
}

/// Reads `StartMark`; its zero value if no process ever started here.
template <log_files Files>
[[nodiscard]] Result<StartMark, LogError> read_run_mark(Files& files)
{
    auto const names = files.names();
    if (not names)
        return log_failure(LogFailure::read_failed, names.error());
    if (std::find(names->begin(), names->end(), run_name) == names->end())
        return StartMark{};
    auto const bytes = read_sealed(files, run_name, run_magic);
    if (not bytes)
        return Unexpected{bytes.error()};
    if (bytes->size() < 25)
        return log_failure(LogFailure::damaged, "The file run is too short. Restore the directory.");
    auto const* const from = bytes->data();
    return StartMark{get<std::uint64_t>(from), get<std::uint64_t>(from + 8), get<std::uint64_t>(from + 16),
                     get<std::uint8_t>(from + 24) != 0};
}

/// Counts a start of a process that keeps no log in this directory, and returns its number: durable, and different
/// for every start. A `SegmentedLog` does it by itself.
template <log_files Files>
[[nodiscard]] Result<std::uint64_t, LogError> count_start(Files& files)
{
    auto mark = read_run_mark(files);
    if (not mark)
        return Unexpected{mark.error()};
    ++mark->start;
    if (auto const written = write_run_mark(files, *mark); not written)
        return log_failure(LogFailure::write_failed, written.error());
    return mark->start;
}

/// What is wrong with the identity of a log that is to be made; empty if nothing is. A server that is one of the first
/// members is named among them, in this life of its log; one that is none names nobody, and waits to be let in.
[[nodiscard]] inline std::string fault_of_new(Identity const& identity)
{
    auto        fault = fault_in(identity);
    auto const& peers = identity.first_members;
    auto const  is_self = [&](Peer const& peer) {
        return peer.member.id == identity.id and peer.member.incarnation == identity.incarnation;
    };
    if (fault.empty() and not peers.empty() and std::none_of(peers.begin(), peers.end(), is_self))
        fault = "the first members do not name it in this incarnation";
    return fault;
}

/// Makes the directory a log, once: `already_exists` if it is one, `unsupported` if `identity` is not as `Identity` asks. After
/// a crash in the middle no log was made.
template <log_files Files>
[[nodiscard]] Result<Done, LogError> create_log(Files& files, Identity const& identity)
{
    if (auto const fault = fault_of_new(identity); not fault.empty())
        return log_failure(LogFailure::unsupported, "No log can be made for this server: " + fault + ".");
    auto const names = files.names();
    if (not names)
        return log_failure(LogFailure::read_failed, names.error());
    for (auto const& name : *names)
        if (name == identity_name or generation_of(name))
            return log_failure(LogFailure::already_exists,
                               "There is a log already (file " + name +
                                   "), and a new one would forget what it promised. Start a server on it, or name "
                                   "another directory.");
    auto const peers = encode_peers(identity.first_members);
    auto       bytes = std::vector<std::byte>(identity_numbers_size + peers.size());
    auto*      to = put(put(put(bytes.data(), identity.cluster.value), identity.id.value), identity.incarnation.value);
    to = put(put(to, identity.group), std::uint64_t{0});
    std::copy(peers.begin(), peers.end(), to);
    if (auto const written = write_sealed(files, identity_name, identity_magic, bytes); not written)
        return log_failure(LogFailure::write_failed, written.error());
    return Done{};
}

/// Whose log the directory is: `not_found` if it is none. What a transport needs to know before the log is opened.
template <log_files Files>
[[nodiscard]] Result<Identity, LogError> read_identity(Files& files)
{
    auto const names = files.names();
    if (not names)
        return log_failure(LogFailure::read_failed, names.error());
    if (std::find(names->begin(), names->end(), identity_name) == names->end())
        return log_failure(LogFailure::not_found, "There is no log here (no file identity).");
    auto const bytes = read_sealed(files, identity_name, identity_magic);
    if (not bytes)
        return Unexpected{bytes.error()};
    if (bytes->size() >= identity_numbers_size and (get<std::uint64_t>(bytes->data() + 32) & ~known_features) != 0)
        return log_failure(
            LogFailure::foreign_format,
            "The file identity asks for something that only a newer version of this program knows: start that "
            "one.");
    auto peers = bytes->size() < identity_numbers_size ? std::nullopt
                                                       : decode_peers(std::span{*bytes}.subspan(identity_numbers_size));
    if (not peers)
        return log_failure(LogFailure::damaged,
                           "The file identity names no members that can be read. Restore the directory.");
    auto const* const from = bytes->data();
    return Identity{ClusterId{get<std::uint64_t>(from)}, ServerId{get<std::uint64_t>(from + 8)},
                    Incarnation{get<std::uint64_t>(from + 16)}, std::move(*peers), get<std::uint64_t>(from + 24)};
}

} // namespace totora::inline v0
