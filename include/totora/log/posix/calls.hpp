// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>
#include <cstddef>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/vfs.h>
#endif

namespace totora::inline v0
{

/// The system calls that `PosixFiles` makes, with the system's results: -1 or a null pointer, and `errno`. Tests
/// replace them. docs/formats.md lists their errors, and which of them are transient.
struct PosixCalls
{
    static int open(int directory, char const* path, int flags, ::mode_t mode)
    {
        return ::openat(directory, path, flags, mode);
    }
    static int close(int descriptor) { return ::close(descriptor); }

    /// The same open file under the lowest free number that is at least this.
    static int duplicate(int descriptor, int at_least) { return ::fcntl(descriptor, F_DUPFD_CLOEXEC, at_least); }

    static int     make_directory(char const* path, ::mode_t mode) { return ::mkdir(path, mode); }
    static int     lock(int descriptor) { return ::flock(descriptor, LOCK_EX | LOCK_NB); }
    static ::DIR*  list(int descriptor) { return ::fdopendir(descriptor); }
    static dirent* next_name(::DIR* stream) { return ::readdir(stream); }
    static int     end_list(::DIR* stream) { return ::closedir(stream); }
    static int     rename(int directory, char const* from, char const* to)
    {
        return ::renameat(directory, from, directory, to);
    }
    static int       remove(int directory, char const* name) { return ::unlinkat(directory, name, 0); }
    static int       status(int descriptor, struct ::stat& status) { return ::fstat(descriptor, &status); }
    static ::ssize_t write(int descriptor, ::iovec const* parts, int count, ::off_t offset)
    {
        return ::pwritev(descriptor, parts, count, offset);
    }
    static ::ssize_t read(int descriptor, void* into, std::size_t size, ::off_t offset)
    {
        return ::pread(descriptor, into, size, offset);
    }
    static int allocate(int descriptor, ::off_t offset, ::off_t size)
    {
        errno = ::posix_fallocate(descriptor, offset, size);
        return errno == 0 ? 0 : -1;
    }
    static int truncate(int descriptor, ::off_t size) { return ::ftruncate(descriptor, size); }
    static int sync_data(int descriptor) { return ::fdatasync(descriptor); }
    static int sync(int descriptor) { return ::fsync(descriptor); }

    /// The system's number for the kind of file system a file is on; 0 if unknown.
    static long file_system(int descriptor)
    {
#ifdef __linux__
        struct ::statfs status = {};
        return ::fstatfs(descriptor, &status) == 0 ? static_cast<long>(status.f_type) : 0;
#else
        return (void)descriptor, 0;
#endif
    }
};

/// Repeats a call as long as a signal interrupts it, which means that it did nothing.
template <typename Call>
[[nodiscard]] auto made_again(Call call)
{
    auto result = call();
    while (result == -1 and errno == EINTR)
        result = call();
    return result;
}

/// An open file or directory of the operating system; closes itself.
template <typename Calls>
class BasicDescriptor
{
public:
    explicit BasicDescriptor(int number) : number_(number) {}
    BasicDescriptor(BasicDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    BasicDescriptor& operator=(BasicDescriptor&& other) noexcept
    {
        std::swap(number_, other.number_);
        return *this;
    }
    ~BasicDescriptor()
    {
        if (number_ >= 0)
            Calls::close(number_); // An interrupted close has closed it.
    }

    [[nodiscard]] int number() const { return number_; }

    /// Releases the descriptor to a new owner, which closes it.
    [[nodiscard]] int release() { return std::exchange(number_, -1); }

private:
    int number_;
};

} // namespace totora::inline v0
