// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace totora::process
{

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

/// How long anything may take before a test gives up: a busy machine must not make a correct program fail.
inline constexpr auto patience = Milliseconds{60'000};

/// Waits until something is true.
template <typename Condition>
[[nodiscard]] bool eventually(Condition condition, Milliseconds limit = patience)
{
    auto const deadline = Clock::now() + limit;
    while (not condition()) {
        if (Clock::now() >= deadline)
            return false;
        std::this_thread::sleep_for(Milliseconds{5});
    }
    return true;
}

/// A directory that is gone with its owner.
class TemporaryDirectory
{
public:
    TemporaryDirectory()
    {
        auto name = (std::filesystem::temp_directory_path() / "totora-test.XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr)
            BOOST_FAIL("there is no room for temporary files");
        path_ = name;
    }
    TemporaryDirectory(TemporaryDirectory const&) = delete;
    TemporaryDirectory& operator=(TemporaryDirectory const&) = delete;
    ~TemporaryDirectory()
    {
        auto ignored = std::error_code{};
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] std::filesystem::path const& path() const { return path_; }

private:
    std::filesystem::path path_;
};

[[nodiscard]] inline std::string content_of(std::filesystem::path const& file)
{
    auto stream = std::ifstream{file};
    return {std::istreambuf_iterator<char>{stream}, std::istreambuf_iterator<char>{}};
}

/// A port of this machine that nobody uses, below the range from which the kernel takes those of outgoing connections.
[[nodiscard]] inline std::uint16_t free_port()
{
    static auto random = std::mt19937{std::random_device{}()};
    static auto given = std::vector<std::uint16_t>{};
    while (true) {
        auto const port = static_cast<std::uint16_t>(10'000 + random() % 20'000);
        if (std::find(given.begin(), given.end(), port) != given.end())
            continue;
        auto const socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        auto       address = sockaddr_in{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto const is_free = ::bind(socket, reinterpret_cast<sockaddr const*>(&address), sizeof address) == 0;
        ::close(socket);
        if (is_free)
            return given.emplace_back(port);
    }
}

/// A program that was started, and ends with its owner at the latest.
class Process
{
public:
    Process() = default;

    /// What it prints is appended to two files. Start it from a thread that outlives it.
    Process(std::vector<std::string> command, std::filesystem::path const& output, std::filesystem::path const& errors)
    {
        auto arguments = std::vector<char*>{};
        for (auto& word : command)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);
        auto const to = [](std::filesystem::path const& file) {
            return ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        };
        auto const out = to(output);
        auto const err = to(errors);
        id_ = ::fork();
        if (id_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            ::dup2(out, 1);
            ::dup2(err, 2);
            ::execvp(arguments.front(), arguments.data());
            ::_exit(127);
        }
        ::close(out);
        ::close(err);
    }

    Process(Process&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
    Process& operator=(Process&& other) noexcept
    {
        std::swap(id_, other.id_);
        return *this;
    }
    ~Process() { end(); }

    [[nodiscard]] bool  is_running() const { return id_ > 0; }
    [[nodiscard]] pid_t id() const { return id_; }

    void signal(int number) const
    {
        if (is_running())
            ::kill(id_, number);
    }

    /// Kills it as a crash would.
    void end()
    {
        signal(SIGKILL);
        signal(SIGCONT);
        if (is_running())
            ::waitpid(std::exchange(id_, -1), nullptr, 0);
    }

    /// Waits for its own end. The exit code; 128 and more if a signal ended it; nothing if it did not end.
    [[nodiscard]] std::optional<int> wait(Milliseconds limit = patience)
    {
        auto       status = 0;
        auto const has_ended = [&] { return is_running() and ::waitpid(id_, &status, WNOHANG) == id_; };
        if (not eventually(has_ended, limit))
            return std::nullopt;
        id_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }

private:
    pid_t id_ = -1;
};

/// The result of a program that ran to its end.
struct Ended
{
    std::optional<int> exit_code; ///< Nothing if it had to be killed.
    std::string        output;
    std::string        errors;
};

[[nodiscard]] inline Ended run_to_end(std::vector<std::string> command, Milliseconds limit = patience)
{
    auto const directory = TemporaryDirectory{};
    auto const output = directory.path() / "output";
    auto const errors = directory.path() / "errors";
    auto       process = Process{std::move(command), output, errors};
    auto const exit_code = process.wait(limit);
    process.end();
    return {exit_code, content_of(output), content_of(errors)};
}

/// Runs `kv` with these words to its end.
[[nodiscard]] inline Ended run_kv(std::vector<std::string> words, Milliseconds limit = patience)
{
    words.insert(words.begin(), TOTORA_KV);
    return run_to_end(std::move(words), limit);
}

} // namespace totora::process
