// SPDX-License-Identifier: BSL-1.0
#include "totora/log/posix_files.hpp"

#include "support/log_entries.hpp"
#include "support/temporary_directory.hpp"
#include "totora/log/segmented_log.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

// Files of the operating system: the results of their writes, their descriptors and permissions.

namespace totora::test::posix_files_tests
{
namespace
{

/// During its lifetime no file of this process grows beyond so many bytes: a write that would is cut short, the next
/// one fails. It is what a full disk does, without filling one.
class LargestFile
{
public:
    explicit LargestFile(std::uint64_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN))
    {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        auto limit = before_;
        limit.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    LargestFile(LargestFile const&) = delete;
    LargestFile& operator=(LargestFile const&) = delete;
    ~LargestFile()
    {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

private:
    using Handler = void (*)(int);

    Handler  handler_;
    ::rlimit before_ = {};
};

/// During its lifetime some standard streams of this process are closed: those whose bit is set.
class ClosedStreams
{
public:
    explicit ClosedStreams(unsigned closed)
    {
        for (auto stream = 0; stream < 3; ++stream) {
            kept_.at(static_cast<std::size_t>(stream)) = ::fcntl(stream, F_DUPFD_CLOEXEC, 10);
            if ((closed >> static_cast<unsigned>(stream) & 1U) != 0)
                ::close(stream);
        }
    }
    ClosedStreams(ClosedStreams const&) = delete;
    ClosedStreams& operator=(ClosedStreams const&) = delete;
    ~ClosedStreams()
    {
        for (auto stream = 0; stream < 3; ++stream) {
            auto const kept = kept_.at(static_cast<std::size_t>(stream));
            ::dup2(kept, stream);
            ::close(kept);
        }
    }

    /// Prints to those of them that are closed. Returns how many of the prints succeeded.
    [[nodiscard]] static int print(unsigned closed)
    {
        auto const line = std::string(200, '!');
        auto       printed = 0;
        for (auto stream = 0; stream < 3; ++stream)
            if ((closed >> static_cast<unsigned>(stream) & 1U) != 0 and ::write(stream, line.data(), line.size()) > 0)
                ++printed;
        return printed;
    }

private:
    std::array<int, 3> kept_ = {};
};

/// The calls of the operating system, which note whether a file was opened as a standard stream. Others get a turn at
/// the moment when a file is about to be opened.
struct NotedCalls : PosixCalls
{
    static inline std::atomic<bool> is_a_stream = false; ///< Whether one ever was.
    static inline int               closes = -1;         ///< A stream that the program closes at that moment.

    static int open(int directory, char const* path, int flags, ::mode_t mode)
    {
        if (directory == AT_FDCWD)
            return PosixCalls::open(directory, path, flags, mode);
        std::this_thread::yield();
        if (closes >= 0)
            PosixCalls::close(closes);
        auto const descriptor = PosixCalls::open(directory, path, flags, mode);
        if (descriptor >= 0 and descriptor <= 2)
            is_a_stream = true;
        return descriptor;
    }
};

using NotedFiles = BasicPosixFiles<NotedCalls>;

std::vector<std::byte> letters(std::size_t count, char letter) { return std::vector(count, std::byte(letter)); }

} // namespace

BOOST_AUTO_TEST_SUITE(posix_files)

/// 300 parts are more than one call of the system takes.
BOOST_AUTO_TEST_CASE(a_write_of_many_parts_arrives_whole_and_in_order, *boost::unit_test::label("case_67"))
{
    auto const directory = TemporaryDirectory{};
    auto       files = PosixFiles::open_directory(directory.path());
    BOOST_REQUIRE(files.has_value());
    auto file = files->create("file");
    BOOST_REQUIRE(file.has_value());
    auto contents = std::vector<std::vector<std::byte>>{};
    for (auto part = std::size_t{0}; part < 300; ++part)
        contents.push_back(letters(part % 5, static_cast<char>('a' + part % 26)));
    auto const parts = std::vector<std::span<std::byte const>>(contents.begin(), contents.end());
    auto       expected = letters(7, '\0');
    for (auto const& part : parts)
        expected.insert(expected.end(), part.begin(), part.end());

    BOOST_TEST(file->write(7, parts).has_value());

    auto found = letters(expected.size() + 1, 'x');
    auto got = file->read(0, found);
    BOOST_REQUIRE(got.has_value());
    BOOST_TEST(*got == expected.size());
    BOOST_TEST(std::equal(expected.begin(), expected.end(), found.begin()));
}

/// Case 67: the system takes a part of the write only. A log that took it for the whole would append after a hole.
BOOST_AUTO_TEST_CASE(a_write_that_is_cut_short_is_a_failure, *boost::unit_test::label("case_67"))
{
    auto const directory = TemporaryDirectory{};
    auto       files = PosixFiles::open_directory(directory.path());
    BOOST_REQUIRE(files.has_value());
    auto file = files->create("file");
    BOOST_REQUIRE(file.has_value());
    auto const first = letters(3000, 'a');
    auto const second = letters(3000, 'b');
    auto const parts = std::array<std::span<std::byte const>, 2>{first, second};

    auto const full = LargestFile{4096};
    auto const written = file->write(0, parts);

    BOOST_REQUIRE(not written.has_value());
    BOOST_TEST(written.error().number == EFBIG);
    BOOST_TEST(*file->size() == 4096U);
}

/// Case 97: what an operator's program prints to a stream that is closed must not land in the log.
BOOST_AUTO_TEST_CASE(no_file_takes_the_descriptor_of_a_closed_standard_stream, *boost::unit_test::label("case_97"))
{
    using Log = SegmentedLog<PosixFiles, InlineSyncer>;
    auto const directory = TemporaryDirectory{};
    auto const path = directory.path() / "log";
    auto       written = std::uint64_t{0};
    for (auto closed = 0U; closed < 8; ++closed) {
        auto printed = 0;
        auto failure = std::optional<LogError>{};
        {
            auto const streams = ClosedStreams{closed};
            auto       files = PosixFiles::make_directory(path);
            if (files and closed == 0)
                (void)Log::create(*files, identity_of_first());
            auto log = files ? Log::open(std::move(*files)) : Result<Log, LogError>{Unexpected{files.error()}};
            if (log) {
                for (auto write = std::uint64_t{1}; write <= 20; ++write) {
                    log->append(WriteNumber{write}, entries_of(Term{1}, Index{++written}, 1, 100));
                    log->sync();
                    printed += ClosedStreams::print(closed);
                }
                failure = log->failure();
            } else
                failure = log.error();
        }
        BOOST_TEST(not failure.has_value(), failure.value_or(LogError{}).what);
        BOOST_TEST(printed == 0);
        auto const log = Log::open(std::move(*PosixFiles::open_directory(path)));
        BOOST_REQUIRE_MESSAGE(log.has_value(), log.error().what);
        BOOST_TEST(log->last().index.value == written);
    }
}

/// One of them may let go of what kept the streams' descriptors from being used while the other opens its file.
BOOST_AUTO_TEST_CASE(no_file_takes_it_while_two_threads_open_files, *boost::unit_test::label("case_97"))
{
    auto const directory = TemporaryDirectory{};
    auto const open_files = [&](char const* name) {
        auto files = NotedFiles::make_directory(directory.path() / name);
        if (not files or not files->create("file"))
            return;
        for (auto times = 0; times < 3000 and not NotedCalls::is_a_stream; ++times) {
            (void)NotedFiles::open_directory(directory.path()); // Takes a descriptor, too, locked or not.
            (void)files->open("file");
        }
    };
    {
        auto const streams = ClosedStreams{7};
        auto       other = std::thread{open_files, "other"};
        open_files("one");
        other.join();
    }

    BOOST_TEST(not NotedCalls::is_a_stream);
    NotedCalls::is_a_stream = false;
}

/// What the program does to its streams meanwhile cannot be kept from it, but no file stays there.
BOOST_AUTO_TEST_CASE(no_file_keeps_the_descriptor_of_a_stream_that_closes_meanwhile,
                     *boost::unit_test::label("case_97"))
{
    auto const directory = TemporaryDirectory{};
    auto       files = NotedFiles::make_directory(directory.path());
    BOOST_REQUIRE(files.has_value());
    auto is_open = false;
    auto printed = 0;
    {
        auto const streams = ClosedStreams{0};
        NotedCalls::closes = 2;
        auto file = files->create("file");
        NotedCalls::closes = -1;
        is_open = file and file->size();
        printed = ClosedStreams::print(4);
    }

    BOOST_TEST(NotedCalls::is_a_stream);
    NotedCalls::is_a_stream = false;
    BOOST_TEST(is_open);
    BOOST_TEST(printed == 0);
}

BOOST_AUTO_TEST_CASE(directories_and_files_are_accessible_to_their_owner_only)
{
    auto const directory = TemporaryDirectory{};
    auto const mask = ::umask(0);
    auto       files = PosixFiles::make_directory(directory.path() / "above" / "log");
    BOOST_REQUIRE(files.has_value());
    BOOST_TEST(files->create("file").has_value());
    ::umask(mask);

    auto const permissions = [&](std::filesystem::path const& path) {
        return std::filesystem::status(directory.path() / path).permissions();
    };
    using std::filesystem::perms;
    BOOST_TEST((permissions("above") == perms::owner_all));
    BOOST_TEST((permissions("above/log") == perms::owner_all));
    BOOST_TEST((permissions("above/log/file") == (perms::owner_read | perms::owner_write)));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::posix_files_tests
