// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace totora::benchmarks
{

/// A directory that is gone when the trial is.
class Scratch
{
public:
    explicit Scratch(std::filesystem::path const& within)
    {
        auto name = (within / "totora-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr)
            throw std::system_error{errno, std::generic_category(), "cannot make a directory in " + within.string()};
        path_ = name;
    }

    Scratch(Scratch const&) = delete;
    Scratch& operator=(Scratch const&) = delete;

    ~Scratch()
    {
        auto ignored = std::error_code{};
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] std::filesystem::path const& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// This program once more, with other arguments. It does not outlive its parent.
class Child
{
public:
    explicit Child(std::vector<std::string> const& arguments)
    {
        auto ends = std::array<int, 2>{};
        if (::pipe(ends.data()) != 0)
            throw std::system_error{errno, std::generic_category(), "cannot make a pipe"};
        auto pointers = std::vector<char*>{};
        for (auto const& argument : arguments)
            pointers.push_back(const_cast<char*>(argument.c_str()));
        pointers.push_back(nullptr);
        auto const parent = ::getpid();
        process_ = ::fork();
        if (process_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (::getppid() != parent)
                ::_exit(1);
            ::dup2(ends[1], STDOUT_FILENO);
            ::close(ends[0]);
            ::close(ends[1]);
            ::execv("/proc/self/exe", pointers.data());
            ::_exit(127);
        }
        ::close(ends[1]);
        output_ = ends[0];
        if (process_ < 0)
            throw std::system_error{errno, std::generic_category(), "cannot start a process"};
    }

    Child(Child&& other) noexcept
        : process_(std::exchange(other.process_, -1)), output_(std::exchange(other.output_, -1)),
          text_(std::move(other.text_))
    {}

    Child& operator=(Child&&) = delete;

    ~Child()
    {
        if (process_ > 0) {
            ::kill(process_, SIGKILL);
            ::waitpid(process_, nullptr, 0);
        }
        if (output_ >= 0)
            ::close(output_);
    }

    [[nodiscard]] int output() const { return output_; }

    /// Takes what the child has printed. False if it prints no more.
    bool listen()
    {
        auto       buffer = std::array<char, 512>{};
        auto const size = ::read(output_, buffer.data(), buffer.size());
        if (size > 0)
            text_.append(buffer.data(), static_cast<std::size_t>(size));
        return size > 0 or (size < 0 and errno == EINTR);
    }

    /// The next whole line that it has printed.
    [[nodiscard]] std::optional<std::string> line()
    {
        auto const end = text_.find('\n');
        if (end == std::string::npos)
            return std::nullopt;
        auto line = text_.substr(0, end);
        text_.erase(0, end + 1);
        return line;
    }

private:
    ::pid_t     process_ = -1;
    int         output_ = -1;
    std::string text_;
};

/// Ports of this machine that were free a moment ago.
[[nodiscard]] inline std::vector<std::uint16_t> free_ports(std::size_t count)
{
    auto sockets = std::vector<int>{};
    auto ports = std::vector<std::uint16_t>{};
    while (ports.size() < count) {
        auto const socket = ::socket(AF_INET, SOCK_STREAM, 0);
        auto       address = ::sockaddr_in{};
        auto       size = ::socklen_t{sizeof address};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* const named = reinterpret_cast<::sockaddr*>(&address);
        if (socket < 0 or ::bind(socket, named, size) != 0 or ::getsockname(socket, named, &size) != 0)
            throw std::system_error{errno, std::generic_category(), "cannot find a free port"};
        sockets.push_back(socket);
        ports.push_back(ntohs(address.sin_port));
    }
    for (auto const socket : sockets)
        ::close(socket);
    return ports;
}

} // namespace totora::benchmarks
