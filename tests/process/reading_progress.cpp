// SPDX-License-Identifier: BSL-1.0
#include "../../docs/examples/kv/report/reading_progress.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace kv::reading_progress_tests
{

BOOST_AUTO_TEST_SUITE(reading_progress)

BOOST_AUTO_TEST_CASE(progress_in_a_long_log_is_printed_once_a_second_and_in_a_short_one_not_at_all)
{
    constexpr auto mib = std::uint64_t{1} << 20U;
    auto const     began = ReadingProgress::Time{};
    auto const     at = [&](int ms) { return began + std::chrono::milliseconds{ms}; };
    auto           progress = ReadingProgress{began};

    BOOST_TEST(not progress.line({1 * mib, 9 * mib, totora::Index{10}}, at(999)));
    auto const first = progress.line({2 * mib, 9 * mib, totora::Index{20}}, at(1'000));
    BOOST_TEST(first.value_or("") == "reads its log: 2 of 9 MiB, through index 20");
    BOOST_TEST(not progress.line({3 * mib, 9 * mib, totora::Index{30}}, at(1'999)));
    auto const second = progress.line({4 * mib, 9 * mib, totora::Index{40}}, at(2'000));
    BOOST_TEST(second.value_or("") == "reads its log: 4 of 9 MiB, through index 40");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kv::reading_progress_tests
