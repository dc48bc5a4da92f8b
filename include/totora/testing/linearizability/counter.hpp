// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/linearizability/scalar.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <variant>

namespace totora::inline v0::linearizability
{

/// A counter that starts at 0 and, like the registers of a machine, wraps around when it overflows.
struct Counter
{
    struct Read
    {
        friend auto operator<=>(Read const&, Read const&) = default;
    };

    struct Add
    {
        std::int64_t by = 1;

        friend auto operator<=>(Add const&, Add const&) = default;
    };

    /// An addition that answers the sum.
    struct AddAndRead
    {
        std::int64_t by = 1;

        friend auto operator<=>(AddAndRead const&, AddAndRead const&) = default;
    };

    using State = std::int64_t;
    using Action = std::variant<Read, Add, AddAndRead>;
    using Answer = Scalar; ///< The number that was read; null for `Add`.

    [[nodiscard]] State initial() const { return 0; }

    [[nodiscard]] Answer apply(State& state, Action const& action) const
    {
        auto const add = [&](std::int64_t by) {
            state = static_cast<std::int64_t>(static_cast<std::uint64_t>(state) + static_cast<std::uint64_t>(by));
        };
        if (auto const* const silent = std::get_if<Add>(&action)) {
            add(silent->by);
            return null;
        }
        if (auto const* const aloud = std::get_if<AddAndRead>(&action))
            add(aloud->by);
        return state;
    }

    [[nodiscard]] static bool is_observation(Action const& action, Answer const&)
    {
        return std::holds_alternative<Read>(action);
    }

    [[nodiscard]] static Fields fields_of(Action const& action)
    {
        if (auto const* const silent = std::get_if<Add>(&action))
            return {{"action", "add"}, {"by", silent->by}};
        if (auto const* const aloud = std::get_if<AddAndRead>(&action))
            return {{"action", "add_and_read"}, {"by", aloud->by}};
        return {{"action", "read"}};
    }

    [[nodiscard]] static Result<Action, std::string> read_action(Fields const& fields)
    {
        auto const name = read_field_as<std::string>(fields, "action");
        if (not name)
            return Unexpected{name.error()};
        if (*name == "read")
            return Action{Read{}};
        if (*name != "add" and *name != "add_and_read")
            return Unexpected{"a counter has no action \"" + *name + "\""};
        auto const by = read_field_as<std::int64_t>(fields, "by");
        if (not by)
            return Unexpected{by.error()};
        return *name == "add" ? Action{Add{*by}} : Action{AddAndRead{*by}};
    }

    [[nodiscard]] static Scalar value_of(Answer const& answer) { return answer; }

    [[nodiscard]] static Result<Answer, std::string> read_answer(Action const& action, Scalar const& value)
    {
        if (not std::holds_alternative<Add>(action))
            return read_as<std::int64_t>(value, "answer") ? Result<Answer, std::string>{value}
                                                          : Unexpected{std::string{"a counter answers a whole number"}};
        if (value != null)
            return Unexpected{std::string{"an add answers null"}};
        return value;
    }
};

} // namespace totora::inline v0::linearizability
