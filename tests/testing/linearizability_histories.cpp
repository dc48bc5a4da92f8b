// SPDX-License-Identifier: BSL-1.0
// Histories made by hand: the verdict on each, and which operations are named as the reason.
#include "totora/testing/linearizability/linearizability.hpp"

#include "support/histories.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace totora::test::histories::linearizability_histories_tests
{

using namespace totora::linearizability;

namespace
{

/// Positions in a history.
using Reason = std::vector<std::size_t>;

Reason const good{};

template <typename Object>
struct Row
{
    std::string_view name;
    History<Object>  history;
    Reason           contradiction; ///< Empty if the history is linearizable.
};

template <typename Object>
void expect(std::vector<Row<Object>> const& rows)
{
    for (auto const& [name, history, contradiction] : rows) {
        auto verdict = check_linearizability(history);
        std::ranges::sort(verdict.contradiction);

        auto const expected = contradiction.empty() ? VerdictKind::linearizable : VerdictKind::not_linearizable;
        BOOST_TEST((verdict.kind == expected), name);
        BOOST_TEST(verdict.contradiction == contradiction, name << boost::test_tools::per_element());
        BOOST_TEST(verdict.contradiction_is_smallest == not contradiction.empty(), name);
        BOOST_TEST(verdict.blocked.empty() == contradiction.empty(), name);
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(hand_made_histories)

BOOST_AUTO_TEST_CASE(of_a_register_whose_reads_see_one_write_or_another)
{
    expect<Register>({
        {"nothing happened", {}, good},
        {"one client after the other", {read(null, 1, 2), write("a", 3, 4), read("a", 5, 6)}, good},
        {"a read during a write sees the old value", {write("a", 1, 4), read(null, 2, 3)}, good},
        {"a read during a write sees the new value", {write("a", 1, 4), read("a", 2, 3)}, good},
        {"reads turn from old to new once", {write("a", 1, 9), read(null, 2, 3), read("a", 4, 5)}, good},
        {"reads turn back to old", {write("a", 1, 9), read("a", 2, 3), read(null, 4, 5)}, {1, 2}},
        {"a write is lost", {write("a", 1, 2), read(null, 3, 4)}, {0, 1}},
        {"a stale read", {write("a", 1, 2), write("b", 3, 4), read("a", 5, 6)}, {0, 1, 2}},
        {"the stale read overlaps the second write", {write("a", 1, 2), write("b", 3, 5), read("a", 4, 6)}, good},
        {"a value that nobody wrote", {write("a", 1, 2), read("b", 1, 4)}, {1}},
        {"a value from the future", {read("a", 1, 2), write("a", 3, 4)}, {0}},
        {"a read that began before the write it saw", {read("a", 1, 4), write("a", 3, 5)}, good},
        {"a call at the moment of a return is concurrent", {write("a", 1, 3), read(null, 3, 4)}, good},
        {"a call just after a return is not", {write("a", 1, 3), read(null, 4, 4)}, {0, 1}},
        {"all at one moment", {write("a", 1, 1), write("b", 1, 1), read("a", 1, 1), read("b", 1, 1)}, good},
    });
}

BOOST_AUTO_TEST_CASE(of_a_register_with_concurrent_writes)
{
    expect<Register>({
        {"two concurrent writes, seen in one order", {write("a", 1, 4), write("b", 1, 4), read("a", 5, 6)}, good},
        {"two concurrent writes, seen in both orders, one after the other",
         {write("a", 1, 4), write("b", 1, 4), read("a", 5, 6), read("b", 7, 8)},
         {1, 2, 3}},
        {"two readers disagree about the order of two writes",
         {write("a", 1, 20), write("b", 1, 20), read("a", 2, 3), read("b", 4, 5), read("a", 6, 7)},
         {2, 3, 4}},
        {"two equal writes allow it",
         {write("a", 1, 20), write("b", 1, 20), write("a", 1, 20), read("a", 2, 3), read("b", 4, 5), read("a", 6, 7)},
         good},
        {"two reads overlap a write and each other", {write("a", 1, 3), read("a", 2, 5), read("a", 4, 6)}, good},
    });
}

BOOST_AUTO_TEST_CASE(of_a_register_with_unknown_outcomes)
{
    expect<Register>({
        {"an unknown write happens", {write("a", 1, never), read("a", 2, 3)}, good},
        {"an unknown write never happens", {write("a", 1, never), read(null, 2, 3)}, good},
        {"an unknown write happens long after its call",
         {write("a", 1, never), write("b", 2, 3), read("b", 4, 5), read("a", 6, 7), read("a", 8, 9)},
         good},
        {"an unknown write happens only once",
         {write("a", 1, never), read("a", 2, 3), write("b", 4, 5), read("a", 6, 7)},
         {1, 2, 3}},
        {"two unknown writes happen once each",
         {write("a", 1, never), write("a", 1, never), read("a", 2, 3), write("b", 4, 5), read("a", 6, 7)},
         good},
        {"an unknown write does not happen before its call", {read("a", 1, 2), write("a", 3, never)}, {0}},
        {"of two equal unknown writes the later one is called too late",
         {write("a", 1, never), read("a", 2, 3), write("b", 4, 5), read("a", 6, 7), write("a", 8, never)},
         {1, 2, 3}},
        {"an unknown read proves nothing", {write("a", 1, 2), read("b", 3, never), read("a", 4, 5)}, good},
        {"an unknown write between two reads turns the value for good",
         {write("a", 1, 2), write("b", 3, never), read("b", 4, 5), read("a", 6, 7)},
         {0, 2, 3}},
    });
}

BOOST_AUTO_TEST_CASE(of_registers_with_odd_values_moments_and_keys)
{
    expect<Register>({
        {"a write of a value that is there already", {write("a", 1, 2), write("a", 3, 4), read("a", 5, 6)}, good},
        {"null can be written", {write("a", 1, 2), write(null, 3, 4), read(null, 5, 6)}, good},
        {"an operation ends before its call", {read(null, 1, 2), write("a", 4, 3)}, {1}},
        {"keys are apart", {on("x", write("a", 1, 2)), on("y", read(null, 3, 4)), on("x", read("a", 5, 6))}, good},
        {"one of two keys is stale",
         {on("x", write("a", 1, 2)), on("y", write("b", 1, 2)), on("y", read(null, 3, 4)), on("x", read("a", 3, 4))},
         {1, 2}},
    });
}

BOOST_AUTO_TEST_CASE(of_a_key_value_store)
{
    expect<KeyValue>({
        {"put, get, remove", {put(1, 1, 2), get(1, 3, 4), remove(5, 6), get(null, 7, 8)}, good},
        {"a removed key is back", {put(1, 1, 2), remove(3, 4), get(1, 5, 6)}, {0, 1, 2}},
        {"a lock is taken by one of two", {change(null, 1, true, 1, 4), change(null, 2, false, 2, 3)}, good},
        {"a lock is taken by both", {change(null, 1, true, 1, 4), change(null, 2, true, 2, 3)}, {0, 1}},
        {"a lock is taken by none", {change(null, 1, false, 1, 4), change(null, 2, false, 2, 3)}, {0, 1}},
        {"a lock is taken, given back and taken",
         {change(null, 1, true, 1, 2), remove(3, 4), change(null, 2, true, 5, 6), get(2, 7, 8)},
         good},
        {"what was set in vain is seen", {put(1, 1, 2), change(2, 3, false, 3, 4), get(3, 5, 6)}, {2}},
        {"a set that succeeded is not seen", {put(1, 1, 2), change(1, 2, true, 3, 4), get(1, 5, 6)}, {1, 2}},
        {"a chain of changes in any order of calls",
         {change(2, 3, true, 1, 9), change(1, 2, true, 1, 9), put(1, 1, 9), get(3, 10, 11)},
         good},
        {"a chain with a missing link", {change(2, 3, true, 1, 9), put(1, 1, 9), get(3, 10, 11)}, {0}},
        {"an unknown change is the missing link",
         {change(2, 3, true, 1, 9), change(1, 2, true, 1, never), put(1, 1, 9), get(3, 10, 11)},
         good},
        {"an unknown change fails", {put(1, 1, 2), change(5, 6, true, 3, never), get(1, 4, 5)}, good},
        {"two unknown changes, one after the other",
         {put(1, 1, 2), change(2, 3, true, 3, never), change(1, 2, true, 3, never), get(3, 4, 5)},
         good},
        {"an unknown change succeeds once where two are needed",
         {put(1, 1, 2), change(1, 2, true, 3, never), get(2, 4, 5), put(1, 6, 7), get(2, 8, 9)},
         {2, 3, 4}},
        {"a change fails although it must succeed", {put(1, 1, 2), change(1, 2, false, 3, 4)}, {0, 1}},
        {"a change fails during a put of what it expects", {put(1, 1, 4), change(1, 2, false, 2, 3)}, good},
        {"there and back again",
         {put(1, 1, 2), change(1, 2, true, 3, 9), change(2, 1, true, 3, 9), get(1, 10, 11)},
         good},
        {"numbers, texts and truth values are different values", {put(1, 1, 2), get("1", 3, 4)}, {1}},
    });
}

BOOST_AUTO_TEST_CASE(of_a_counter)
{
    expect<Counter>({
        {"additions add up", {add(1, 1, 2), add(2, 3, 4), count(3, 5, 6)}, good},
        {"a lost addition", {add(1, 1, 2), add(2, 3, 4), count(2, 5, 6)}, {0, 2}},
        {"an addition that counts twice", {add(1, 1, 2), count(2, 3, 4)}, {1}},
        {"a read between two concurrent additions",
         {add(1, 1, 9), add(2, 1, 9), count(2, 2, 3), count(3, 10, 11)},
         good},
        {"reads see concurrent additions in two orders",
         {add(1, 1, 9), add(2, 1, 9), count(1, 2, 5), count(2, 2, 5)},
         {2, 3}},
        {"numbers are handed out once each", {add_and_read(1, 2, 1, 9), add_and_read(1, 1, 1, 9)}, good},
        {"a number is handed out twice", {add_and_read(1, 1, 1, 9), add_and_read(1, 1, 1, 9)}, {0, 1}},
        {"numbers are handed out in the order of time", {add_and_read(1, 2, 1, 2), add_and_read(1, 1, 3, 4)}, {0}},
        {"an unknown addition fills the gap", {add(1, 1, never), add_and_read(1, 2, 1, 9)}, good},
        {"two of three equal unknown additions happened",
         {add(1, 1, never), add(1, 1, never), add(1, 1, never), count(2, 2, 3), count(2, 4, 5)},
         good},
        {"four of three cannot", {add(1, 1, never), add(1, 1, never), add(1, 1, never), count(4, 2, 3)}, {3}},
        {"unknown additions that make 11 in one way only",
         {add(1, 1, never), add(2, 1, never), add(4, 1, never), add(8, 1, never), count(11, 2, 3), count(15, 4, 5)},
         good},
        {"5 is made of 2 and 3, since 1 comes next",
         {add(1, 1, never), add(4, 1, never), add(2, 1, never), add(3, 1, never), count(5, 2, 3), count(6, 4, 5)},
         good},
        {"5 is made of 1 and 4, since 2 comes next",
         {add(1, 1, never), add(4, 1, never), add(2, 1, never), add(3, 1, never), count(5, 2, 3), count(7, 4, 5)},
         good},
        {"an unknown addition is not undone",
         {add(1, 1, never), add(2, 1, never), count(3, 2, 3), count(2, 4, 5)},
         {2, 3}},
        {"subtractions", {add(5, 1, 2), add(-7, 3, 4), count(-2, 5, 6)}, good},
        {"overflow begins again at the other end", {add(INT64_MAX, 1, 2), add(1, 3, 4), count(INT64_MIN, 5, 6)}, good},
    });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::histories::linearizability_histories_tests
