// SPDX-License-Identifier: BSL-1.0
#include "totora/log/posix_files.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

// What the operating system says about a write is heard.

namespace totora::test
{
namespace
{

/// A directory of its own, removed at the end.
class Directory
{
public:
    Directory() : path_(std::filesystem::temp_directory_path() / ("totora-posix-files-" + std::to_string(::getpid())))
    {
        std::filesystem::create_directory(path_);
    }
    Directory(Directory const&) = delete;
    Directory& operator=(Directory const&) = delete;
    ~Directory() { std::filesystem::remove_all(path_); }

    [[nodiscard]] std::filesystem::path const& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// As long as it lives, no file of this process grows beyond so many bytes: a write that would is cut short, the next one
/// fails. It is what a full disk does, without filling one.
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

std::vector<std::byte> letters(std::size_t count, char letter) { return std::vector(count, std::byte(letter)); }

} // namespace

BOOST_AUTO_TEST_SUITE(posix_files)

/// 300 parts are more than one call of the system takes.
BOOST_AUTO_TEST_CASE(a_write_of_many_parts_arrives_whole_and_in_order, *boost::unit_test::label("case_67"))
{
    auto const directory = Directory{};
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

/// Case 67: the system takes a part of the write, and no more. Whoever took that for the whole would append behind a hole.
BOOST_AUTO_TEST_CASE(a_write_that_is_cut_short_is_a_failure, *boost::unit_test::label("case_67"))
{
    auto const directory = Directory{};
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

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test
