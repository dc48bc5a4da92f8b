// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/data/attempt.hpp"
#include "totora/policy/adapter.hpp"

#include <functional>

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
            static_cast<void>(attempt("a policy", [&] { set(nullptr); }));
    }

    /// Hands it to them. An empty one takes the last one back: nobody calls it any more when this returns.
    void set(std::function<void()> wake)
    {
        is_set_ = static_cast<bool>(wake);
        if (not is_set_)
            wake = [] {};
        auto const hand_over = [&wake](auto& policy) -> decltype(policy.set_wake(wake)) {
            return policy.set_wake(wake);
        };
        if (not log_closed_)
            if_offered(policies_.log, hand_over, [] {});
        if_offered(policies_.transport, hand_over, [] {});
    }

    /// The log is closed, and calls no wake-up any more.
    void log_closed() { log_closed_ = true; }

private:
    Policies& policies_;
    bool      is_set_ = false; ///< Policies hold a wake-up that somebody handed over.
    bool      log_closed_ = false;
};

} // namespace totora::inline v0
