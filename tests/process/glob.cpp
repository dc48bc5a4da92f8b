// SPDX-License-Identifier: BSL-1.0
#include "../../docs/examples/kv/commands/glob.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>

namespace kv::glob_tests
{
namespace
{

bool matches(std::string_view pattern, std::string_view text)
{
    auto const glob = Glob::read(pattern);
    BOOST_REQUIRE(glob.has_value());
    return glob->matches(text);
}

/// The same by trying everything.
bool matches_slowly(std::string_view pattern, std::string_view text)
{
    if (pattern.empty())
        return text.empty();
    if (pattern.front() == '*')
        return matches_slowly(pattern.substr(1), text) or
               (not text.empty() and matches_slowly(pattern, text.substr(1)));
    if (text.empty())
        return false;
    if (pattern.front() == '[' and pattern.starts_with("[ab]"))
        return (text.front() == 'a' or text.front() == 'b') and matches_slowly(pattern.substr(4), text.substr(1));
    return (pattern.front() == '?' or pattern.front() == text.front()) and
           matches_slowly(pattern.substr(1), text.substr(1));
}

} // namespace

BOOST_AUTO_TEST_SUITE(glob)

BOOST_AUTO_TEST_CASE(patterns_match_as_those_of_redis)
{
    BOOST_TEST(matches("", ""));
    BOOST_TEST(not matches("", "a"));
    BOOST_TEST(matches("*", ""));
    BOOST_TEST(matches("**", "a"));
    BOOST_TEST(matches("h?llo", "hallo"));
    BOOST_TEST(not matches("h?llo", "hllo"));
    BOOST_TEST(matches("h*llo", "heeeello"));
    BOOST_TEST(matches("h[ae]llo", "hello"));
    BOOST_TEST(not matches("h[ae]llo", "hillo"));
    BOOST_TEST(matches("h[^e]llo", "hallo"));
    BOOST_TEST(not matches("h[^e]llo", "hello"));
    BOOST_TEST(matches("h[a-c]llo", "hbllo"));
    BOOST_TEST(matches("h[c-a]llo", "hbllo"));
    BOOST_TEST(not matches("h[a-c]llo", "hdllo"));
    BOOST_TEST(matches("h\\*llo", "h*llo"));
    BOOST_TEST(not matches("h\\*llo", "hello"));
    BOOST_TEST(matches("[\\]]", "]"));
    BOOST_TEST(matches("[ab", "b"), "a class that is not closed goes to the end");
    BOOST_TEST(matches("a\\", "a\\"));
    BOOST_TEST(not matches("Hello", "hello"));
    BOOST_TEST(matches("\xFF?", "\xFF\x80"));
    BOOST_TEST(Glob::read("*")->takes_all());
    BOOST_TEST(not Glob::read("*a")->takes_all());
}

BOOST_AUTO_TEST_CASE(a_pattern_matches_what_trying_everything_matches)
{
    auto random = std::mt19937_64{3};
    auto matched = 0;
    for (auto round = 0; round < 200'000; ++round) {
        auto pattern = std::string{};
        auto text = std::string{};
        for (auto pieces = random() % 7; pieces > 0; --pieces)
            pattern += std::array{"a", "b", "*", "?", "[ab]", "c"}[random() % 6];
        for (auto letters = random() % 8; letters > 0; --letters)
            text += "abc"[random() % 3];
        BOOST_REQUIRE_MESSAGE(matches(pattern, text) == matches_slowly(pattern, text), pattern << " and " << text);
        matched += matches(pattern, text) ? 1 : 0;
    }
    BOOST_TEST(matched > 20'000);
}

BOOST_AUTO_TEST_CASE(letters_beyond_the_first_64_count)
{
    for (auto const length : {63U, 64U, 65U, 127U, 128U, 129U, 512U}) {
        auto const text = std::string(length, 'a');
        BOOST_TEST(matches(text, text));
        BOOST_TEST(not matches(text, text + "a"));
        BOOST_TEST(not matches(text, text.substr(1)));
        BOOST_TEST(not matches(text, text.substr(1) + "b"));
        BOOST_TEST(matches("*" + text, "ba" + text));
        BOOST_TEST(matches(text + "*", text + "ab"));
    }
    BOOST_TEST(not Glob::read(std::string(513, 'a')).has_value());
    BOOST_TEST(Glob::read(std::string(100'000, '*')).has_value());
}

/// Tried one after the other, the places of these stars would take longer than anybody waits.
BOOST_AUTO_TEST_CASE(no_pattern_takes_long)
{
    auto pattern = std::string{};
    for (auto stars = 0; stars < 200; ++stars)
        pattern += "*a";
    auto const text = std::string(std::size_t{1} << 20U, 'a');

    BOOST_TEST(matches(pattern, text));
    BOOST_TEST(not matches(pattern + "b", text));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kv::glob_tests
