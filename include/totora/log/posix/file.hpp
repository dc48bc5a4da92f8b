// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/log/posix/calls.hpp"
#include "totora/policy/files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <sys/uio.h>

namespace totora::inline v0
{

/// A failed call of the operating system, with the message for its `errno`.
[[nodiscard]] inline Unexpected<FileError> system_failure(int number, std::string_view what, std::string_view name)
{
    auto message = "Cannot " + std::string{what} + " " + std::string{name};
    message += ": " + std::generic_category().message(number) + ".";
    return Unexpected{FileError{number, std::move(message)}};
}

/// An open file of the operating system, under `PosixFiles`.
///
/// Invariants: a write that succeeds wrote every byte, and a read that succeeds is short only at the end of the file. A
/// call is repeated after a signal interrupted it, and for the rest after it moved a part of the bytes; any other error
/// is returned.
template <typename Calls>
class BasicPosixFile
{
public:
    BasicPosixFile(BasicDescriptor<Calls> descriptor, std::string name)
        : descriptor_(std::move(descriptor)), name_(std::move(name))
    {}

    [[nodiscard]] Result<std::uint64_t, FileError> size()
    {
        struct ::stat status = {};
        if (made_again([&] { return Calls::status(descriptor_.number(), status); }) != 0)
            return failure("look at");
        return static_cast<std::uint64_t>(status.st_size);
    }

    [[nodiscard]] Result<Done, FileError> write(std::uint64_t offset, std::span<std::span<std::byte const> const> parts)
    {
        auto vectors = std::array<::iovec, 256>{};
        auto part = std::size_t{0};
        auto done = std::size_t{0}; // Of `parts[part]`.
        while (part < parts.size()) {
            auto count = std::size_t{0};
            for (auto next = part; next < parts.size() and count < vectors.size(); ++next, ++count) {
                auto const rest = parts[next].subspan(next == part ? done : 0);
                // The interface of the system is not const-correct; it only reads.
                vectors[count] = {const_cast<std::byte*>(rest.data()), rest.size()};
            }
            auto const written = made_again([&] {
                return Calls::write(descriptor_.number(), vectors.data(), static_cast<int>(count),
                                    static_cast<::off_t>(offset));
            });
            if (written < 0)
                return failure("write to");
            offset += static_cast<std::uint64_t>(written);
            done += static_cast<std::size_t>(written);
            while (part < parts.size() and done >= parts[part].size())
                done -= parts[part++].size();
            if (written == 0 and part < parts.size())
                return system_failure(EIO, "write to", name_);
        }
        return Done{};
    }

    [[nodiscard]] Result<std::size_t, FileError> read(std::uint64_t offset, std::span<std::byte> into)
    {
        auto done = std::size_t{0};
        while (done < into.size()) {
            auto const got = made_again([&] {
                return Calls::read(descriptor_.number(), into.data() + done, into.size() - done,
                                   static_cast<::off_t>(offset + done));
            });
            if (got < 0)
                return failure("read");
            if (got == 0)
                break;
            done += static_cast<std::size_t>(got);
        }
        return done;
    }

    [[nodiscard]] Result<Done, FileError> allocate(std::uint64_t new_size)
    {
        auto const old_size = size();
        if (not old_size)
            return Unexpected{old_size.error()};
        if (new_size <= *old_size)
            return Done{};
        // Allocating first fails at once if there is too little space. Writing the zeros makes the
        // blocks written ones, so that a later sync of data moves no metadata.
        auto const asked = made_again([&] {
            return Calls::allocate(descriptor_.number(), static_cast<::off_t>(*old_size),
                                   static_cast<::off_t>(new_size - *old_size));
        });
        if (asked != 0 and not cannot_allocate(errno))
            return failure("allocate");
        auto const zeros = std::vector<std::byte>(std::size_t{64} * 1024);
        for (auto at = *old_size; at < new_size;) {
            auto const part =
                std::span{zeros}.first(static_cast<std::size_t>(std::min<std::uint64_t>(zeros.size(), new_size - at)));
            auto const parts = std::array<std::span<std::byte const>, 1>{part};
            if (auto const written = write(at, parts); not written)
                return written;
            at += part.size();
        }
        return Done{};
    }

    [[nodiscard]] Result<Done, FileError> truncate(std::uint64_t new_size)
    {
        auto const size = static_cast<::off_t>(new_size);
        if (made_again([&] { return Calls::truncate(descriptor_.number(), size); }) != 0)
            return failure("shorten");
        return Done{};
    }

    /// Repeated if a signal interrupted it, and after no other error: the system may then have dropped what it could
    /// not write, and would report success the next time.
    [[nodiscard]] Result<Done, FileError> sync()
    {
        if (made_again([&] { return Calls::sync_data(descriptor_.number()); }) != 0)
            return failure("sync");
        return Done{};
    }

private:
    /// Whether preallocation is missing rather than failing: a file system without it, or a sandbox that forbids it,
    /// can still be written to.
    [[nodiscard]] static bool cannot_allocate(int number)
    {
        return number == ENOSYS or number == EPERM or number == EOPNOTSUPP or number == EINVAL;
    }

    [[nodiscard]] Unexpected<FileError> failure(std::string_view what) const
    {
        return system_failure(errno, what, name_);
    }

    BasicDescriptor<Calls> descriptor_;
    std::string            name_;
};

} // namespace totora::inline v0
