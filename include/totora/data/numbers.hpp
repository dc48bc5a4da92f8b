// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace totora::inline v0
{

/// Whether numbers lie in memory as they lie in our formats, so that they may be copied there and back.
inline constexpr bool stores_like_us = std::endian::native == std::endian::little;

/// Writes an unsigned number at `to`, least significant byte first, and returns where the next one goes.
template <typename T>
constexpr std::byte* put(std::byte* to, T value)
{
    if (stores_like_us and not std::is_constant_evaluated()) {
        std::memcpy(to, &value, sizeof value);
        return to + sizeof value;
    }
    for (auto byte = std::size_t{0}; byte < sizeof(T); ++byte)
        *to++ = static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (8U * byte) & 0xFFU);
    return to;
}

/// Reads an unsigned number, least significant byte first.
template <typename T>
[[nodiscard]] constexpr T get(std::byte const* from)
{
    if (stores_like_us and not std::is_constant_evaluated()) {
        auto value = T{};
        std::memcpy(&value, from, sizeof value);
        return value;
    }
    auto value = std::uint64_t{0};
    for (auto byte = std::size_t{0}; byte < sizeof(T); ++byte)
        value |= static_cast<std::uint64_t>(from[byte]) << (8U * byte);
    return static_cast<T>(value);
}

} // namespace totora::inline v0
