// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <optional>
#include <string_view>

namespace totora::inline v0
{

/// Names what should hold and does not, or nothing.
///
/// A `std::optional<std::string_view>` alone would compile ten functions for each length of a literal.
struct BrokenInvariant : std::optional<std::string_view>
{
    constexpr BrokenInvariant(std::nullopt_t) {}
    constexpr BrokenInvariant(char const* what) : std::optional<std::string_view>(std::string_view{what}) {}
};

} // namespace totora::inline v0
