// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/linearizability/history.hpp"
#include "totora/testing/linearizability/pending_operations.hpp"

#include <cstddef>
#include <vector>

namespace totora::inline v0::linearizability
{

/// An operation as the search sees it.
template <sequential_object Object>
struct OperationView
{
    typename Object::Action const* action = nullptr;
    typename Object::Answer const* answer = nullptr; ///< Null if the outcome is unknown.
    Interval                       interval;
};

/// Whether it only observes, by what the object declares. Only of an operation that returned.
template <sequential_object Object>
[[nodiscard]] bool is_observation(OperationView<Object> const& operation)
{
    if constexpr (object_with_observations<Object>)
        return Object::is_observation(*operation.action, *operation.answer);
    else
        return false;
}

/// The positions of those that returned, or of those that did not.
template <sequential_object Object>
[[nodiscard]] std::vector<std::size_t>
in_order_of_calls(std::vector<OperationView<Object>> const& operations, bool certain)
{
    auto chosen = std::vector<std::size_t>{};
    for (auto number = std::size_t{0}; number < operations.size(); ++number)
        if ((operations[number].answer != nullptr) == certain)
            chosen.push_back(number);
    sort_by_moment(chosen, [&](std::size_t number) { return operations[number].interval.called; });
    return chosen;
}

} // namespace totora::inline v0::linearizability
