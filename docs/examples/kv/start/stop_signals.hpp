// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>

#include <fcntl.h>
#include <unistd.h>

namespace kv
{

/// What SIGTERM and SIGINT do to this process, in three stages: while nothing has begun, the first ends it with 0; while it
/// serves, the first can be read from `descriptor`, so that it stops in its own time; and the one that follows ends it with
/// `unfinished_exit_code`, whatever it waits for, a disk that hangs too.
///
/// There is one set of handlers in a process, so everything here is static.
class StopSignals
{
public:
    /// Of a process that received a second signal before it had stopped: its log has no mark of a clean stop.
    static constexpr int unfinished_exit_code = 1;

    /// From now on they end this process with 0, at once: what it is about to open is left as by a crash, or untouched.
    /// False if that is not possible.
    [[nodiscard]] static bool begin()
    {
        if (read_end_ < 0 and not make_pipe())
            return false;
        stage_ = Stage::opening;
        auto action = Action{};
        action.sa_handler = &on_signal;
        action.sa_flags = SA_RESTART;
        sigemptyset(&action.sa_mask);
        return ::sigaction(SIGTERM, &action, nullptr) == 0 and ::sigaction(SIGINT, &action, nullptr) == 0;
    }

    /// From now on the first one can be read from `descriptor`.
    static void serve()
    {
        auto opening = Stage::opening;
        stage_.compare_exchange_strong(opening, Stage::serving);
    }

    /// Can be read once a signal to stop has come.
    [[nodiscard]] static int descriptor() { return read_end_; }

private:
    using Action = struct sigaction;

    enum class Stage : std::uint8_t
    {
        opening,
        serving,
        stopping,
    };

    [[nodiscard]] static bool make_pipe()
    {
        int ends[2] = {-1, -1};
        if (::pipe(ends) != 0)
            return false;
        for (auto const end : ends)
            if (::fcntl(end, F_SETFD, FD_CLOEXEC) != 0 or ::fcntl(end, F_SETFL, O_NONBLOCK) != 0)
                return false;
        read_end_ = ends[0];
        write_end_ = ends[1];
        return true;
    }

    /// Calls nothing but what a handler of signals may call.
    static void on_signal(int /*signal*/)
    {
        switch (stage_.load()) {
        case Stage::opening:
            ::_exit(0);
        case Stage::serving: {
            stage_ = Stage::stopping;
            auto const                  before = errno;
            auto const                  byte = char{1};
            [[maybe_unused]] auto const written = ::write(write_end_, &byte, 1); // The pipe is empty: there is room.
            errno = before;
            return;
        }
        case Stage::stopping:
            ::_exit(unfinished_exit_code);
        }
    }

    static inline std::atomic<Stage> stage_ = Stage::opening;
    static inline int                read_end_ = -1;
    static inline int                write_end_ = -1;

    static_assert(std::atomic<Stage>::is_always_lock_free, "a handler of signals waits for no lock");
};

/// Calls `stop` when the first signal has come. `requested` is read by one thread, and outlives what `stop` refers to.
template <typename Stop>
void call_on_stop_signal(boost::asio::posix::stream_descriptor& requested, Stop stop)
{
    requested.assign(::dup(StopSignals::descriptor()));
    requested.async_wait(boost::asio::posix::stream_descriptor::wait_read, [stop](boost::system::error_code failure) {
        if (not failure)
            stop();
    });
}

} // namespace kv
