// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/data/attempt.hpp"
#include "totora/node/status.hpp"

#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace totora::inline v0
{

/// Keeps exceptions from leaving a node half changed: whatever may throw runs within it, and what is thrown is the failure of
/// the node, which then does nothing more. The first failure stays.
class Guard
{
public:
    /// Calls `act`. True if it ran to its end; otherwise the node has failed for this reason.
    template <std::invocable Act>
    bool run(NodeFailure why, std::string_view subject, Act&& act) noexcept
    {
        return attempt(subject, std::forward<Act>(act), [&](std::string what) { fail({why, std::move(what)}); });
    }

    /// Calls what a user handed over for one outcome.
    template <typename Completion, typename Outcome>
    bool complete(Completion& completion, Outcome&& outcome) noexcept
    {
        return run(NodeFailure::callback, "a completion", [&] { completion(std::forward<Outcome>(outcome)); });
    }

    void fail(Failed failed) noexcept
    {
        runs_ = false;
        if (not has_failed_)
            *std::get_if<Failed>(&event_) = std::move(failed);
        has_failed_ = true;
    }

    [[nodiscard]] bool has_failed() const { return has_failed_; }

    /// Whether the node takes part: it began, did not end, and has not failed. One flag, since it is asked at every step.
    [[nodiscard]] bool runs() const { return runs_; }
    void               begin() { runs_ = not has_failed_; }
    void               end() { runs_ = false; }

    /// Nothing has failed any more. Gives back what had.
    [[nodiscard]] Failed forget() noexcept
    {
        auto failed = has_failed_ ? std::move(*std::get_if<Failed>(&event_)) : Failed{};
        has_failed_ = false;
        return failed;
    }

    /// The failure as the observer is notified of it; it is kept so, because a copy would need memory. Only of a node that has failed.
    [[nodiscard]] NodeEvent const& event() const { return event_; }

    /// Null if the node has not failed.
    [[nodiscard]] Failed const* failed() const { return has_failed_ ? std::get_if<Failed>(&event_) : nullptr; }

private:
    NodeEvent event_{Failed{}}; ///< Always a `Failed`.
    bool      has_failed_ = false;
    bool      runs_ = false;
};

} // namespace totora::inline v0
