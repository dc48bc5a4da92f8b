// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/linearizability/linearization_search.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace totora::inline v0::linearizability
{

/// Operations whose ends and answers contradict each other, whatever the outcomes of all other operations.
struct MinimalConflict
{
    std::vector<std::size_t> operations;          ///< In the order of their returns.
    bool                     is_smallest = false; ///< None of them can be left out.
};

/// Makes a contradiction smaller: forgets the outcomes of other operations, as many as possible, so long as no order
/// explains what is left.
///
/// To forget an outcome allows more orders and never fewer. That is why an outcome that could not be forgotten once
/// need not be tried again, and why to leave operations out altogether would be wrong: a client may have seen their
/// effect.
template <sequential_object Object>
class ContradictionFinder
{
public:
    /// `operations` have no order, and there is none either if the outcomes of those called after `horizon` are
    /// forgotten.
    ContradictionFinder(Object const& object, std::vector<OperationView<Object>> const& operations, Moment horizon,
                        Effort effort)
        : object_(object), operations_(operations), steps_left_(effort.explanation_steps_max),
          bytes_max_(effort.bytes_max)
    {
        for (auto number = std::size_t{0}; number < operations.size(); ++number) {
            auto const counts = operations[number].answer != nullptr and operations[number].interval.called <= horizon;
            (counts ? certain_ : unknown_).push_back(number);
        }
        sort_by_moment(certain_, [&](std::size_t number) { return operations[number].interval.returned; });
    }

    [[nodiscard]] MinimalConflict find()
    {
        keep_the_last_ones();
        for (auto size = (certain_.size() + 1) / 2; size > 0; size /= 2) {
            is_smallest_ = true; // Unless one attempt, now that they are small, is given up.
            forget_in_pieces_of(size);
        }
        return {certain_, is_smallest_};
    }

private:
    using Numbers = std::vector<std::size_t>;

    /// The cause of a contradiction is often at the end.
    void keep_the_last_ones()
    {
        for (auto count = std::size_t{4}; count < certain_.size(); count *= 2)
            if (try_with(Numbers(certain_.end() - static_cast<std::ptrdiff_t>(count), certain_.end())))
                return;
    }

    void forget_in_pieces_of(std::size_t size)
    {
        for (auto begin = std::size_t{0}; begin < certain_.size();) {
            auto const end = std::min(begin + size, certain_.size());
            auto       rest = certain_;
            rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(begin),
                       rest.begin() + static_cast<std::ptrdiff_t>(end));
            if (not try_with(std::move(rest)))
                begin = end;
        }
    }

    /// Keeps only these if they are contradictory still.
    bool try_with(Numbers certain)
    {
        auto       attempt = std::vector<OperationView<Object>>{};
        auto const add = [&](std::size_t number, bool is_certain) {
            attempt.push_back(operations_[number]);
            if (not is_certain)
                attempt.back().answer = nullptr;
        };
        for (auto const number : unknown_)
            add(number, false);
        for (auto number = std::size_t{0}, kept = std::size_t{0}; number < certain_.size(); ++number) {
            auto const is_kept = kept < certain.size() and certain[kept] == certain_[number];
            kept += is_kept ? 1 : 0;
            add(certain_[number], is_kept);
        }

        auto const found = LinearizationSearch<Object>{object_, attempt}.run(steps_left_, bytes_max_);
        steps_left_ -= std::min(steps_left_, found.steps);
        is_smallest_ = is_smallest_ and found.kind != VerdictKind::undecided;
        if (found.kind != VerdictKind::not_linearizable)
            return false;
        for (auto const number : certain_)
            if (std::ranges::find(certain, number) == certain.end())
                unknown_.push_back(number);
        certain_ = std::move(certain);
        return true;
    }

    Object const&                             object_;
    std::vector<OperationView<Object>> const& operations_;
    std::uint64_t                             steps_left_;
    std::uint64_t                             bytes_max_;
    Numbers                                   certain_; ///< Whose outcomes count, in the order of their returns.
    Numbers                                   unknown_; ///< Whose outcomes are unknown or were forgotten.
    bool                                      is_smallest_ = true;
};

} // namespace totora::inline v0::linearizability
