// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <variant>

namespace totora::inline v0
{

// The fields of a struct are listed once, in the struct: `visit_fields(self, visit)` calls `visit(name, field)` for each of
// them in their order on the wire, which is that of declaration for all that is sent. The codec, the explorer's packing and renaming, hashes,
// traces and the text of stories are visitors. A list that leaves a field out does not compile.

/// A struct that lists its fields.
template <typename T>
concept has_fields = std::is_class_v<T> and requires(T& value, void (*visit)(char const*))
{
    T::visit_fields(value, visit);
};

/// A struct as its base, which counts as its first field.
template <typename Base, typename T>
[[nodiscard]] constexpr auto& base_of(T& value)
{
    return static_cast<std::conditional_t<std::is_const_v<T>, Base const, Base>&>(value);
}

/// Converts to any type; used where nothing is evaluated.
struct AnyField
{
    template <typename T>
    constexpr operator T() const
    {
        return T{};
    }
};

/// Converts to the bases of a struct alone.
template <typename Struct>
struct AnyBase
{
    template <typename T>
        requires(std::is_base_of_v<T, Struct> and not std::same_as<T, Struct>)
    constexpr operator T() const { return T{}; }
};

/// Whether `Struct` can be initialised with so many fields.
template <typename Struct, std::size_t... position>
[[nodiscard]] constexpr bool takes_fields(std::index_sequence<position...>)
{
    return requires { Struct{(static_cast<void>(position), AnyField{})...}; };
}

/// Whether the first field of `Struct` is a base.
template <typename Struct>
inline constexpr bool begins_with_base = requires
{
    Struct{AnyBase<Struct>{}};
};

/// Counts the fields that are visited, and notices one that is visited twice.
struct FieldCount
{
    std::array<void const*, 32> seen{};
    std::size_t                 count = 0;
    bool                        is_repeated = false;

    constexpr void operator()(char const*, auto const& field) { add(&field); }

    constexpr void add(void const* field)
    {
        for (auto at = std::size_t{0}; at < count; ++at)
            is_repeated = is_repeated or seen[at] == field;
        seen[count++] = field;
    }
};

/// Whether a base of a struct is visited.
template <typename Struct>
struct BaseVisit
{
    bool is_made = false;

    template <typename T>
    constexpr void operator()(char const*, T const&)
    {
        is_made = is_made or std::is_base_of_v<T, Struct>;
    }
};

/// Room for a struct that is never made: what is asked is where its fields are.
template <typename T>
union Unmade
{
    char nothing = 0;
    T    value;

    constexpr Unmade() {}
    constexpr ~Unmade() {}
};

/// What a visitor has found in a struct.
template <typename T, typename Visitor>
[[nodiscard]] constexpr Visitor visited()
{
    auto unmade = Unmade<T>{};
    auto visitor = Visitor{};
    T::visit_fields(unmade.value, visitor);
    return visitor;
}

/// How many fields `visit_fields` visits; more than any struct has if it visits one twice, or leaves out the base.
template <typename T>
[[nodiscard]] constexpr std::size_t count_fields()
{
    auto const fields = visited<T, FieldCount>();
    if constexpr (begins_with_base<T>)
        if (not visited<T, BaseVisit<T>>().is_made)
            return fields.seen.size();
    return fields.is_repeated ? fields.seen.size() : fields.count;
}

/// Whether `visit_fields` visits each field of `T`, and each once.
template <typename T>
[[nodiscard]] constexpr bool lists_its_fields()
{
    constexpr auto count = count_fields<T>();
    return takes_fields<T>(std::make_index_sequence<count>{}) and
           not takes_fields<T>(std::make_index_sequence<count + 1>{});
}

/// The same for each alternative of a variant.
template <typename Variant>
inline constexpr bool alternatives_list_their_fields = false;

template <typename... Ts>
inline constexpr bool alternatives_list_their_fields<std::variant<Ts...>> = (lists_its_fields<Ts>() and ...);

} // namespace totora::inline v0
