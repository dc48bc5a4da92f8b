// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/linearizability/flat_json.hpp"
#include "totora/testing/linearizability/linearizability.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

namespace totora::inline v0::linearizability
{

/// An operation as a line of words: `[4] client 1: write value="a", from 3 to 8, answer null`.
template <written_object Object>
[[nodiscard]] std::string describe(std::vector<Operation<Object>> const& history, std::size_t number)
{
    auto const& operation = history[number];
    auto        line = "[" + std::to_string(number) + "] client " + std::to_string(operation.client) + ":";
    for (auto const& [name, value] : Object::fields_of(operation.action)) {
        auto const* const text = std::get_if<std::string>(&value);
        if (name == "action" and text != nullptr) {
            line += " " + *text;
        } else {
            line += " " + name + "=";
            append_json(line, value);
        }
    }
    line += ", from " + std::to_string(operation.called);
    if (not operation.ended)
        return line + ", outcome unknown";
    line += " to " + std::to_string(operation.ended->at) + ", answer ";
    append_json(line, Object::value_of(operation.ended->answer));
    return line;
}

/// The verdict on a history, in lines. An order that gets far is cut to its last operations.
template <written_object Object>
[[nodiscard]] std::string describe(std::vector<Operation<Object>> const& history, Verdict const& verdict)
{
    constexpr auto shown_max = std::size_t{12};

    auto       text = std::string{};
    auto const add_lines = [&](std::vector<std::size_t> const& numbers, std::size_t from) {
        for (auto at = from; at < numbers.size(); ++at)
            text += "  " + describe(history, numbers[at]) + "\n";
    };
    auto const add_order = [&] {
        auto const from = verdict.order.size() - std::min(verdict.order.size(), shown_max);
        text += std::to_string(verdict.order.size()) + " operations can be placed in this order";
        text += from == 0 ? ":\n" : "; the last ones:\n";
        add_lines(verdict.order, from);
    };

    if (verdict.kind == VerdictKind::linearizable)
        return "linearizable\n";
    text = "key ";
    append_json(text, std::string_view{verdict.key});
    if (verdict.kind == VerdictKind::undecided) {
        text += " is undecided after " + std::to_string(verdict.steps) + " steps\n";
        add_order();
        return text;
    }
    text += " is not linearizable. These contradict each other, whatever became of all others";
    text += verdict.contradiction_is_smallest ? ":\n" : " (fewer might too):\n";
    add_lines(verdict.contradiction, 0);
    add_order();
    text += "Then the first of these must come next, and none of them can:\n";
    add_lines(verdict.blocked, 0);
    return text;
}

} // namespace totora::inline v0::linearizability
