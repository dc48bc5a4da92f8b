// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/log/segmented/segment_name.hpp"
#include "totora/log/segmented/start_mark.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"

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

/// The file that makes a directory a log: cluster, id, incarnation, group, the features that a reader needs (8 bytes
/// each), then `encode_peers(first_members)`.
inline constexpr std::string_view identity_name = "identity";
inline constexpr FileMagic        identity_magic{"totoraid"};
inline constexpr std::size_t      identity_numbers_size = 40; ///< The bytes before the first members.

/// What is wrong with the identity of a new log; empty if nothing is. A server among the first members is named there
/// in this incarnation; one that joins later has no first members, and waits to be added.
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

/// Makes the directory a log, once: `already_exists` if it is one, `unsupported` if `identity` breaks the invariants of
/// `Identity`. A crash meanwhile leaves either no log or a complete one.
template <log_files Files>
[[nodiscard]] Result<Done, LogError> create_log(Files& files, Identity const& identity)
{
    if (auto const fault = fault_of_new(identity); not fault.empty())
        return log_failure(LogFailure::unsupported, "No log can be made for this server: " + fault + ".");
    auto const names = files.names();
    if (not names)
        return not_read(names.error());
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

/// The server whose log the directory is: `not_found` if it is none. A transport needs it before the log is opened.
template <log_files Files>
[[nodiscard]] Result<Identity, LogError> read_identity(Files& files)
{
    auto const names = files.names();
    if (not names)
        return not_read(names.error());
    if (std::find(names->begin(), names->end(), identity_name) == names->end())
        return log_failure(LogFailure::not_found, "There is no log here (no file identity).");
    auto const bytes = read_sealed(files, identity_name, identity_magic);
    if (not bytes)
        return Unexpected{bytes.error()};
    if (bytes->size() >= identity_numbers_size and
        (get<std::uint64_t>(bytes->data() + 32) & ~known_identity_features) != 0)
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

/// Counts a start of a process that keeps no log in this directory, and returns its number: durable, and different
/// for every start. A `SegmentedLog` counts its own.
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

} // namespace totora::inline v0
