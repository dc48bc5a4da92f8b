// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/node/status.hpp"

#include <concepts>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace totora
{

/// "`subject` threw: `what`". Without the memory for that sentence, a shorter one that needs none.
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

/// Calls `act`, and says in a sentence what it threw; nothing if it ran to its end. Compiled without exceptions it only calls.
template <std::invocable Act>
[[nodiscard]] std::optional<std::string> attempt(std::string_view subject, Act&& act) noexcept
{
#if defined(__cpp_exceptions)
    try {
        act();
    } catch (std::exception const& thrown) {
        return describe_thrown(subject, thrown.what());
    } catch (...) {
        return describe_thrown(subject, "something that is no std::exception");
    }
#else
    static_cast<void>(subject);
    act();
#endif
    return std::nullopt;
}

/// Keeps exceptions from leaving a node half changed: whatever may throw runs within it, and what is thrown is the failure of
/// the node, which then does nothing more. The first failure stays.
class Guard
{
public:
    /// Calls `act`. True if it ran to its end; otherwise the node has failed for this reason.
    template <std::invocable Act>
    bool run(NodeFailure why, std::string_view subject, Act&& act) noexcept
    {
        auto thrown = attempt(subject, std::forward<Act>(act));
        if (thrown)
            fail({why, *std::move(thrown)});
        return not thrown;
    }

    /// Calls what a user handed over for one outcome.
    template <typename Completion, typename Outcome>
    bool complete(Completion& completion, Outcome&& outcome) noexcept
    {
        return run(NodeFailure::callback, "a completion", [&] { completion(std::forward<Outcome>(outcome)); });
    }

    void fail(Failed failed) noexcept
    {
        if (not has_failed_)
            event_ = NodeEvent{std::move(failed)};
        has_failed_ = true;
    }

    [[nodiscard]] bool has_failed() const { return has_failed_; }

    /// Nothing has failed any more. Gives back what had.
    [[nodiscard]] Failed forget() noexcept
    {
        auto failed = has_failed_ ? std::move(*std::get_if<Failed>(&event_)) : Failed{};
        has_failed_ = false;
        return failed;
    }

    /// The failure as the observer is told it; it is kept so, because a copy would need memory. Only of a node that has failed.
    [[nodiscard]] NodeEvent const& event() const { return event_; }

    /// Null if the node has not failed.
    [[nodiscard]] Failed const* failed() const { return has_failed_ ? std::get_if<Failed>(&event_) : nullptr; }

private:
    NodeEvent event_;
    bool      has_failed_ = false;
};

} // namespace totora
