// SPDX-License-Identifier: BSL-1.0
// How far the checker gets, what it reports when it is stopped, and in which words.
#include "totora/testing/linearizability/linearizability_report.hpp"

#include "support/histories.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace totora::test::histories::linearizability_effort_tests
{

using namespace totora::linearizability;

namespace
{

/// What clients of a correct register see: some of the writes are never answered, and happen late or not at all.
History<Register> history_of_clients(std::size_t operations, std::size_t clients, std::size_t one_is_lost_in)
{
    struct Late
    {
        std::int64_t value;
        Moment       effect;
    };

    auto       random = std::mt19937_64{6};
    auto const below = [&](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
    auto const some = [&] { return static_cast<Moment>(below(10 * clients)); };
    auto       history = History<Register>{};
    auto       late = std::vector<Late>{};
    auto       state = Scalar{null};
    for (auto number = std::size_t{0}; number < operations; ++number) {
        auto const effect = static_cast<Moment>(10 * number);
        for (auto const& [value, moment] : late)
            if (moment <= effect)
                state = value;
        std::erase_if(late, [&](Late const& one) { return one.effect <= effect; });

        auto const value = static_cast<std::int64_t>(number);
        auto const called = effect - some();
        if (below(one_is_lost_in) == 0) {
            history.push_back(write(value, called, never));
            if (below(2) == 0)
                late.push_back({value, effect + 40 * some()});
        } else if (below(2) == 0) {
            state = value;
            history.push_back(write(value, called, effect + some()));
        } else {
            history.push_back(read(state, called, effect + some()));
        }
        history.back().client = number % clients;
    }
    return history;
}

/// A user's own object: a queue.
struct Queue
{
    using State = std::vector<int>;
    using Action = int; ///< What is put in; 0 takes the oldest one out.
    using Answer = int; ///< What was taken out, 0 if there was nothing.

    [[nodiscard]] State initial() const { return {}; }

    [[nodiscard]] Answer apply(State& state, Action action) const
    {
        if (action != 0) {
            state.push_back(action);
            return 0;
        }
        if (state.empty())
            return 0;
        auto const first = state.front();
        state.erase(state.begin());
        return first;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(the_effort_of_a_check)

BOOST_AUTO_TEST_CASE(long_histories_with_many_unknown_outcomes_are_decided)
{
    auto history = history_of_clients(10'000, 5, 100);

    auto const verdict = check_linearizability(history);

    BOOST_TEST((verdict.kind == VerdictKind::linearizable));
    BOOST_TEST(verdict.steps < 20'000'000U);
    BOOST_TEST_MESSAGE(verdict.steps << " steps, " << verdict.configurations << " configurations");
}

BOOST_AUTO_TEST_CASE(a_stale_read_far_into_a_long_history_is_found_and_explained)
{
    auto       history = history_of_clients(500, 5, 100);
    auto const end = Moment{100'000};
    history.push_back(write(-1, end, end + 1));
    history.push_back(write(-2, end + 2, end + 3));
    history.push_back(read(-1, end + 4, end + 5));

    auto const verdict = check_linearizability(history);

    BOOST_TEST((verdict.kind == VerdictKind::not_linearizable));
    auto const expected = std::vector<std::size_t>{500, 501, 502};
    BOOST_TEST(verdict.contradiction == expected, boost::test_tools::per_element());
    BOOST_TEST(verdict.contradiction_is_smallest);
    BOOST_TEST_MESSAGE(verdict.steps << " steps, " << verdict.configurations << " configurations");
}

/// Equal ones are interchangeable, and reads without an answer do nothing: neither makes a search longer.
BOOST_AUTO_TEST_CASE(equal_operations_of_unknown_outcome_cost_little)
{
    auto history = History<Counter>{};
    for (auto number = 0; number < 500; ++number) {
        history.push_back(add(1, number, never));
        history.push_back(count(0, number, never));
    }
    history.push_back(count(501, 1'000, 1'001));

    auto const verdict = check_linearizability(history);

    BOOST_TEST((verdict.kind == VerdictKind::not_linearizable));
    BOOST_TEST(verdict.steps < 2'000'000U);
}

BOOST_AUTO_TEST_CASE(a_search_that_would_take_too_long_is_undecided)
{
    auto history = History<Counter>{};
    for (auto number = 0; number < 40; ++number)
        history.push_back(on("hard", add(std::int64_t{1} << number, 1, 100)));
    history.push_back(on("hard", count((std::int64_t{1} << 41) - 1, 2, 3)));
    history.push_back(on("soft", count(0, 1, 2)));

    auto const few_steps = check_linearizability(history, Counter{}, {.steps_max = 10'000});
    auto const few_bytes = check_linearizability(history, Counter{}, {.bytes_max = 100'000});

    BOOST_TEST((few_steps.kind == VerdictKind::undecided));
    BOOST_TEST(few_steps.key == "hard");
    BOOST_TEST(few_steps.steps < 11'000U);
    BOOST_TEST((few_bytes.kind == VerdictKind::undecided));
    BOOST_TEST(few_bytes.configurations < 2'500U);
    BOOST_TEST(describe(history, few_steps).starts_with("key \"hard\" is undecided after "));
}

BOOST_AUTO_TEST_CASE(one_key_that_is_not_linearizable_outweighs_one_that_is_undecided)
{
    auto history = History<Counter>{on("z", count(1, 1, 2))};
    for (auto number = 0; number < 40; ++number)
        history.push_back(on("hard", add(std::int64_t{1} << number, 1, 100)));
    history.push_back(on("hard", count((std::int64_t{1} << 41) - 1, 2, 3)));

    auto const verdict = check_linearizability(history, Counter{}, {.bytes_max = 100'000});

    BOOST_TEST((verdict.kind == VerdictKind::not_linearizable));
    BOOST_TEST(verdict.key == "z");
}

BOOST_AUTO_TEST_CASE(an_explanation_that_would_take_too_long_is_not_the_smallest)
{
    auto const history =
        History<Register>{write("a", 1, 2), write("b", 3, 4), read("b", 5, 6), read("b", 7, 8), read("a", 9, 10)};

    auto const verdict = check_linearizability(history, Register{}, {.explanation_steps_max = 0});

    BOOST_TEST((verdict.kind == VerdictKind::not_linearizable));
    BOOST_TEST(verdict.contradiction.size() == 5U);
    BOOST_TEST(not verdict.contradiction_is_smallest);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_described_in_words)
{
    auto history = History<Register>{write("a", 1, 2), write("b", 3, 4), read("a", 5, 6), read(null, 5, never)};
    history[1].client = 2;

    BOOST_TEST(describe(history, check_linearizability(history)) ==
               "key \"x\" is not linearizable. These contradict each other, whatever became of all others:\n"
               "  [0] client 1: write value=\"a\", from 1 to 2, answer null\n"
               "  [1] client 2: write value=\"b\", from 3 to 4, answer null\n"
               "  [2] client 1: read, from 5 to 6, answer \"a\"\n"
               "2 operations can be placed in this order:\n"
               "  [0] client 1: write value=\"a\", from 1 to 2, answer null\n"
               "  [1] client 2: write value=\"b\", from 3 to 4, answer null\n"
               "Then the first of these must come next, and none of them can:\n"
               "  [2] client 1: read, from 5 to 6, answer \"a\"\n");
    BOOST_TEST(describe(history, 3) == "[3] client 1: read, from 5, outcome unknown");
    BOOST_TEST(describe(History<Register>{}, Verdict{}) == "linearizable\n");
}

BOOST_AUTO_TEST_CASE(an_object_of_the_users_own_needs_no_more_than_to_be_compared)
{
    auto const in = [](int what, Moment called, Moment ended) { return operation<Queue>(what, 0, called, ended); };
    auto const out = [](int what, Moment called, Moment ended) { return operation<Queue>(0, what, called, ended); };
    auto const kind_of = [](History<Queue> const& history) { return check_linearizability(history).kind; };

    BOOST_TEST((kind_of({in(1, 1, 4), in(2, 2, 3), out(2, 5, 6), out(1, 7, 8)}) == VerdictKind::linearizable));
    BOOST_TEST((kind_of({in(1, 1, 2), in(2, 3, 4), out(2, 5, 6), out(1, 7, 8)}) == VerdictKind::not_linearizable));
    BOOST_TEST((kind_of({in(1, 1, never), in(2, 3, 4), out(2, 5, 6), out(1, 7, 8)}) == VerdictKind::linearizable));
    BOOST_TEST((kind_of({in(1, 1, never), in(2, 3, 4), out(2, 5, 6), out(0, 7, 8)}) == VerdictKind::linearizable));
    BOOST_TEST((kind_of({in(1, 1, 2), out(1, 3, 9), out(1, 3, 9)}) == VerdictKind::not_linearizable));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::histories::linearizability_effort_tests
