// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configuration.hpp"
#include "totora/data/identity.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace kv
{

/// The last hexadecimal digits of a number.
[[nodiscard]] inline std::string to_hexadecimal(std::uint64_t number, unsigned digits = 16)
{
    auto text = std::string{};
    while (digits-- > 0)
        text.push_back("0123456789abcdef"[number >> 4U * digits & 0xFU]);
    return text;
}

/// The 40 hexadecimal digits by which clients of redis know a server: cluster, id and incarnation.
[[nodiscard]] inline std::string node_name(totora::ClusterId cluster, totora::Member const& member)
{
    return to_hexadecimal(cluster.value) + to_hexadecimal(member.id.value) +
           to_hexadecimal(member.incarnation.value, 8);
}

/// The id of the server of that name; nothing if it is no such name.
[[nodiscard]] inline std::optional<totora::ServerId> server_named(std::string_view name)
{
    if (name.size() != 40)
        return std::nullopt;
    auto const        digits = name.substr(16, 16);
    auto const* const end = digits.data() + digits.size();
    auto              id = std::uint64_t{0};
    auto const [stopped_at, failure] = std::from_chars(digits.data(), end, id, 16);
    if (failure != std::errc{} or stopped_at != end)
        return std::nullopt;
    return totora::ServerId{id};
}

} // namespace kv
