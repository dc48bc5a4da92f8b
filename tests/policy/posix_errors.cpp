// SPDX-License-Identifier: BSL-1.0
#include "totora/log/posix_files.hpp"

#include "support/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Every call of the operating system that `PosixFiles` makes, with every error that docs/formats.md lists for it.

namespace totora::test::posix_errors_tests
{
namespace
{

/// The calls of the operating system, of which one fails.
struct FailingCalls : PosixCalls
{
    static inline std::string_view failing;    ///< The name of the call.
    static inline int              number = 0; ///< What it fails with.
    static inline int              times = 0;  ///< How often it still does.
    static inline int              made = 0;   ///< How often it was made.
    static inline long             kind_of_file_system = 0;

    [[nodiscard]] static bool fails(std::string_view call)
    {
        if (call != failing)
            return false;
        ++made;
        if (times == 0)
            return false;
        --times;
        errno = number;
        return true;
    }

    static int open(int directory, char const* path, int flags, ::mode_t mode)
    {
        return fails("open") ? -1 : PosixCalls::open(directory, path, flags, mode);
    }
    static int duplicate(int descriptor, int at_least)
    {
        return fails("duplicate") ? -1 : PosixCalls::duplicate(descriptor, at_least);
    }
    static int make_directory(char const* path, ::mode_t mode)
    {
        return fails("make_directory") ? -1 : PosixCalls::make_directory(path, mode);
    }
    static int     lock(int descriptor) { return fails("lock") ? -1 : PosixCalls::lock(descriptor); }
    static ::DIR*  list(int descriptor) { return fails("list") ? nullptr : PosixCalls::list(descriptor); }
    static dirent* next_name(::DIR* stream) { return fails("next_name") ? nullptr : PosixCalls::next_name(stream); }
    static int     rename(int directory, char const* from, char const* to)
    {
        return fails("rename") ? -1 : PosixCalls::rename(directory, from, to);
    }
    static int remove(int directory, char const* name)
    {
        return fails("remove") ? -1 : PosixCalls::remove(directory, name);
    }
    static int status(int descriptor, struct ::stat& status)
    {
        return fails("status") ? -1 : PosixCalls::status(descriptor, status);
    }
    static ::ssize_t write(int descriptor, ::iovec const* parts, int count, ::off_t offset)
    {
        return fails("write") ? -1 : PosixCalls::write(descriptor, parts, count, offset);
    }
    static ::ssize_t read(int descriptor, void* into, std::size_t size, ::off_t offset)
    {
        return fails("read") ? -1 : PosixCalls::read(descriptor, into, size, offset);
    }
    static int allocate(int descriptor, ::off_t offset, ::off_t size)
    {
        return fails("allocate") ? -1 : PosixCalls::allocate(descriptor, offset, size);
    }
    static int truncate(int descriptor, ::off_t size)
    {
        return fails("truncate") ? -1 : PosixCalls::truncate(descriptor, size);
    }
    static int  sync_data(int descriptor) { return fails("sync_data") ? -1 : PosixCalls::sync_data(descriptor); }
    static int  sync(int descriptor) { return fails("sync") ? -1 : PosixCalls::sync(descriptor); }
    static long file_system(int descriptor)
    {
        return kind_of_file_system != 0 ? kind_of_file_system : PosixCalls::file_system(descriptor);
    }
};

using Files = BasicPosixFiles<FailingCalls>;

/// The error of a step; 0 if it went well.
template <typename T>
int number_of(Result<T, FileError> const& outcome)
{
    return outcome ? 0 : outcome.error().number;
}

/// Does everything that a log does with files, and stops at the first error: what `PosixFiles` reported, or -1 if a
/// directory could not be had.
int use_files(std::filesystem::path const& path)
{
    auto files = Files::make_directory(path / "log");
    if (not files)
        return -1;
    auto file = files->create("one");
    if (not file)
        return file.error().number;
    auto const bytes = std::vector<std::byte>(3000, std::byte{'x'});
    auto const parts = std::array<std::span<std::byte const>, 1>{bytes};
    auto       read = std::vector<std::byte>(3000);
    if (auto const number = number_of(file->allocate(5000)))
        return number;
    if (auto const number = number_of(file->write(100, parts)))
        return number;
    if (auto const number = number_of(file->sync()))
        return number;
    if (auto const number = number_of(file->read(100, read)))
        return number;
    BOOST_TEST((read == bytes));
    if (auto const number = number_of(file->size()))
        return number;
    BOOST_TEST(*file->size() == 5000U);
    if (auto const number = number_of(file->truncate(4000)))
        return number;
    if (auto const number = number_of(files->rename("one", "two")))
        return number;
    if (auto const number = number_of(files->sync_directory()))
        return number;
    if (auto const number = number_of(files->open("two")))
        return number;
    auto const names = files->names();
    if (not names)
        return names.error().number;
    BOOST_TEST((*names == std::vector<std::string>{"two"}));
    return number_of(files->remove("two"));
}

/// What using files comes to if a call fails so often with this error, and how often the call was made.
struct Decision
{
    int number = 0;
    int made = 0;
};

Decision use_files_when(std::string_view call, int number, int times)
{
    auto const directory = TemporaryDirectory{};
    FailingCalls::failing = call;
    FailingCalls::number = number;
    FailingCalls::times = times;
    FailingCalls::made = 0;
    auto const outcome = use_files(directory.path());
    FailingCalls::failing = {};
    return {outcome, FailingCalls::made};
}

struct Row
{
    std::string_view call;
    std::vector<int> errors;
    bool             of_directory = false; ///< Made for the directory as such: then there are no files.
};

/// The errors that end a call, from docs/formats.md.
std::vector<Row> final_or_passing()
{
    return {{"open", {EMFILE, ENFILE, ENOMEM, ENOSPC, EDQUOT, EACCES, EIO, EROFS}, true},
            {"make_directory", {ENOSPC, EDQUOT, EACCES, EROFS}, true},
            {"lock", {ENOLCK, EBADF}, true},
            {"duplicate", {EMFILE}},
            {"list", {ENOMEM}},
            {"next_name", {EIO}},
            {"rename", {ENOSPC, EDQUOT, EACCES, EIO, EROFS}},
            {"remove", {EACCES, EIO, EROFS}},
            {"status", {EIO, ENOMEM}},
            {"write", {ENOSPC, EDQUOT, EFBIG, EIO}},
            {"read", {EIO}},
            {"allocate", {ENOSPC, EDQUOT, EFBIG, EIO}},
            {"truncate", {EIO, EROFS}},
            {"sync_data", {EIO, ENOSPC, EDQUOT}},
            {"sync", {EIO, ENOSPC, EDQUOT}, true}};
}

} // namespace

BOOST_AUTO_TEST_SUITE(posix_errors)

BOOST_AUTO_TEST_CASE(an_interrupted_call_is_repeated)
{
    for (auto const* const call : {"open", "duplicate", "make_directory", "lock", "rename", "remove", "status", "write",
                                   "read", "allocate", "truncate", "sync_data", "sync"}) {
        auto const undisturbed = use_files_when(call, 0, 0);
        auto const interrupted = use_files_when(call, EINTR, 3);

        BOOST_TEST(undisturbed.number == 0, call);
        BOOST_TEST(interrupted.number == 0, call);
        BOOST_TEST(interrupted.made == undisturbed.made + 3, call);
    }
}

BOOST_AUTO_TEST_CASE(any_other_error_ends_the_call_at_once_and_is_reported)
{
    for (auto const& row : final_or_passing())
        for (auto const error : row.errors) {
            auto const outcome = use_files_when(row.call, error, 1);

            BOOST_TEST(outcome.number == (row.of_directory ? -1 : error), row.call << " with error " << error);
            BOOST_TEST(outcome.made >= 1, row.call);
        }
}

/// The kernel reports it once, and may have dropped what it could not write.
BOOST_AUTO_TEST_CASE(a_failed_sync_is_not_repeated)
{
    for (auto const error : {EIO, ENOSPC, EDQUOT}) {
        BOOST_TEST(use_files_when("sync_data", error, 1).made == 1);
        BOOST_TEST(use_files_when("sync", error, 1).made == 1);
    }
}

BOOST_AUTO_TEST_CASE(without_preallocation_zeros_are_written)
{
    for (auto const error : {ENOSYS, EPERM, EOPNOTSUPP, EINVAL}) {
        auto const outcome = use_files_when("allocate", error, 1);

        BOOST_TEST(outcome.number == 0, "error " << error);
        BOOST_TEST(outcome.made == 1);
    }
}

BOOST_AUTO_TEST_CASE(a_lock_that_another_process_holds_differs_from_one_that_is_unsupported)
{
    auto const directory = TemporaryDirectory{};
    auto const failure_with = [&](int number) {
        FailingCalls::failing = "lock";
        FailingCalls::number = number;
        FailingCalls::times = 1;
        auto const opened = Files::open_directory(directory.path());
        FailingCalls::failing = {};
        return opened ? std::optional<LogFailure>{} : opened.error().failure;
    };

    BOOST_TEST((failure_with(EWOULDBLOCK) == LogFailure::in_use));
    BOOST_TEST((failure_with(ENOLCK) == LogFailure::unsupported));
    BOOST_TEST((Files::open_directory(directory.path() / "nowhere").error().failure == LogFailure::not_found));
}

BOOST_AUTO_TEST_CASE(a_copy_on_write_file_system_is_reported_to_the_operator)
{
    auto const directory = TemporaryDirectory{};
    auto const files = Files::open_directory(directory.path());
    BOOST_REQUIRE(files.has_value());

    FailingCalls::kind_of_file_system = 0xEF53; // ext4
    BOOST_TEST(files->caution() == "");
    FailingCalls::kind_of_file_system = 0x9123683E; // btrfs
    BOOST_TEST(files->caution().find(directory.path().native()) != std::string::npos);
    FailingCalls::kind_of_file_system = 0;
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::posix_errors_tests
