// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/data/attempt.hpp"
#include "totora/policy/adapter.hpp"

#include <concepts>

namespace totora::inline v0
{

/// The wake-up that the policies of a node hold, those that work in the background.
template <typename Policies>
class Wake
{
public:
    explicit Wake(Policies& policies) : policies_(policies) {}

    Wake(Wake const&) = delete;
    Wake& operator=(Wake const&) = delete;

    /// Takes it back.
    ~Wake()
    {
        if (is_set_)
            static_cast<void>(attempt("a policy", [&] { take_back(); }));
    }

    /// Hands it to them. An empty one takes the last one back: nobody calls it any more when this returns.
    template <typename WakeUp>
    void set(WakeUp const& wake)
    {
        if constexpr (std::constructible_from<bool, WakeUp const&>) // Not every callable can be empty.
            if (not static_cast<bool>(wake))
                return take_back();
        is_set_ = true;
        hand_over(wake);
    }

    /// The log is closed, and calls no wake-up any more.
    void log_closed() { log_closed_ = true; }

private:
    void take_back()
    {
        is_set_ = false;
        hand_over([] {});
    }

    template <typename WakeUp>
    void hand_over(WakeUp const& wake)
    {
        auto const set_wake = [&wake](auto& policy) -> decltype(policy.set_wake(wake)) {
            return policy.set_wake(wake);
        };
        if (not log_closed_)
            if_offered(policies_.log, set_wake, [] {});
        if_offered(policies_.transport, set_wake, [] {});
    }

    Policies& policies_;
    bool      is_set_ = false; ///< Policies hold a wake-up that somebody handed over.
    bool      log_closed_ = false;
};

} // namespace totora::inline v0
