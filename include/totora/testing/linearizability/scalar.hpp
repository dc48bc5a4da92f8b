// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"

#include <range/v3/algorithm/find.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace totora::inline v0::linearizability
{

/// A value of a field of a history: null, a truth value, a whole number or a text in UTF-8.
using Scalar = std::variant<std::monostate, bool, std::int64_t, std::string>;

inline Scalar const null = Scalar{std::monostate{}};

struct Field
{
    std::string name;
    Scalar      value;

    friend bool operator==(Field const&, Field const&) = default;
};

/// Named values, in the order in which they are written.
using Fields = std::vector<Field>;

[[nodiscard]] inline Scalar const* find_field(Fields const& fields, std::string_view name)
{
    auto const found = ranges::find(fields, name, &Field::name);
    return found == fields.end() ? nullptr : &found->value;
}

/// The kind of a value, as an error about a field names it.
template <typename T>
inline constexpr std::string_view kind_name = "null";
template <>
inline constexpr std::string_view kind_name<bool> = "true or false";
template <>
inline constexpr std::string_view kind_name<std::int64_t> = "a whole number";
template <>
inline constexpr std::string_view kind_name<std::string> = "a text";

/// The value if it is of this kind, or what is wrong with the field.
template <typename T>
[[nodiscard]] Result<T, std::string> read_as(Scalar const& value, std::string_view name)
{
    if (auto const* of_kind = std::get_if<T>(&value))
        return *of_kind;
    return Unexpected{"\"" + std::string{name} + "\" is not " + std::string{kind_name<T>}};
}

/// The field of this name, of any kind, or the error that it is missing.
[[nodiscard]] inline Result<Scalar, std::string> read_field(Fields const& fields, std::string_view name)
{
    if (auto const* found = find_field(fields, name))
        return *found;
    return Unexpected{"\"" + std::string{name} + "\" is missing"};
}

/// The field of this name and kind, or what is wrong with it.
template <typename T>
[[nodiscard]] Result<T, std::string> read_field_as(Fields const& fields, std::string_view name)
{
    auto const found = read_field(fields, name);
    if (not found)
        return Unexpected{found.error()};
    return read_as<T>(*found, name);
}

} // namespace totora::inline v0::linearizability
