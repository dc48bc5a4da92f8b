// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <unistd.h>

namespace kv
{

/// To be called before a file is opened. Opens the null device for each standard stream that is closed: the next file would
/// get its descriptor, and what is printed would be written into that file (case 97). And nobody who reads what is
/// printed can end the process by going away. False if that is not possible.
[[nodiscard]] inline bool secure_standard_streams()
{
    std::signal(SIGPIPE, SIG_IGN);
    for (auto const stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        auto const is_closed = ::fcntl(stream, F_GETFD) < 0 and errno == EBADF;
        // The lowest free descriptor is taken, and those below are open. A program that is started from here gets it too.
        if (is_closed and ::open("/dev/null", O_RDWR) != stream)
            return false;
    }
    return true;
}

} // namespace kv
