// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/linearizability/scalar.hpp"

#include <compare>
#include <string>
#include <utility>
#include <variant>

namespace totora::inline v0::linearizability
{

/// The value of one key of a key-value store with compare-and-set. Null is the key that is absent, so that to put
/// null is to remove the key, and to expect null is to expect that it is absent.
struct KeyValue
{
    struct Get
    {
        friend auto operator<=>(Get const&, Get const&) = default;
    };

    struct Put
    {
        Scalar value;

        friend auto operator<=>(Put const&, Put const&) = default;
    };

    /// Puts the value if the expected one is there.
    struct CompareAndSet
    {
        Scalar expected;
        Scalar value;

        friend auto operator<=>(CompareAndSet const&, CompareAndSet const&) = default;
    };

    using State = Scalar;
    using Action = std::variant<Get, Put, CompareAndSet>;
    using Answer = Scalar; ///< What was there for a get, null for a put, and whether it was set for a compare-and-set.

    [[nodiscard]] State initial() const { return null; }

    [[nodiscard]] Answer apply(State& state, Action const& action) const
    {
        if (auto const* const put = std::get_if<Put>(&action)) {
            state = put->value;
            return null;
        }
        if (auto const* const change = std::get_if<CompareAndSet>(&action)) {
            auto const is_expected = state == change->expected;
            if (is_expected)
                state = change->value;
            return is_expected;
        }
        return state;
    }

    [[nodiscard]] static bool is_observation(Action const& action, Answer const& answer)
    {
        return std::holds_alternative<Get>(action) or
               (std::holds_alternative<CompareAndSet>(action) and answer == Scalar{false});
    }

    [[nodiscard]] static Fields fields_of(Action const& action)
    {
        if (auto const* const put = std::get_if<Put>(&action))
            return {{"action", "put"}, {"value", put->value}};
        if (auto const* const change = std::get_if<CompareAndSet>(&action))
            return {{"action", "compare_and_set"}, {"expected", change->expected}, {"value", change->value}};
        return {{"action", "get"}};
    }

    [[nodiscard]] static Result<Action, std::string> read_action(Fields const& fields)
    {
        auto const name = read_field_as<std::string>(fields, "action");
        if (not name)
            return Unexpected{name.error()};
        if (*name == "get")
            return Action{Get{}};
        if (*name != "put" and *name != "compare_and_set")
            return Unexpected{"a key-value store has no action \"" + *name + "\""};
        auto value = read_field(fields, "value");
        if (not value)
            return Unexpected{value.error()};
        if (*name == "put")
            return Action{Put{*std::move(value)}};
        auto expected = read_field(fields, "expected");
        if (not expected)
            return Unexpected{expected.error()};
        return Action{CompareAndSet{*std::move(expected), *std::move(value)}};
    }

    [[nodiscard]] static Scalar value_of(Answer const& answer) { return answer; }

    [[nodiscard]] static Result<Answer, std::string> read_answer(Action const& action, Scalar const& value)
    {
        if (std::holds_alternative<Put>(action) and value != null)
            return Unexpected{std::string{"a put answers null"}};
        if (std::holds_alternative<CompareAndSet>(action) and not std::holds_alternative<bool>(value))
            return Unexpected{std::string{"a compare_and_set answers true or false"}};
        return value;
    }
};

} // namespace totora::inline v0::linearizability
