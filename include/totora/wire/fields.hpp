// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/fields.hpp"
#include "totora/core/values/types.hpp"
#include "totora/wire/bytes.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace totora::inline v0
{

// How fields stand on the wire, by their types: each struct lists its own (core/values/fields.hpp). A struct is its fields, in
// order and without gaps; a term, an index, an id takes 8 bytes, an enumeration what its numbers take, `bool` 1; a text is its
// length (1) and that many letters; a sequence is its length (1) and its values.

/// Writes a message, or a field of one. `Sink` is a `ByteWriter` or a `ByteCount`.
template <typename Sink, typename T>
constexpr void write_field(Sink& sink, T const& field)
{
    if constexpr (has_fields<T>) {
        T::visit_fields(field, [&](char const*, auto const& inner) { write_field(sink, inner); });
    } else if constexpr (strong_number<T>) {
        sink.number(field.value);
    } else if constexpr (std::same_as<T, bool>) {
        sink.number(static_cast<std::uint8_t>(field ? 1 : 0));
    } else if constexpr (std::unsigned_integral<T>) {
        sink.number(field);
    } else if constexpr (std::is_enum_v<T>) {
        sink.number(static_cast<std::underlying_type_t<T>>(field));
    } else if constexpr (std::convertible_to<T const&, std::string_view>) {
        sink.text(field);
    } else {
        sink.number(static_cast<std::uint8_t>(field.size()));
        for (auto const& value : field)
            write_field(sink, value);
    }
}

/// Reads a message, or a field of one.
///
/// What counts up (terms, indexes, rounds) is at most `number_max`; ids and incarnations may be drawn at random. Values of a
/// sequence that it has no room for are read and left out.
template <typename T>
void read_field(ByteReader& reader, T& field)
{
    if constexpr (has_fields<T>) {
        T::visit_fields(field, [&](char const*, auto& inner) { read_field(reader, inner); });
    } else if constexpr (std::same_as<T, ServerId> or std::same_as<T, Incarnation>) {
        field.value = reader.number<std::uint64_t>();
    } else if constexpr (strong_number<T>) {
        field.value = reader.number_through(number_max);
    } else if constexpr (std::same_as<T, bool>) {
        auto const byte = reader.number<std::uint8_t>();
        reader.fail_if(byte > 1);
        field = byte == 1;
    } else if constexpr (std::unsigned_integral<T>) {
        field = reader.number<T>();
    } else if constexpr (std::is_enum_v<T>) {
        field = static_cast<T>(reader.number<std::underlying_type_t<T>>());
    } else if constexpr (std::convertible_to<T const&, std::string_view>) {
        field = reader.text();
    } else {
        for (auto count = reader.number<std::uint8_t>(); count > 0; --count) {
            auto value = typename T::value_type{};
            read_field(reader, value);
            static_cast<void>(field.push_back(value));
        }
    }
    // Entries are counted from 1, and the last one is held to the same limit as the first.
    if constexpr (std::same_as<T, Run>)
        reader.fail_if(field.count > number_max or
                       (field.count > 0 and (field.first.value == 0 or last_of(field).value > number_max)));
}

/// Counts the bytes that a `ByteWriter` would write.
struct ByteCount
{
    std::size_t size = 0;

    template <std::unsigned_integral T>
    constexpr void number(T)
    {
        size += sizeof(T);
    }

    constexpr void text(std::string_view letters) { size += 1 + letters.substr(0, text_size_max).size(); }
};

/// How many bytes the fields of a message take.
template <has_fields T>
[[nodiscard]] constexpr std::size_t fields_size(T const& message)
{
    auto count = ByteCount{};
    write_field(count, message);
    return count.size;
}

} // namespace totora::inline v0
