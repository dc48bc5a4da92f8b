// SPDX-License-Identifier: BSL-1.0
#include "process/register_history.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace totora::process::register_history_tests
{
namespace
{

Operation write(std::string value, Moment began, Moment ended)
{
    return {Operation::Kind::write, std::move(value), began, ended};
}

Operation read(std::string value, Moment began, Moment ended)
{
    return {Operation::Kind::read, std::move(value), began, ended};
}

/// The definition itself (Herlihy and Wing), by trying every order: what may come first is what began before
/// everything else that is left ended.
bool is_linearizable(std::vector<Operation> const& left, std::string const& value)
{
    auto const is_certain = [](Operation const& operation) { return operation.ended != never; };
    if (std::none_of(left.begin(), left.end(), is_certain))
        return true;
    auto first_end = never;
    for (auto const& operation : left)
        first_end = std::min(first_end, operation.ended);
    for (auto at = std::size_t{0}; at < left.size(); ++at) {
        auto const& operation = left[at];
        if (operation.began > first_end)
            continue;
        auto const is_read = operation.kind == Operation::Kind::read;
        if (is_read and operation.value != value)
            continue;
        auto rest = left;
        rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(at));
        if (is_linearizable(rest, operation.value))
            return true;
    }
    return false;
}

} // namespace

BOOST_AUTO_TEST_SUITE(the_checker_of_register_histories)

BOOST_AUTO_TEST_CASE(reads_in_turn_with_the_writes_are_fine)
{
    BOOST_TEST(find_violation({}) == "");
    BOOST_TEST(find_violation({read("", 0, 1), write("a", 2, 3), read("a", 4, 5), write("b", 6, 7), read("b", 8, 9)}) ==
               "");
}

BOOST_AUTO_TEST_CASE(a_lost_write_is_found)
{
    BOOST_TEST(find_violation({write("a", 1, 2), read("", 3, 4)}) != "");
    BOOST_TEST(find_violation({write("a", 1, 2), write("b", 3, 4), read("a", 5, 6)}) != "");
}

BOOST_AUTO_TEST_CASE(a_stale_read_is_found_also_while_the_write_has_not_ended)
{
    BOOST_TEST(find_violation({write("a", 1, 2), write("b", 3, 20), read("a", 4, 5), read("b", 6, 7)}) == "");
    BOOST_TEST(find_violation({write("a", 1, 2), write("b", 3, 20), read("b", 4, 5), read("a", 6, 7)}) != "");
}

BOOST_AUTO_TEST_CASE(an_unknown_outcome_may_happen_late_or_never)
{
    BOOST_TEST(find_violation({write("a", 1, 2), write("b", 3, never), read("a", 4, 5)}) == "");
    BOOST_TEST(find_violation({write("a", 1, 2), write("b", 3, never), read("a", 4, 5), read("b", 6, 7)}) == "");
    BOOST_TEST(find_violation({write("a", 1, 2), write("b", 3, never), write("c", 8, 9), read("b", 10, 11)}) == "");
}

BOOST_AUTO_TEST_CASE(an_unknown_outcome_happens_only_once)
{
    BOOST_TEST(find_violation({write("a", 1, 2), write("b", 3, never), read("b", 4, 5), read("a", 6, 7)}) != "");
    BOOST_TEST(find_violation({write("b", 1, never), read("b", 2, 3), write("c", 4, 5), read("b", 6, 7)}) != "");
}

BOOST_AUTO_TEST_CASE(a_value_from_nowhere_or_from_the_future_is_found)
{
    BOOST_TEST(find_violation({read("a", 1, 2)}) != "");
    BOOST_TEST(find_violation({read("a", 1, 2), write("a", 3, 4)}) != "");
}

BOOST_AUTO_TEST_CASE(a_write_that_others_enclose_is_found)
{
    BOOST_TEST(find_violation({write("a", 1, 2), write("b", 3, 4), read("a", 5, 6)}) != "");
    BOOST_TEST(find_violation({write("a", 1, 2), write("b", 3, 5), read("a", 5, 6)}) == "");
}

/// Every history of few operations, by chance: the checker agrees with the definition.
BOOST_AUTO_TEST_CASE(the_checker_agrees_with_the_definition)
{
    auto       random = std::mt19937_64{20'240'229};
    auto const below = [&](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
    auto       linearizable = 0;
    auto const histories = 200'000;
    for (auto history = 0; history < histories; ++history) {
        auto       operations = std::vector<Operation>{};
        auto const writes = 1 + below(3);
        auto const moment = [&] { return static_cast<Moment>(1 + below(12)); };
        for (auto number = std::size_t{0}; number < writes; ++number) {
            auto const began = moment();
            auto const is_unknown = below(4) == 0;
            operations.push_back(write(std::string(1, static_cast<char>('a' + number)), began,
                                       is_unknown ? never : began + static_cast<Moment>(below(6))));
        }
        for (auto reads = below(5); reads > 0; --reads) {
            auto const which = below(writes + 1);
            auto const began = moment();
            operations.push_back(
                read(which == writes ? "" : operations[which].value, began, began + static_cast<Moment>(below(4))));
        }

        auto const expected = is_linearizable(operations, "");
        auto const found = find_violation(operations);

        linearizable += expected ? 1 : 0;
        if (expected != found.empty()) {
            for (auto const& operation : operations)
                BOOST_TEST_MESSAGE((operation.kind == Operation::Kind::write ? "write " : "read ")
                                   << operation.value << " " << operation.began << " " << operation.ended);
            BOOST_FAIL("expected by the definition: " << expected << ", found by the checker: '" << found << "'");
        }
    }
    BOOST_TEST(linearizable > histories / 10);
    BOOST_TEST(linearizable < histories * 9 / 10);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::process::register_history_tests
