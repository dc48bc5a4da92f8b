// SPDX-License-Identifier: BSL-1.0
#include "totora/transport/tcp/repeat_filter.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace totora;

namespace
{

LineBudget::Moment at(int milliseconds) { return LineBudget::Moment{std::chrono::milliseconds{milliseconds}}; }

struct Fixture
{
    std::vector<std::string> told;
    RepeatFilter::Log        log = [this](std::string_view sentence) { told.emplace_back(sentence); };
    std::uint64_t            left_out = 0;
    RepeatFilter             sentences{log, left_out};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(sentence_log, Fixture)

BOOST_AUTO_TEST_CASE(a_second_has_room_for_so_many_sentences_and_the_next_second_again)
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

BOOST_AUTO_TEST_CASE(a_sentence_is_repeated_only_after_another_one)
{
    for (auto const* const sentence : {"lost", "lost", "connected", "lost"})
        sentences.log(sentence, at(0));
    BOOST_TEST((told == std::vector<std::string>{"lost", "connected", "lost"}));
}

BOOST_AUTO_TEST_CASE(of_a_flood_of_sentences_a_few_are_told_and_the_newest_follows_with_the_number_left_out)
{
    for (auto sentence = 0; sentence < 1'000; ++sentence)
        sentences.log(sentence % 2 == 0 ? "connected" : "lost", at(sentence / 2));
    BOOST_TEST(told.size() == RepeatFilter::per_second);

    sentences.catch_up(at(999));
    BOOST_TEST(told.size() == RepeatFilter::per_second);
    sentences.catch_up(at(1'000));
    sentences.catch_up(at(3'000));
    BOOST_REQUIRE(told.size() == RepeatFilter::per_second + 1);
    BOOST_TEST(told.back() == "lost (994 sentences before it were left out)");
    BOOST_TEST(left_out == 994U);
}

BOOST_AUTO_TEST_CASE(what_was_held_back_comes_before_what_follows_it)
{
    for (auto sentence = std::size_t{0}; sentence <= RepeatFilter::per_second; ++sentence)
        sentences.log(std::to_string(sentence), at(0));
    sentences.log("later", at(2'000));
    BOOST_TEST(told.size() == RepeatFilter::per_second);

    sentences.catch_up(at(2'100));
    BOOST_TEST(told.back() == "later (1 sentences before it were left out)");
}

BOOST_AUTO_TEST_CASE(a_log_without_anybody_who_reads_it_is_allowed)
{
    auto const nobody = RepeatFilter::Log{};
    auto       silent = RepeatFilter{nobody, left_out};
    for (auto sentence = std::size_t{0}; sentence < 2 * RepeatFilter::per_second; ++sentence)
        silent.log(std::to_string(sentence), at(0));
    silent.catch_up(at(1'000));
    BOOST_TEST(left_out == RepeatFilter::per_second - 1);
}

BOOST_AUTO_TEST_SUITE_END()
