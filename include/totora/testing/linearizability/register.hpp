// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/linearizability/scalar.hpp"

#include <compare>
#include <string>
#include <utility>
#include <variant>

namespace totora::inline v0::linearizability
{

/// A register that is written and read; null before it is written.
struct Register
{
    struct Read
    {
        friend auto operator<=>(Read const&, Read const&) = default;
    };

    struct Write
    {
        Scalar value;

        friend auto operator<=>(Write const&, Write const&) = default;
    };

    using State = Scalar;
    using Action = std::variant<Read, Write>;
    using Answer = Scalar; ///< The value that was read; null for a write.

    [[nodiscard]] State initial() const { return null; }

    [[nodiscard]] Answer apply(State& state, Action const& action) const
    {
        auto const* const write = std::get_if<Write>(&action);
        if (write == nullptr)
            return state;
        state = write->value;
        return null;
    }

    [[nodiscard]] static bool is_observation(Action const& action, Answer const&)
    {
        return std::holds_alternative<Read>(action);
    }

    [[nodiscard]] static Fields fields_of(Action const& action)
    {
        if (auto const* const write = std::get_if<Write>(&action))
            return {{"action", "write"}, {"value", write->value}};
        return {{"action", "read"}};
    }

    [[nodiscard]] static Result<Action, std::string> read_action(Fields const& fields)
    {
        auto const name = read_field_as<std::string>(fields, "action");
        if (not name)
            return Unexpected{name.error()};
        if (*name == "read")
            return Action{Read{}};
        if (*name != "write")
            return Unexpected{"a register has no action \"" + *name + "\""};
        auto value = read_field(fields, "value");
        return value ? Result<Action, std::string>{Write{*std::move(value)}} : Unexpected{value.error()};
    }

    [[nodiscard]] static Scalar value_of(Answer const& answer) { return answer; }

    [[nodiscard]] static Result<Answer, std::string> read_answer(Action const& action, Scalar const& value)
    {
        if (std::holds_alternative<Write>(action) and value != null)
            return Unexpected{std::string{"a write answers null"}};
        return value;
    }
};

} // namespace totora::inline v0::linearizability
