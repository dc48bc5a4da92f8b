// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/fields.hpp"
#include "totora/core/values/types.hpp"
#include "totora/node/status.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace totora::inline v0::testing
{

// Values as C++ spells them, so that a line of a counterexample can be put into a test; and as JSON. Structs are their
// fields (core/values/fields.hpp).

/// The name of a type, as its declaration spells it.
template <typename T>
[[nodiscard]] constexpr std::string_view type_name()
{
    auto name = std::string_view{__PRETTY_FUNCTION__};
    name.remove_prefix(name.find("T = ") + 4);
    name = name.substr(0, name.find_first_of(";]"));
    return name.substr(name.rfind(':') + 1);
}
static_assert(type_name<AppendEntries>() == "AppendEntries");

/// A value as C++ spells it: `S2`, `Term{3}`, `Link::full`, `RequestVote{Term{3}, {Term{2}, Index{5}}, false}`.
template <typename T>
[[nodiscard]] std::string to_string(T const& value);

template <typename T>
[[nodiscard]] std::string to_string(std::optional<T> const& value);

template <typename... Ts>
[[nodiscard]] std::string to_string(std::variant<Ts...> const& value);

/// Fields or values in braces. Of a struct among them the name is left out.
template <typename T>
[[nodiscard]] std::string in_braces(T const& value)
{
    auto       text = std::string{};
    auto const add = [&]<typename Field>(char const*, Field const& field) {
        text += text.empty() ? "" : ", ";
        if constexpr (has_fields<Field>)
            text += in_braces(field);
        else
            text += testing::to_string(field);
    };
    if constexpr (has_fields<T>)
        T::visit_fields(value, add);
    else
        for (auto const& one : value)
            add("", one);
    return "{" + text + "}";
}

template <typename T>
std::string to_string(T const& value)
{
    if constexpr (std::same_as<T, bool>)
        return value ? "true" : "false";
    else if constexpr (std::integral<T>)
        return std::to_string(value);
    else if constexpr (named_enumeration<T>)
        return std::string{type_name<T>()} + "::" + std::string{to_string(value)};
    else if constexpr (std::same_as<T, ServerId>)
        return "S" + std::to_string(value.value);
    else if constexpr (strong_number<T>)
        return std::string{type_name<T>()} + "{" + std::to_string(value.value) + "}";
    else if constexpr (has_fields<T>)
        return std::string{type_name<T>()} + in_braces(value);
    else
        return in_braces(value);
}

template <typename T>
std::string to_string(std::optional<T> const& value)
{
    return value ? testing::to_string(*value) : "{}";
}

template <typename... Ts>
std::string to_string(std::variant<Ts...> const& value)
{
    return std::visit([](auto const& one) { return testing::to_string(one); }, value);
}

/// A value as JSON: a struct is an object of its fields, a sequence an array.
template <typename T>
[[nodiscard]] std::string to_json(T const& value)
{
    auto       text = std::string{};
    auto const separate = [&] { text += text.empty() ? "" : ", "; };
    if constexpr (strong_number<T>) {
        return std::to_string(value.value);
    } else if constexpr (has_fields<T>) {
        T::visit_fields(value, [&](char const* name, auto const& field) {
            separate();
            text += '"' + std::string{name} + "\": " + to_json(field);
        });
        return "{" + text + "}";
    } else if constexpr (std::integral<T>) {
        return testing::to_string(value);
    } else if constexpr (named_enumeration<T>) {
        return '"' + std::string{to_string(value)} + '"';
    } else {
        for (auto const& one : value) {
            separate();
            text += to_json(one);
        }
        return "[" + text + "]";
    }
}

/// A server in a counterexample: role, term, vote, log as term/index of each run's first entry.
[[nodiscard]] inline std::string to_string(State const& state)
{
    constexpr char const* roles[] = {"follows", "requests pre-votes", "campaigns", "leads"};
    auto text = std::string{roles[state.role.index()]} + " in term " + std::to_string(state.current_term.value);
    if (state.voted_for)
        text += ", voted for " + to_string(*state.voted_for);
    text += ", log";
    if (state.log.base().index > Index{})
        text += " after " + std::to_string(state.log.base().index.value) + "/" +
                std::to_string(state.log.base().term.value);
    for (auto index = next(state.log.base().index); index <= last_index(state); index = next(index))
        text += " " + std::to_string(index.value) + "/" + std::to_string(state.log.term_at(index)->value);
    return text + ", commit " + std::to_string(state.commit_index.value) + ", durable " +
           std::to_string(state.writes.durable_index.value);
}

} // namespace totora::inline v0::testing
