// SPDX-License-Identifier: BSL-1.0
#include "support/story/story.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// The history of a cluster as text: tests/stories/NAME.txt has a script and, beneath each block of commands, what the shipped
// core does. `bash tests/run.sh --folders stories --update` rewrites the files; the test program takes `-- --update`.

namespace totora::test::stories_tests
{
namespace
{

std::filesystem::path folder() { return std::filesystem::path{TOTORA_SOURCE_DIR} / "tests" / "stories"; }

/// The names of the stories that have a test.
std::vector<std::string>& names_of_stories()
{
    static auto names = std::vector<std::string>{};
    return names;
}

std::string text_of(std::filesystem::path const& file)
{
    auto stream = std::ifstream{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{stream}, {}};
}

bool is_to_be_updated()
{
    auto const& suite = boost::unit_test::framework::master_test_suite();
    return std::any_of(suite.argv + 1, suite.argv + suite.argc,
                       [](char const* argument) { return std::string_view{argument} == "--update"; });
}

/// A story as it happens now: prose and commands as they stand in `text`, and beneath each block of commands what they do.
///
/// A line that begins with # is prose. A block of commands ends at `----`, what they did at the next empty line.
std::string replayed(std::string const& text)
{
    constexpr std::string_view rule = "----";

    auto       story = Story{};
    auto       result = std::string{};
    auto       outcome = std::string{}; // Of the commands of the present block.
    auto       in_commands = false;
    auto       in_outcome = false;
    auto const end_commands = [&] {
        if (in_commands)
            result += std::string{rule} + "\n" + outcome;
        in_commands = false;
        outcome.clear();
    };
    auto lines = std::istringstream{text};
    for (auto line = std::string{}; std::getline(lines, line);) {
        if (line == rule) {
            end_commands();
            in_outcome = true;
        } else if (line.empty()) {
            end_commands();
            in_outcome = false;
            result += "\n";
        } else if (line.starts_with('#')) {
            result += line + "\n";
        } else if (not in_outcome) {
            in_commands = true;
            result += line + "\n";
            try {
                outcome += story.command(line);
            } catch (std::runtime_error const& error) {
                outcome += "cannot be done: " + std::string{error.what()} + "\n";
            }
        }
    }
    end_commands();
    return result;
}

/// The first line in which two texts differ, for a message that can be read.
std::string first_difference(std::string const& expected, std::string const& actual)
{
    auto a = std::istringstream{expected};
    auto b = std::istringstream{actual};
    for (auto number = 1;; ++number) {
        auto       left = std::string{};
        auto       right = std::string{};
        auto const more_left = static_cast<bool>(std::getline(a, left));
        auto const more_right = static_cast<bool>(std::getline(b, right));
        if (left != right or more_left != more_right)
            return "line " + std::to_string(number) + "\n  the file:  " + left + "\n  happens:   " + right;
        if (not more_left)
            return {};
    }
}

void run_story(std::string const& name)
{
    auto const file = folder() / (name + ".txt");
    auto const expected = text_of(file);
    auto const actual = replayed(expected);
    BOOST_TEST(actual.find("cannot be done: ") == std::string::npos, name << " has a command that cannot be done");
    if (is_to_be_updated() and actual != expected)
        std::ofstream{file, std::ios::binary} << actual;
    else
        BOOST_TEST(actual == expected, name << ".txt, " << first_difference(expected, actual));
}

struct Registered
{
    explicit Registered(char const* name) { names_of_stories().emplace_back(name); }
};

} // namespace

BOOST_AUTO_TEST_SUITE(stories)

#define TOTORA_STORY(name, ...)                                                                                        \
    static auto const name##_is_run = Registered{#name};                                                               \
    BOOST_AUTO_TEST_CASE(name, TOTORA_LABELS(__VA_ARGS__)) { run_story(#name); }

TOTORA_STORY(an_election_with_pre_vote, "5.2", "dissertation 9.6")
TOTORA_STORY(figure_7, "Figure 7", "5.3")
TOTORA_STORY(figure_8, "Figure 8", "5.4.2", "case_14")
TOTORA_STORY(a_leader_that_returns, "5.3", "case_7")
TOTORA_STORY(a_conflict_that_is_truncated, "5.3", "case_11")
TOTORA_STORY(a_read_round, "8", "dissertation 6.4", "case_47")
TOTORA_STORY(a_full_disk, "case_90", "case_67")
TOTORA_STORY(a_vote_that_was_not_durable, "5.2", "case_1")

BOOST_AUTO_TEST_CASE(every_story_is_run)
{
    auto files = std::vector<std::string>{};
    for (auto const& entry : std::filesystem::directory_iterator{folder()})
        if (entry.path().extension() == ".txt")
            files.push_back(entry.path().stem().string());
    std::sort(files.begin(), files.end());
    std::sort(names_of_stories().begin(), names_of_stories().end());

    BOOST_TEST(names_of_stories() == files, boost::test_tools::per_element());
    BOOST_TEST(names_of_stories().size() >= 6U);
}

BOOST_AUTO_TEST_CASE(a_story_that_happens_otherwise_is_found)
{
    auto const text =
        std::string{"# Prose.\n\nstart 1\n----\nS1 starts\n  is      follower, term 0, log\n\ncampaign S1\n"};
    auto const whole = replayed(text);

    BOOST_TEST(whole.starts_with(text.substr(0, text.size() - 1)));
    BOOST_TEST(whole.find("decides campaign_started") != std::string::npos);
    BOOST_TEST(replayed(whole) == whole);
    auto wrong = whole;
    wrong.replace(wrong.find("campaign_started"), 8, "election");
    BOOST_TEST(replayed(wrong) == whole);
    BOOST_TEST(first_difference(wrong, replayed(wrong)).starts_with("line "));
    BOOST_TEST(first_difference(whole, whole) == "");
}

BOOST_AUTO_TEST_CASE(a_command_without_a_meaning_is_refused)
{
    for (auto const* const text : {"sing S1\n", "propose S1 2\n", "start 2\ncampaign S3\n", "start 2\npropose S1 two\n",
                                   "start 2\npropose S1\n", "start 2\ndeliver S1 S2\n", "start 2\nset colour 1\n",
                                   "start 2\ncrash S1\ncampaign S1\n", "start 2\nprogress S1\n"})
        BOOST_TEST(replayed(text).find("cannot be done: ") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::stories_tests
