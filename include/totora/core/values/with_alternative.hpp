// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <utility>
#include <variant>

namespace totora::inline v0
{

/// Calls `use` with the alternative that a variant holds: `std::visit` of one variant, without a result. That one costs who includes
/// it several functions and checks for each alternative, this one a comparison.
template <typename... Ts, typename Use>
constexpr void with_alternative(std::variant<Ts...> const& variant, Use&& use)
{
    [&]<std::size_t... at>(std::index_sequence<at...>)
    {
        static_cast<void>(((variant.index() == at and (use(*std::get_if<at>(&variant)), true)) or ...));
    }
    (std::index_sequence_for<Ts...>{});
}

} // namespace totora::inline v0
