// SPDX-License-Identifier: BSL-1.0
#include "../../docs/examples/kv/report/operator_log.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

namespace kv::operator_log_tests
{
namespace
{

/// A log into a pipe whose other end is the test's.
struct Fixture
{
    Fixture()
    {
        BOOST_REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
        log = std::make_unique<OperatorLog>(ends[1]);
    }
    ~Fixture()
    {
        log.reset();
        stop_reading();
        ::close(ends[1]);
    }

    void stop_reading()
    {
        if (ends[0] >= 0)
            ::close(std::exchange(ends[0], -1));
    }

    /// Writes until nothing more goes in.
    void fill() const
    {
        ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
        auto const bytes = std::string(1'024, '.');
        while (::write(ends[1], bytes.data(), bytes.size()) > 0) {}
        ::fcntl(ends[1], F_SETFL, 0);
    }

    /// Reads until this was printed, or nothing comes any more.
    std::string read_until(std::string const& words) const
    {
        auto printed = std::string{};
        while (printed.find(words) == std::string::npos) {
            auto       piece = std::array<char, 65'536>{};
            auto const size = ::read(ends[0], piece.data(), piece.size());
            if (size <= 0)
                break;
            printed.append(piece.data(), static_cast<std::size_t>(size));
        }
        return printed;
    }

    std::array<int, 2>           ends{};
    std::unique_ptr<OperatorLog> log;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(operator_log, Fixture)

BOOST_AUTO_TEST_CASE(a_line_is_written_with_the_name_of_the_program_before_it)
{
    log->print({"leads", " in term ", "7"});
    BOOST_TEST(read_until("\n") == "kv: leads in term 7\n");
}

BOOST_AUTO_TEST_CASE(the_last_lines_are_written_before_the_log_goes)
{
    log->print("the end");
    log.reset();
    BOOST_TEST(read_until("\n") == "kv: the end\n");
}

BOOST_AUTO_TEST_CASE(writing_never_waits_for_a_reader_and_drops_what_has_no_room)
{
    fill();
    auto const long_line = std::string(2 * OperatorLog::line_bytes_max, 'l');
    for (auto line = 0; line < 40; ++line)
        log->print(long_line);

    // What was taken by the thread and what is kept have room, of 40 lines cut to 4 KiB.
    BOOST_TEST(log->dropped() >= 8U);
    auto const printed = read_until("lines were dropped");
    BOOST_TEST(printed.find(std::to_string(log->dropped()) + " lines were dropped") != std::string::npos);
    BOOST_TEST(std::count(printed.begin(), printed.end(), '\n') >= 40 - static_cast<int>(log->dropped()));
}

BOOST_AUTO_TEST_CASE(lines_that_come_too_fast_are_dropped_and_counted)
{
    for (auto line = std::size_t{0}; line < 100 * OperatorLog::lines_per_second_max; ++line)
        log->print("flood");

    BOOST_TEST(log->dropped() > 0U);
    BOOST_TEST(read_until("lines were dropped").find("kv: flood\n") == 0U);
}

BOOST_AUTO_TEST_CASE(a_log_whose_reader_is_gone_drops_and_ends)
{
    std::signal(SIGPIPE, SIG_IGN);
    stop_reading();
    log->print("to nobody");
    BOOST_REQUIRE_NO_THROW(log.reset()); // Not ended by SIGPIPE either.
}

BOOST_AUTO_TEST_CASE(a_log_that_nobody_reads_does_not_keep_the_process)
{
    fill();
    log->print("to nobody");
    BOOST_REQUIRE_NO_THROW(log.reset()); // It would wait without end.
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kv::operator_log_tests
