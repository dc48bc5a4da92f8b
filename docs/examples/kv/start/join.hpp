// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "invocation.hpp"
#include "options.hpp"

#include "totora/core/values/result.hpp"
#include "totora/data/identity.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace kv
{

/// The id of a cluster as INFO shows it: 16 hexadecimal digits.
[[nodiscard]] inline std::optional<totora::ClusterId> parse_cluster_id(std::string_view text)
{
    auto const* const end = text.data() + text.size();
    auto              id = std::uint64_t{0};
    auto const [stopped_at, failure] = std::from_chars(text.data(), end, id, 16);
    if (text.size() != 16 or failure != std::errc{} or stopped_at != end)
        return std::nullopt;
    return totora::ClusterId{id};
}

/// The words after `kv init`, one of which is --join.
[[nodiscard]] inline totora::Result<Invocation, std::string> parse_join(std::span<std::string_view const> words)
{
    auto const options =
        Options::read(words, {"--cluster-id", "--id", "--dir", "--cluster", "--peers", "--token"}, {"--join"});
    if (not options)
        return Complaining{options.error()};
    for (auto const name : {"--cluster", "--peers", "--token"})
        if (options->find(name))
            return Complaining{std::string{name} + " is for the first servers of a cluster: with --join, give the " +
                               "--cluster-id that INFO of a member shows as raft_cluster_id"};
    if (auto const name = options->missing({"--cluster-id", "--id", "--dir"}))
        return Complaining{"kv init --join needs the option " + std::string{*name}};
    auto const cluster = parse_cluster_id(*options->find("--cluster-id"));
    if (not cluster)
        return Complaining{"the --cluster-id '" + std::string{*options->find("--cluster-id")} +
                           "' is not 16 hexadecimal digits, as INFO of a member shows them as raft_cluster_id"};
    auto const id = parse_number(*options->find("--id"), 1, totora::number_max);
    if (not id)
        return Complaining{"the --id '" + std::string{*options->find("--id")} + "' is not a number from 1 on"};
    auto const directory = *options->find("--dir");
    if (directory.empty())
        return Complaining{std::string{"--dir needs the name of a directory"}};
    return Invocation{Join{*cluster, totora::ServerId{*id}, std::string{directory}}};
}

/// A number for one life of a server's log, which no other one has. Nobody counts: a count would be lost with the disk.
[[nodiscard]] inline totora::Incarnation draw_incarnation()
{
    auto device = std::random_device{};
    auto number = std::uint64_t{0};
    while (number <= totora::first_incarnation.value) // Those of first members, and of nobody.
        number = std::uint64_t{device()} << 32U | device();
    return totora::Incarnation{number};
}

} // namespace kv
