// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "invocation.hpp"
#include "join.hpp"
#include "options.hpp"

#include "totora/core/values/result.hpp"
#include "totora/data/identity.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace kv
{

/// The first members of a cluster.
[[nodiscard]] inline totora::Result<std::vector<totora::Peer>, std::string> parse_peers(std::string_view text)
{
    auto peers = parse_peer_list("--peers", text);
    if (not peers)
        return peers;
    if (peers->size() > totora::servers_max)
        return Complaining{"--peers names more than " + std::to_string(totora::servers_max) + " servers"};
    if (not totora::configuration_of(totora::Index{}, *peers))
        return Complaining{std::string{"--peers must name at least one server, and none twice"}};
    return peers;
}

/// Who a server is, out of --cluster, --id and --peers, which are all there.
[[nodiscard]] inline totora::Result<Init, std::string> parse_identity(Options const& options)
{
    auto init = Init{};
    init.cluster = *options.find("--cluster");
    if (init.cluster.empty())
        return Complaining{std::string{"--cluster needs a name that is not empty"}};
    if (auto const token = options.find("--token")) {
        if (token->empty())
            return Complaining{std::string{"--token needs a text that is not empty: leave it out if there is none"}};
        init.token = *token;
    }
    auto const id = parse_number(*options.find("--id"), 1, totora::number_max);
    if (not id)
        return Complaining{"the --id '" + std::string{*options.find("--id")} + "' is not a number from 1 on"};
    init.id = totora::ServerId{*id};
    auto peers = parse_peers(*options.find("--peers"));
    if (not peers)
        return Complaining{peers.error()};
    init.peers = *std::move(peers);
    if (not totora::address_of(init.peers, init.id))
        return Complaining{"--peers does not name the server itself, " + std::to_string(init.id.value)};
    return init;
}

[[nodiscard]] inline totora::Result<Invocation, std::string> parse_init(std::span<std::string_view const> words)
{
    auto const options = Options::read(words, {"--cluster", "--id", "--peers", "--dir", "--token"}, {});
    if (not options)
        return Complaining{options.error()};
    if (auto const name = options->missing({"--cluster", "--id", "--peers", "--dir"}))
        return Complaining{"kv init needs the option " + std::string{*name}};
    auto init = parse_identity(*options);
    if (not init)
        return Complaining{init.error()};
    init->directory = *options->find("--dir");
    if (init->directory.empty())
        return Complaining{std::string{"--dir needs the name of a directory"}};
    return Invocation{*std::move(init)};
}

/// Reads --election-ms, --heartbeat-ms and --timeout-ms; empty if they are sound, otherwise what is wrong.
[[nodiscard]] inline std::string read_times(Options const& options, Run& run)
{
    constexpr auto most = std::uint64_t{3'600'000};
    if (auto const text = options.find("--election-ms")) {
        auto const dots = std::min(text->find(".."), text->size());
        auto const least = parse_number(text->substr(0, dots), 1, most);
        auto const greatest = parse_number(text->substr(std::min(dots + 2, text->size())), 1, most);
        if (not least or not greatest or *least > *greatest)
            return "--election-ms '" + std::string{*text} + "' is not MIN..MAX in milliseconds, MIN not above MAX";
        run.election_ms_min = *least;
        run.election_ms_max = *greatest;
    }
    if (auto const text = options.find("--heartbeat-ms")) {
        auto const number = parse_number(*text, 1, most);
        if (not number)
            return "--heartbeat-ms '" + std::string{*text} + "' is not a number of milliseconds";
        run.heartbeat_ms = *number;
    }
    if (auto const text = options.find("--timeout-ms")) {
        auto const number = parse_number(*text, 1, most);
        if (not number)
            return "--timeout-ms '" + std::string{*text} + "' is not a number of milliseconds";
        run.timeout_ms = *number;
    }
    if (2 * run.heartbeat_ms >= run.election_ms_min)
        return "two heartbeats (--heartbeat-ms) must be shorter than the least election time (--election-ms)";
    return {};
}

/// Reads where to listen and where others are; empty if that is sound, otherwise what is wrong.
[[nodiscard]] inline std::string read_addresses(Options const& options, Run& run)
{
    auto const port = parse_number(*options.find("--client-port"), 0, 65'535);
    if (not port)
        return "the --client-port '" + std::string{*options.find("--client-port")} +
               "' is not a port from 0 to 65535 (0 takes any that is free)";
    run.client_port = static_cast<std::uint16_t>(*port);
    run.client_host = options.find("--client-host").value_or("");
    if (run.client_host.size() > totora::address_size_max - 6 or not is_host(run.client_host))
        return "--client-host '" + run.client_host + "' is no host";
    run.client_listen = options.find("--client-listen").value_or("");
    run.listen = options.find("--listen").value_or("");
    for (auto const* const name : {"--listen", "--client-listen"})
        if (auto const text = options.find(name); text and not totora::parse_address(*text))
            return std::string{name} + " '" + std::string{*text} +
                   "' is not the number of an address of this machine and a port, like 0.0.0.0:7001";
    if (not run.listen.empty() and not parse_peer_address(run.listen))
        return "--listen '" + run.listen + "' needs a port from 1 to 65535";
    if (auto const text = options.find("--peer-address")) {
        auto peers = parse_peer_list("--peer-address", *text);
        if (not peers)
            return peers.error();
        run.peer_addresses = *std::move(peers);
    }
    return {};
}

/// An option of `kv run` that is a number.
struct NumberOption
{
    std::string_view name;
    std::uint64_t    least;
    std::uint64_t    most;
    std::uint64_t Run::*field;
};

inline constexpr auto number_options = std::array{
    NumberOption{"--segment-mib", 1, 2048, &Run::segment_mib},
    NumberOption{"--scrub-mib", 0, 1'048'576, &Run::scrub_mib},
    NumberOption{"--snapshot-mib", 0, 1'048'576, &Run::snapshot_mib},
    NumberOption{"--keep-mib", 0, 1'048'576, &Run::keep_mib},
    NumberOption{"--clients-mib", 1, 1'048'576, &Run::clients_mib},
    NumberOption{"--clients", 1, 1'000'000, &Run::clients},
};

/// Reads --log and what belongs to it; empty if they are sound, otherwise what is wrong.
[[nodiscard]] inline std::string read_log(Options const& options, Run& run)
{
    if (auto const text = options.find("--log")) {
        if (*text != "memory" and *text != "segmented")
            return "--log is 'segmented' or 'memory', not '" + std::string{*text} + "'";
        run.log = *text == "memory" ? LogKind::memory : LogKind::segmented;
    }
    for (auto const& [name, least, most, field] : number_options)
        if (auto const text = options.find(name)) {
            auto const number = parse_number(*text, least, most);
            if (not number)
                return std::string{name} + " '" + std::string{*text} + "' is not a number from " +
                       std::to_string(least) + " to " + std::to_string(most);
            run.*field = *number;
        }
    run.skips_sync = options.find("--unsafe-no-sync").has_value();
    return {};
}

[[nodiscard]] inline totora::Result<Invocation, std::string> parse_run(std::span<std::string_view const> words)
{
    auto const options =
        Options::read(words, {"--dir",          "--client-port",  "--client-host",  "--client-listen", "--listen",
                              "--peer-address", "--election-ms",  "--heartbeat-ms", "--timeout-ms",    "--segment-mib",
                              "--scrub-mib",    "--snapshot-mib", "--keep-mib",     "--clients",       "--clients-mib",
                              "--log",          "--cluster",      "--id",           "--peers",         "--token"},
                      {"--unsafe-no-sync"});
    if (not options)
        return Complaining{options.error()};
    auto run = Run{};
    if (auto complaint = read_times(*options, run); not complaint.empty())
        return Complaining{std::move(complaint)};
    if (auto complaint = read_log(*options, run); not complaint.empty())
        return Complaining{std::move(complaint)};

    auto const in_memory = run.log == LogKind::memory;
    auto const needed = in_memory ? options->missing({"--cluster", "--id", "--peers", "--client-port"})
                                  : options->missing({"--dir", "--client-port"});
    if (needed)
        return Complaining{"kv run needs the option " + std::string{*needed} + (in_memory ? " with --log memory" : "")};
    for (auto const name : {"--cluster", "--id", "--peers", "--token"})
        if (not in_memory and options->find(name))
            return Complaining{std::string{name} + " stands in the directory since kv init: leave it out"};
    if (in_memory and options->find("--dir"))
        return Complaining{std::string{"--log memory keeps nothing in a directory: leave --dir out"}};
    if (in_memory) {
        auto trial = parse_identity(*options);
        if (not trial)
            return Complaining{trial.error()};
        run.trial = *std::move(trial);
    } else {
        run.directory = *options->find("--dir");
        if (run.directory.empty())
            return Complaining{std::string{"--dir needs the name of a directory"}};
    }

    if (auto complaint = read_addresses(*options, run); not complaint.empty())
        return Complaining{std::move(complaint)};
    return Invocation{std::move(run)};
}

[[nodiscard]] inline totora::Result<Invocation, std::string> parse_verify(std::span<std::string_view const> words)
{
    auto const options = Options::read(words, {"--dir"}, {"--json"});
    if (not options)
        return Complaining{options.error()};
    if (options->missing({"--dir"}))
        return Complaining{std::string{"kv verify needs the option --dir"}};
    auto const verify = Verify{std::string{*options->find("--dir")}, options->find("--json").has_value()};
    if (verify.directory.empty())
        return Complaining{std::string{"--dir needs the name of a directory"}};
    return Invocation{verify};
}

[[nodiscard]] inline totora::Result<Invocation, std::string> parse_export(std::span<std::string_view const> words)
{
    auto const options = Options::read(words, {"--dir", "--to"}, {"--online"});
    if (not options)
        return Complaining{options.error()};
    for (auto const* const name : {"--dir", "--to"})
        if (options->find(name).value_or("").empty())
            return Complaining{"kv export needs the option " + std::string{name}};
    return Invocation{Export{std::string{*options->find("--dir")}, std::string{*options->find("--to")},
                             options->find("--online").has_value()}};
}

[[nodiscard]] inline totora::Result<Invocation, std::string> parse_import(std::span<std::string_view const> words)
{
    if (words.empty() or words.front().starts_with("--"))
        return Complaining{std::string{"kv import needs the name of a file that kv export wrote"}};
    auto server = parse_init(words.subspan(1));
    if (not server)
        return Complaining{server.error()};
    return Invocation{Import{std::string{words.front()}, std::get<Init>(*std::move(server))}};
}

/// The command line, without the program's own name.
[[nodiscard]] inline totora::Result<Invocation, std::string> parse_arguments(std::span<std::string_view const> words)
{
    if (words.empty())
        return Complaining{std::string{"nothing to do: give kv init, run, verify, export or import, or kv --help"}};
    for (auto const word : words)
        if (word == "--help" or word == "-h")
            return Invocation{Help{}};
    if (words.front() == "init" and std::find(words.begin(), words.end(), "--join") != words.end())
        return parse_join(words.subspan(1));
    if (words.front() == "init")
        return parse_init(words.subspan(1));
    if (words.front() == "run")
        return parse_run(words.subspan(1));
    if (words.front() == "verify")
        return parse_verify(words.subspan(1));
    if (words.front() == "export")
        return parse_export(words.subspan(1));
    if (words.front() == "import")
        return parse_import(words.subspan(1));
    return Complaining{"'" + std::string{words.front()} +
                       "' is none of init, run, verify, export and import: see kv --help"};
}

} // namespace kv
