// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace totora::inline v0
{

/// No log reaches this generation: a file that has it is no segment of a log, and the generations after it would wrap.
inline constexpr std::uint64_t generation_end = std::uint64_t{1} << 63U;

/// The name of a segment: "segment-" and its generation as 16 hexadecimal digits.
[[nodiscard]] inline std::string segment_name(std::uint64_t generation)
{
    auto name = std::string{"segment-"};
    for (auto digit = 16U; digit-- > 0;)
        name.push_back("0123456789abcdef"[generation >> 4U * digit & 0xFU]);
    return name;
}

/// The generation of the segment with this name; nothing if the name is no segment's.
[[nodiscard]] inline std::optional<std::uint64_t> generation_of(std::string_view name)
{
    auto       generation = std::uint64_t{0};
    auto const prefix = std::string_view{"segment-"};
    if (name.size() != 24 or not name.starts_with(prefix))
        return std::nullopt;
    std::from_chars(name.data() + prefix.size(), name.data() + name.size(), generation, 16);
    return segment_name(generation) == name ? std::optional{generation} : std::nullopt;
}

} // namespace totora::inline v0
