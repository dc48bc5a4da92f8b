// SPDX-License-Identifier: BSL-1.0
// The checker agrees with the definition on a hundred thousand small random histories.
#include "totora/testing/linearizability/linearizability.hpp"

#include "support/histories.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace totora::test::histories::linearizability_definition_tests
{

using namespace totora::linearizability;

namespace
{

/// The definition itself (Herlihy and Wing), by trying every order of every choice of unknown operations. All keys are
/// one object, whose state is a value for each.
template <typename Object>
bool is_linearizable(History<Object> const& left, std::map<std::string, typename Object::State> const& states = {})
{
    auto const is_certain = [](auto const& one) { return one.ended.has_value(); };
    if (std::none_of(left.begin(), left.end(), is_certain))
        return true;
    for (auto at = std::size_t{0}; at < left.size(); ++at) {
        auto const& first = left[at];
        auto const  precedes = [&](auto const& other) { return other.ended and other.ended->at < first.called; };
        if (std::any_of(left.begin(), left.end(), precedes) or (first.ended and first.ended->at < first.called))
            continue;
        auto       after = states;
        auto const answer =
            Object{}.apply(after.try_emplace(first.key, Object{}.initial()).first->second, first.action);
        if (first.ended and answer != first.ended->answer)
            continue;
        auto rest = left;
        rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(at));
        if (is_linearizable(rest, after))
            return true;
    }
    return false;
}

/// Histories as careless programs make them: true ones, with some answers and moments that are not.
class Chance
{
public:
    explicit Chance(std::uint64_t seed) : random_(seed) {}

    [[nodiscard]] std::size_t  below(std::size_t limit) { return static_cast<std::size_t>(random_() % limit); }
    [[nodiscard]] std::int64_t number(std::size_t limit) { return static_cast<std::int64_t>(below(limit)); }

    [[nodiscard]] Scalar value()
    {
        auto const chosen = number(4);
        return chosen == 0 ? null : Scalar{chosen};
    }

    void choose(Register::Action& action)
    {
        action = below(2) == 0 ? Register::Action{Register::Read{}} : Register::Action{Register::Write{value()}};
    }

    void choose(KeyValue::Action& action)
    {
        auto const kind = below(4);
        action = kind == 0   ? KeyValue::Action{KeyValue::Get{}}
                 : kind == 1 ? KeyValue::Action{KeyValue::Put{value()}}
                             : KeyValue::Action{KeyValue::CompareAndSet{value(), value()}};
    }

    void choose(Counter::Action& action)
    {
        auto const kind = below(3);
        action = kind == 0   ? Counter::Action{Counter::Read{}}
                 : kind == 1 ? Counter::Action{Counter::Add{1 + number(3)}}
                             : Counter::Action{Counter::AddAndRead{1 + number(2)}};
    }

    template <typename Object>
    [[nodiscard]] History<Object> history(std::size_t operations_max)
    {
        auto       made = History<Object>{};
        auto const keys = 1 + below(2);
        auto       states = std::map<std::string, typename Object::State>{};
        auto const count = 1 + below(operations_max);
        for (auto at = std::size_t{0}; at < count; ++at) {
            auto const effect = static_cast<Moment>(2 * at); // In this order they happen,
            auto one = Operation<Object>{.client = at, .key = std::string(1, static_cast<char>('x' + below(keys)))};
            choose(one.action);
            auto const lost = below(6) == 0;
            auto&      state = states.try_emplace(one.key, Object{}.initial()).first->second;
            auto const answer = lost and below(2) == 0 ? null : Object{}.apply(state, one.action);
            one.called = effect - number(4); // and are seen for longer.
            if (not lost)
                one.ended = {.at = effect + number(4), .answer = answer};
            made.push_back(std::move(one));
        }
        for (auto times = below(6); times > 0; --times)
            spoil(made);
        std::shuffle(made.begin(), made.end(), random_);
        return made;
    }

private:
    template <typename Object>
    void spoil(History<Object>& history)
    {
        auto& one = history[below(history.size())];
        auto& other = history[below(history.size())];
        switch (below(4)) {
        case 0:
            if (one.ended and other.ended)
                std::swap(one.ended->answer, other.ended->answer);
            break;
        case 1:
            if (one.ended)
                one.ended->at = one.called + number(3);
            break;
        case 2:
            one.called += number(8);
            break;
        default:
            if (one.ended and std::holds_alternative<std::int64_t>(one.ended->answer))
                one.ended->answer = number(4);
        }
    }

    std::mt19937_64 random_;
};

/// Whether an order is one of these operations that explains every answer.
template <typename Object>
bool explains(History<Object> const& history, std::vector<std::size_t> const& order)
{
    auto states = std::map<std::string, typename Object::State>{};
    auto placed = std::vector<bool>(history.size());
    for (auto const number : order) {
        auto const& one = history[number];
        if (placed[number])
            return false;
        placed[number] = true;
        for (auto later = std::size_t{0}; later < history.size(); ++later) {
            auto const& other = history[later];
            if (not placed[later] and other.key == one.key and other.ended and other.ended->at < one.called)
                return false;
        }
        auto const answer = Object{}.apply(states.try_emplace(one.key, Object{}.initial()).first->second, one.action);
        if (one.ended and answer != one.ended->answer)
            return false;
    }
    for (auto number = std::size_t{0}; number < history.size(); ++number)
        if (history[number].ended and not placed[number])
            return false;
    return true;
}

/// Whether these operations contradict each other, and no fewer of them do.
template <typename Object>
bool is_smallest_contradiction(History<Object> const& history, std::vector<std::size_t> const& operations)
{
    auto const only = [&](auto is_kept) {
        auto weaker = history;
        for (auto number = std::size_t{0}; number < weaker.size(); ++number)
            if (std::ranges::find(operations, number) == operations.end() or not is_kept(number))
                weaker[number].ended.reset();
        return weaker;
    };
    auto const is_needed = [&](std::size_t number) {
        return is_linearizable(only([&](std::size_t other) { return other != number; }));
    };
    return not is_linearizable(only([](std::size_t) { return true; })) and
           std::all_of(operations.begin(), operations.end(), is_needed);
}

template <typename Object>
void compare(std::uint64_t seed, std::size_t histories, std::size_t operations_max)
{
    auto chance = Chance{seed};
    auto linearizable = std::size_t{0};
    auto with_unknown = std::size_t{0};
    auto explained = std::size_t{0};
    for (auto number = std::size_t{0}; number < histories; ++number) {
        auto const history = chance.history<Object>(operations_max);

        auto const expected = is_linearizable(history);
        auto const verdict = check_linearizability(history);

        linearizable += expected ? 1 : 0;
        auto const has_unknown = std::ranges::any_of(history, [](auto const& one) { return not one.ended; });
        with_unknown += has_unknown ? 1 : 0;
        BOOST_REQUIRE_MESSAGE(verdict.kind == (expected ? VerdictKind::linearizable : VerdictKind::not_linearizable),
                              "history " << number << " is" << (expected ? "" : " not") << " linearizable");
        if (expected)
            BOOST_REQUIRE_MESSAGE(explains(history, verdict.order), "the order of history " << number);
        else if (++explained % 8 == 0)
            BOOST_REQUIRE_MESSAGE(is_smallest_contradiction(history, verdict.contradiction),
                                  "the contradiction in history " << number);
    }
    BOOST_TEST(linearizable > histories / 4);
    BOOST_TEST(linearizable < histories * 3 / 4);
    BOOST_TEST(with_unknown > histories / 4);
    BOOST_TEST_MESSAGE(linearizable << " of " << histories << " linearizable, " << with_unknown
                                    << " with unknown outcomes");
}

} // namespace

BOOST_AUTO_TEST_SUITE(the_definition)

BOOST_AUTO_TEST_CASE(decides_forty_thousand_histories_of_registers) { compare<Register>(1, 40'000, 7); }

BOOST_AUTO_TEST_CASE(decides_forty_thousand_histories_of_key_value_stores) { compare<KeyValue>(2, 40'000, 7); }

BOOST_AUTO_TEST_CASE(decides_twenty_thousand_histories_of_counters) { compare<Counter>(3, 20'000, 7); }

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::histories::linearizability_definition_tests
