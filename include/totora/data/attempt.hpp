// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace totora::inline v0
{

/// "`subject` threw: `what`". Without the memory for that text, a shorter one that needs none.
[[nodiscard]] inline std::string describe_thrown(std::string_view subject, std::string_view what) noexcept
{
#if defined(__cpp_exceptions)
    try {
        return std::string{subject} + " threw: " + std::string{what};
    } catch (...) {
        return "out of memory"; // Short enough to be stored in place.
    }
#else
    return std::string{subject} + " threw: " + std::string{what};
#endif
}

/// Calls `act`; true if it ran to its end, otherwise `report` is called with a description of what it threw. Compiled without exceptions
/// it only calls.
template <std::invocable Act, std::invocable<std::string> Report>
bool attempt(std::string_view subject, Act&& act, Report&& report) noexcept
{
#if defined(__cpp_exceptions)
    try {
        act();
        return true;
    } catch (std::exception const& thrown) {
        report(describe_thrown(subject, thrown.what()));
    } catch (...) {
        report(describe_thrown(subject, "something that is no std::exception"));
    }
    return false;
#else
    static_cast<void>(subject);
    static_cast<void>(report);
    act();
    return true;
#endif
}

/// The same; returns a description of what it threw, nothing if it ran to its end.
template <std::invocable Act>
[[nodiscard]] std::optional<std::string> attempt(std::string_view subject, Act&& act) noexcept
{
    auto thrown = std::optional<std::string>{};
    attempt(subject, std::forward<Act>(act), [&](std::string what) { thrown = std::move(what); });
    return thrown;
}

} // namespace totora::inline v0
