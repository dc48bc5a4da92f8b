// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/linearizability/history.hpp"
#include "totora/testing/linearizability/linearization_search.hpp"
#include "totora/testing/linearizability/minimal_conflict.hpp"
#include "totora/testing/linearizability/search_result.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::inline v0::linearizability
{

// Whether a history can be true: if some order of all operations explains every answer, and each operation takes effect
// between its call and its end (Herlihy and Wing 1990, "Linearizability: a correctness condition for concurrent
// objects"). This is what §8 of the paper promises to clients.
//
//     auto const verdict = check_linearizability(history); // A History<Register>, say.
//     if (verdict.kind != VerdictKind::linearizable)
//         report(describe(history, verdict)); // linearizability_report.hpp
//
// The objects that come along are in register.hpp, key_value.hpp and counter.hpp; for a custom one see
// `sequential_object`. history_json.hpp reads and writes histories. docs/examples/check_history.cpp is a whole program.

/// Verdict on a history. Numbers are positions in it.
struct Verdict
{
    VerdictKind kind = VerdictKind::linearizable;
    std::string key; ///< The key that is not linearizable or undecided.

    /// An order that explains every answer, key by key; operations of unknown outcome are in it where they are needed.
    /// If there is none, then the one on `key` that gets furthest: it explains all answers until `blocked.front()`
    /// returned.
    std::vector<std::size_t> order;

    /// What might have come next and does not fit; the first one returned before any other, and so had to be placed.
    std::vector<std::size_t> blocked;

    /// Why there is no order: these ends and answers contradict each other, whatever the outcomes of all other
    /// operations.
    std::vector<std::size_t> contradiction;
    bool contradiction_is_smallest = false; ///< None can be left out. Otherwise `Effort` ended first.

    std::uint64_t steps = 0;          ///< Actions applied and sets compared, without those for `contradiction`.
    std::uint64_t configurations = 0; ///< Configurations that were recorded as seen.
};

/// The operations on each key are checked alone: a history is linearizable if and only if they all are (Herlihy and
/// Wing's locality; Horn and Kroening 2015, "Faster linearizability checking via P-compositionality").
template <sequential_object Object>
class LinearizabilityCheck
{
public:
    LinearizabilityCheck(History<Object> const& history, Object const& object, Effort effort)
        : history_(history), object_(object), effort_(effort)
    {}

    [[nodiscard]] Verdict run()
    {
        auto by_key = std::map<std::string_view, std::vector<std::size_t>>{};
        for (auto number = std::size_t{0}; number < history_.size(); ++number)
            by_key[history_[number].key].push_back(number);
        for (auto const& [key, numbers] : by_key) {
            check_history(key, numbers);
            if (verdict_.kind == VerdictKind::not_linearizable)
                break;
        }
        return std::move(verdict_);
    }

private:
    using Numbers = std::vector<std::size_t>;

    void check_history(std::string_view key, Numbers const& numbers)
    {
        auto const ends_before_its_call = [&](std::size_t number) {
            return history_[number].ended and history_[number].ended->at < history_[number].called;
        };
        if (auto const found = std::ranges::find_if(numbers, ends_before_its_call); found != numbers.end()) {
            conclude(VerdictKind::not_linearizable, key, {}, {*found});
            verdict_.contradiction = {*found};
            verdict_.contradiction_is_smallest = true;
            return;
        }

        auto operations = std::vector<OperationView<Object>>{};
        for (auto const number : numbers)
            operations.push_back(as_placeable(history_[number]));
        auto const steps_left = effort_.steps_max - std::min(effort_.steps_max, verdict_.steps);
        auto const found = LinearizationSearch<Object>{object_, operations}.run(steps_left, effort_.bytes_max);
        verdict_.steps += found.steps;
        verdict_.configurations += found.configurations;

        auto const in_history = [&](Numbers const& positions) {
            auto chosen = Numbers{};
            for (auto const position : positions)
                chosen.push_back(numbers[position]);
            return chosen;
        };
        if (found.kind == VerdictKind::linearizable and verdict_.kind == VerdictKind::linearizable)
            std::ranges::copy(in_history(found.order), std::back_inserter(verdict_.order));
        if (found.kind == VerdictKind::not_linearizable or
            (found.kind == VerdictKind::undecided and verdict_.kind == VerdictKind::linearizable))
            conclude(found.kind, key, in_history(found.order), in_history(found.blocked));
        if (found.kind == VerdictKind::not_linearizable) {
            auto const horizon = operations[found.blocked.front()].interval.returned;
            auto const reason = ContradictionFinder<Object>{object_, operations, horizon, effort_}.find();
            verdict_.contradiction = in_history(reason.operations);
            verdict_.contradiction_is_smallest = reason.is_smallest;
        }
    }

    void conclude(VerdictKind kind, std::string_view key, Numbers order, Numbers blocked)
    {
        verdict_.kind = kind;
        verdict_.key = key;
        verdict_.order = std::move(order);
        verdict_.blocked = std::move(blocked);
    }

    [[nodiscard]] static OperationView<Object> as_placeable(Operation<Object> const& operation)
    {
        auto const& ended = operation.ended;
        return {.action = &operation.action,
                .answer = ended ? &ended->answer : nullptr,
                .interval = {operation.called, ended ? ended->at : never}};
    }

    History<Object> const& history_;
    Object const&          object_;
    Effort                 effort_;
    Verdict                verdict_;
};

/// Checks a history. If one key is not linearizable, that is the result even if others are undecided.
template <sequential_object Object>
[[nodiscard]] Verdict
check_linearizability(History<Object> const& history, Object const& object = {}, Effort effort = {})
{
    return LinearizabilityCheck<Object>{history, object, effort}.run();
}

} // namespace totora::inline v0::linearizability
