// A callable that is called exactly once, wherever it is kept.
#include "totora/node/clients/completion.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace totora::test::completion_tests
{
namespace
{

static_assert(not std::is_copy_constructible_v<Completion<int>> and not std::is_copy_assignable_v<Completion<int>>);
static_assert(std::is_nothrow_move_constructible_v<Completion<int>> and
              std::is_nothrow_move_assignable_v<Completion<int>>);
static_assert(not std::is_constructible_v<Completion<int>, void (*)(char*)>);

/// Counts how many of it exist, and how often it was called. `Size` decides where a completion keeps it.
template <std::size_t Size, std::size_t Alignment = 1, bool Throws = false>
class Counting
{
public:
    Counting(int& living, int& calls, int& value) : living_(&living), calls_(&calls), value_(&value) { ++*living_; }
    Counting(Counting&& other) noexcept(not Throws) : living_(other.living_), calls_(other.calls_), value_(other.value_)
    {
        ++*living_;
    }
    Counting(Counting const&) = delete;
    Counting& operator=(Counting&&) = delete;
    Counting& operator=(Counting const&) = delete;
    ~Counting() { --*living_; }

    void operator()(int value)
    {
        ++*calls_;
        *value_ = reinterpret_cast<std::uintptr_t>(this) % Alignment == 0 ? value : -1;
    }

private:
    int* living_;
    int* calls_;
    int* value_;
    alignas(Alignment) std::array<char, Size> fill_{};
};

template <typename Function>
void expect_called_once()
{
    auto living = 0;
    auto calls = 0;
    auto value = 0;
    {
        auto completion = Completion<int>{Function{living, calls, value}};
        BOOST_TEST(living == 1);
        auto moved = std::move(completion);
        BOOST_TEST(living == 1);
        BOOST_TEST(not static_cast<bool>(completion));
        completion(7);
        BOOST_TEST(calls == 0);

        moved(8);
        BOOST_TEST(calls == 1);
        BOOST_TEST(value == 8);
        BOOST_TEST(living == 0);
        BOOST_TEST(not static_cast<bool>(moved));
        moved(9);
        BOOST_TEST(calls == 1);

        moved = Completion<int>{Function{living, calls, value}};
        BOOST_TEST(static_cast<bool>(moved));
        moved = Completion<int>{Function{living, calls, value}};
        BOOST_TEST(living == 1); // The previous one is destroyed, uncalled.
        auto& itself = moved;
        moved = std::move(itself);
        BOOST_TEST(living == 1);
    }
    BOOST_TEST(living == 0);
    BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(a_small_callable_is_called_once) { expect_called_once<Counting<1>>(); }
BOOST_AUTO_TEST_CASE(a_large_callable_is_called_once) { expect_called_once<Counting<1000>>(); }
BOOST_AUTO_TEST_CASE(a_callable_of_wide_alignment_is_called_once) { expect_called_once<Counting<1, 64>>(); }
BOOST_AUTO_TEST_CASE(a_callable_that_may_throw_when_moved_is_called_once)
{
    expect_called_once<Counting<1, 1, true>>();
}

BOOST_AUTO_TEST_CASE(an_empty_completion_does_nothing)
{
    auto empty = Completion<int>{};
    BOOST_TEST(not static_cast<bool>(empty));
    empty(1);
}

BOOST_AUTO_TEST_CASE(a_callable_may_own_what_cannot_be_copied_and_be_given_what_cannot_be_copied)
{
    auto sum = 0;
    auto completion = Completion<std::unique_ptr<int>>{
        [owned = std::make_unique<int>(20), &sum](std::unique_ptr<int> given) { sum = *owned + *given; }};

    completion(std::make_unique<int>(22));

    BOOST_TEST(sum == 42);
}

BOOST_AUTO_TEST_CASE(a_callable_may_be_given_a_reference)
{
    auto value = 1;
    auto completion = Completion<int&>{[](int& given) { given = 2; }};

    completion(value);

    BOOST_TEST(value == 2);
}

BOOST_AUTO_TEST_CASE(a_callable_may_replace_the_completion_that_calls_it)
{
    auto completion = Completion<int>{};
    auto second = 0;
    completion = [&](int) { completion = [&](int value) { second = value; }; };

    completion(1);
    completion(2);

    BOOST_TEST(second == 2);
}

} // namespace
} // namespace totora::test::completion_tests
