// SPDX-License-Identifier: BSL-1.0
#include "totora/core/values/result.hpp"

#include "support/prove.hpp"

#include <utility>
#include <vector>

// A result holds a value or a reason, and is copied, moved and assigned as what it holds. Both own memory here, so that
// the compiler notices what is freed twice, not at all, or never made.

namespace totora::test::result_tests
{
namespace
{

struct Reason
{
    std::vector<char> words;

    friend constexpr bool operator==(Reason const&, Reason const&) = default;
};

using Outcomes = Result<std::vector<int>, Reason>;

constexpr auto the_value = [] { return std::vector<int>{1, 2, 3}; };
constexpr auto the_reason = [] { return Reason{{'n', 'o'}}; };
constexpr auto success = [] { return Outcomes{the_value()}; };
constexpr auto failure = [] { return Outcomes{Unexpected{the_reason()}}; };

constexpr bool is_success(Outcomes const& outcome)
{
    return outcome.has_value() and outcome and *outcome == the_value();
}
constexpr bool is_failure(Outcomes const& outcome)
{
    return not outcome.has_value() and not outcome and outcome.error() == the_reason();
}

constexpr auto a_result_is_copied_and_moved_with_what_it_holds = [] {
    auto const good = success();
    auto const bad = failure();
    require(is_success(good) and is_failure(bad), "one holds the value, one the reason");

    auto good_copy = good;
    auto bad_copy = bad;
    require(is_success(good_copy) and is_failure(bad_copy), "copies hold the same");
    require(is_success(good) and is_failure(bad), "and take nothing away");

    auto const good_moved = std::move(good_copy);
    auto const bad_moved = std::move(bad_copy);
    require(is_success(good_moved) and is_failure(bad_moved), "what is moved has it all");
};
TOTORA_PROVE(a_result_is_copied_and_moved_with_what_it_holds, "5.1");

constexpr auto a_result_can_be_assigned_over_either_kind = [] {
    auto good = success();
    auto bad = failure();
    good = success();
    bad = failure();
    require(is_success(good) and is_failure(bad), "over its own kind");

    good = failure();
    bad = success();
    require(is_failure(good) and is_success(bad), "and over the other");
};
TOTORA_PROVE(a_result_can_be_assigned_over_either_kind, "5.1");

constexpr auto the_value_can_be_changed_and_taken = [] {
    auto outcome = success();
    outcome->push_back(4);
    require(outcome->size() == 4 and (*outcome)[3] == 4, "it is changed in place");
    auto const taken = *std::move(outcome);
    require(taken.size() == 4, "and taken out");
};
TOTORA_PROVE(the_value_can_be_changed_and_taken, "5.1");

} // namespace
} // namespace totora::test::result_tests
