// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/figures.hpp"
#include "support/processes.hpp"

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace totora::benchmarks
{

/// The task of a server in a trial.
struct Task
{
    std::size_t                id = 0; ///< From 1 on; 0 is the parent, which is no server.
    std::vector<std::uint16_t> ports;  ///< Of all servers, in order of their ids.
    std::filesystem::path      directory;
    std::size_t                outstanding = 0;
    std::uint64_t              snapshot_mib = 0; ///< A snapshot, and a shorter log, after so much; 0: never.
    Bounds                     bounds;
};

/// What the command line asks for.
struct Request
{
    Task                     task;
    std::vector<std::size_t> outstanding{1, 16, 256, 1024};
    std::string              json;
};

/// Numbers with commas between them; nothing if that is not what is written there.
template <typename T>
[[nodiscard]] std::optional<std::vector<T>> numbers(std::string_view text)
{
    auto values = std::vector<T>{};
    for (auto const* at = text.data(); at != text.data() + text.size();) {
        auto       value = T{};
        auto const parsed = std::from_chars(at, text.data() + text.size(), value);
        if (parsed.ec != std::errc{} or not(value > 0))
            return std::nullopt;
        values.push_back(value);
        at = parsed.ptr;
        if (at != text.data() + text.size() and *at++ != ',')
            return std::nullopt;
    }
    return values.empty() ? std::nullopt : std::optional{values};
}

template <typename T>
[[nodiscard]] bool take_number(std::string_view text, T& into)
{
    auto const values = numbers<T>(text);
    if (values)
        into = values->front();
    return values and values->size() == 1;
}

/// Nothing if the arguments make no sense.
[[nodiscard]] inline std::optional<Request> read_arguments(int argc, char** argv)
{
    auto request = Request{};
    auto good = argc % 2 == 1;
    request.task.directory = std::filesystem::current_path();
    for (auto at = 1; good and at + 1 < argc; at += 2) {
        auto const name = std::string_view{argv[at]};
        auto const value = std::string_view{argv[at + 1]};
        if (name == "--outstanding") {
            auto const given = numbers<std::size_t>(value);
            good = given.has_value();
            request.outstanding = given.value_or(std::vector<std::size_t>{});
        } else if (name == "--ports") {
            auto const given = numbers<std::uint16_t>(value);
            good = given and given->size() == 3;
            request.task.ports = given.value_or(std::vector<std::uint16_t>{});
        } else if (name == "--entries")
            good = take_number(value, request.task.bounds.entries_max);
        else if (name == "--seconds")
            good = take_number(value, request.task.bounds.seconds_max);
        else if (name == "--warm-up")
            good = take_number(value, request.task.bounds.warm_up_seconds);
        else if (name == "--snapshot-mib")
            good = take_number(value, request.task.snapshot_mib);
        else if (name == "--server")
            good = take_number(value, request.task.id);
        else if (name == "--dir")
            request.task.directory = std::filesystem::absolute(value);
        else if (name == "--json")
            request.json = value;
        else
            good = false;
    }
    if (not good)
        return std::nullopt;
    request.task.outstanding = request.outstanding.front();
    return request;
}

/// Set when the trial is to end early, so that it can clean up.
inline volatile std::sig_atomic_t interrupted = 0;

/// What a leading server does at its end. Its followers are not to see it go before they are killed.
inline void report_to_parent(Figures const& figures)
{
    std::printf("%s\n", line_of(figures).c_str());
    std::fflush(stdout);
    while (::pause() != 0) {}
}

/// Servers that end from the last to the first, so that none sees the first one go, which others connect to.
struct Servers
{
    std::vector<Child> all;

    Servers() = default;
    Servers(Servers const&) = delete;
    Servers& operator=(Servers const&) = delete;

    ~Servers()
    {
        while (not all.empty())
            all.pop_back();
    }
};

/// The command line of a server.
[[nodiscard]] inline std::vector<std::string> server_words(std::string const& program, Task const& task,
                                                           std::string const& id, std::string const& ports,
                                                           std::filesystem::path const& directory)
{
    auto       words = std::vector<std::string>{program, "--server", id, "--ports", ports, "--dir", directory.string()};
    auto const add = [&](std::string const& name, std::string const& value) {
        words.push_back(name);
        words.push_back(value);
    };
    add("--outstanding", std::to_string(task.outstanding));
    add("--entries", std::to_string(task.bounds.entries_max));
    add("--seconds", std::to_string(task.bounds.seconds_max));
    add("--warm-up", std::to_string(task.bounds.warm_up_seconds));
    if (task.snapshot_mib > 0)
        add("--snapshot-mib", std::to_string(task.snapshot_mib));
    return words;
}

/// Starts three servers with empty directories, and waits for the figures of the one that leads.
[[nodiscard]] inline Figures run_round(std::string const& program, Task const& task)
{
    auto const scratch = Scratch{task.directory};
    auto const ports = free_ports(3);
    auto const listed = std::to_string(ports[0]) + "," + std::to_string(ports[1]) + "," + std::to_string(ports[2]);
    auto       started = Servers{};
    auto&      servers = started.all;
    for (auto const* id : {"1", "2", "3"})
        servers.emplace_back(server_words(program, task, id, listed, scratch.path() / id));

    auto const patience = std::chrono::duration<double>{task.bounds.seconds_max + task.bounds.warm_up_seconds + 60};
    auto const deadline = std::chrono::steady_clock::now() + patience;
    while (interrupted == 0 and std::chrono::steady_clock::now() < deadline) {
        auto waiting = std::vector<::pollfd>{};
        for (auto const& server : servers)
            waiting.push_back({server.output(), POLLIN, 0});
        if (::poll(waiting.data(), waiting.size(), 200) <= 0)
            continue;
        for (auto at = std::size_t{0}; at < servers.size(); ++at) {
            if (waiting[at].revents == 0)
                continue;
            auto const lives = servers[at].listen();
            while (auto const line = servers[at].line())
                if (auto const figures = read_line(*line))
                    return *figures;
            if (not lives)
                throw std::runtime_error{"server " + std::to_string(at + 1) + " ended before the round did"};
        }
    }
    throw std::runtime_error{interrupted != 0 ? "interrupted" : "no server has reported any figures in time"};
}

/// The whole program: `serve` is what each of the three processes does with its task until it is killed. It prints the
/// figures if it leads.
template <typename Serve>
int run_trial(int argc, char** argv, std::string_view name, std::string_view what, Serve serve)
{
    auto const request = read_arguments(argc, argv);
    if (not request) {
        std::fprintf(stderr,
                     "usage: %.*s [--outstanding 1,16,256,1024] [--entries N] [--seconds S] [--warm-up S] [--dir DIR] "
                     "[--snapshot-mib N] [--json FILE]\n",
                     static_cast<int>(name.size()), name.data());
        return 2;
    }
    try {
        if (request->task.id != 0)
            return serve(request->task);
        std::signal(SIGINT, [](int) { interrupted = 1; });
        std::signal(SIGTERM, [](int) { interrupted = 1; });
        std::printf("%.*s: %.*s, %zu-byte payloads\n", static_cast<int>(name.size()), name.data(),
                    static_cast<int>(what.size()), what.data(), payload_bytes);
        print_head();
        auto rounds = std::vector<Figures>{};
        auto task = request->task;
        for (auto const outstanding : request->outstanding) {
            task.outstanding = outstanding;
            rounds.push_back(run_round(argv[0], task));
            print_row(rounds.back());
        }
        if (not request->json.empty() and not write_json(request->json, name, rounds)) {
            std::fprintf(stderr, "%.*s: cannot write %s\n", static_cast<int>(name.size()), name.data(),
                         request->json.c_str());
            return 1;
        }
        return 0;
    } catch (std::exception const& failure) {
        std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(name.size()), name.data(), failure.what());
        return 1;
    }
}

} // namespace totora::benchmarks
