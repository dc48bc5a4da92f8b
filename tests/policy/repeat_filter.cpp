// SPDX-License-Identifier: BSL-1.0
#include "totora/transport/tcp/repeat_filter.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace totora::test::repeat_filter_tests
{
namespace
{

LineBudget::Moment at(int milliseconds) { return LineBudget::Moment{std::chrono::milliseconds{milliseconds}}; }

struct Fixture
{
    std::vector<std::string> lines;
    RepeatFilter::Log        log = [this](std::string_view line) { lines.emplace_back(line); };
    std::uint64_t            left_out = 0;
    RepeatFilter             filter{log, left_out};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(repeat_filter, Fixture)

BOOST_AUTO_TEST_CASE(a_budget_of_lines_is_renewed_every_second)
{
    auto budget = LineBudget{2};
    BOOST_TEST(budget.take(at(0)));
    BOOST_TEST(budget.take(at(10)));
    BOOST_TEST(not budget.take(at(999)));
    BOOST_TEST((budget.next() == at(1'000)));
    BOOST_TEST(budget.take(at(1'000)));
    BOOST_TEST(budget.take(at(5'000)));
    BOOST_TEST(not LineBudget{0}.take(at(0)));
}

BOOST_AUTO_TEST_CASE(a_line_is_repeated_only_after_a_different_one)
{
    for (auto const* const line : {"lost", "lost", "connected", "lost"})
        filter.log(line, at(0));
    BOOST_TEST((lines == std::vector<std::string>{"lost", "connected", "lost"}));
}

BOOST_AUTO_TEST_CASE(of_a_flood_a_few_lines_are_logged_and_then_the_newest_with_the_number_left_out)
{
    for (auto line = 0; line < 1'000; ++line)
        filter.log(line % 2 == 0 ? "connected" : "lost", at(line / 2));
    BOOST_TEST(lines.size() == RepeatFilter::per_second);

    filter.catch_up(at(999));
    BOOST_TEST(lines.size() == RepeatFilter::per_second);
    filter.catch_up(at(1'000));
    filter.catch_up(at(3'000));
    BOOST_REQUIRE(lines.size() == RepeatFilter::per_second + 1);
    BOOST_TEST(lines.back() == "lost (994 lines before it were suppressed)");
    BOOST_TEST(left_out == 994U);
}

BOOST_AUTO_TEST_CASE(held_back_lines_are_logged_before_later_ones)
{
    for (auto line = std::size_t{0}; line <= RepeatFilter::per_second; ++line)
        filter.log(std::to_string(line), at(0));
    filter.log("later", at(2'000));
    BOOST_TEST(lines.size() == RepeatFilter::per_second);

    filter.catch_up(at(2'100));
    BOOST_TEST(lines.back() == "later (1 lines before it were suppressed)");
}

BOOST_AUTO_TEST_CASE(a_filter_may_have_no_log)
{
    auto const no_log = RepeatFilter::Log{};
    auto       silent = RepeatFilter{no_log, left_out};
    for (auto line = std::size_t{0}; line < 2 * RepeatFilter::per_second; ++line)
        silent.log(std::to_string(line), at(0));
    silent.catch_up(at(1'000));
    BOOST_TEST(left_out == RepeatFilter::per_second - 1);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::repeat_filter_tests
