// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"

#include <cstddef>
#include <vector>

namespace totora::inline v0::simulate
{

/// A value for each term, of terms that follow each other closely wherever they begin. What was never set is `T{}`.
template <typename T>
class ByTerm
{
public:
    [[nodiscard]] T& operator[](Term term)
    {
        if (values_.empty())
            first_ = term;
        if (term < first_) {
            values_.insert(values_.begin(), static_cast<std::size_t>(first_.value - term.value), T{});
            first_ = term;
        }
        auto const at = static_cast<std::size_t>(term.value - first_.value);
        if (at >= values_.size())
            values_.resize(at + 1);
        return values_[at];
    }

    /// Null if nothing was ever set in this term or a later one.
    [[nodiscard]] T const* find(Term term) const
    {
        auto const at = static_cast<std::size_t>(term.value - first_.value);
        return term < first_ or at >= values_.size() ? nullptr : &values_[at];
    }

private:
    Term           first_;
    std::vector<T> values_;
};

} // namespace totora::inline v0::simulate
