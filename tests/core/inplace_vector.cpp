// SPDX-License-Identifier: BSL-1.0
#include "totora/core/values/inplace_vector.hpp"

#include "support/prove.hpp"

#include <type_traits>
#include <utility>

namespace totora::test::inplace_vector_tests
{
namespace
{

using Three = InplaceVector<int, 3>;
static_assert(std::is_trivially_copyable_v<Three>);

constexpr auto three = [](int a, int b, int c) {
    auto values = Three{};
    for (auto const value : {a, b, c})
        values.push_back(value);
    return values;
};

constexpr auto a_full_sequence_takes_no_more = [] {
    auto values = Three{};
    require(values.empty() and not values.full(), "it begins empty");
    require(values.push_back(1) and values.push_back(2) and values.push_back(3), "it takes what it can");
    require(values.full() and values.size() == 3, "then it is full");
    require(not values.push_back(4) and values == three(1, 2, 3), "and stays as it is");
    require(values.back() == 3 and std::as_const(values).back() == 3 and values[0] == 1, "in order");
};
TOTORA_PROVE(a_full_sequence_takes_no_more, "Figure 2");

constexpr auto a_list_of_too_many_values_fills_it = [] {
    require(
        Three{1, 2} ==
            [] {
                auto values = Three{};
                values.push_back(1);
                values.push_back(2);
                return values;
            }(),
        "a list is its values");
    require(Three{1, 2, 3, 4} == three(1, 2, 3), "as many as there is room for");
};
TOTORA_PROVE(a_list_of_too_many_values_fills_it, "Figure 2");

constexpr auto what_is_removed_leaves_no_trace = [] {
    auto values = three(1, 2, 3);
    values.pop_front(2);
    require(values.size() == 1 and values[0] == 3, "from the front");
    auto never_longer = Three{};
    never_longer.push_back(3);
    require(values == never_longer and values.begin()[1] == 0 and values.begin()[2] == 0, "equal byte for byte");
    values = three(1, 2, 3);
    values.truncate(1);
    require(values.size() == 1 and values[0] == 1 and values.begin()[1] == 0, "from the back");
    values.pop_front(0);
    require(values.size() == 1, "nothing is nothing");
    values.clear();
    require(values == Three{} and values.begin() == values.end(), "all");
};
TOTORA_PROVE(what_is_removed_leaves_no_trace, "Figure 2");

} // namespace
} // namespace totora::test::inplace_vector_tests
