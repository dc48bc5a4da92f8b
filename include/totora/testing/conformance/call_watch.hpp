// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/conformance/violations.hpp"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace totora::inline v0::conformance
{

/// How long the calls of a policy may take in total: so long that no machine reaches it by being busy, since they do
/// not wait.
struct CallLimit
{
    std::chrono::milliseconds                 most{30'000};
    std::function<std::chrono::nanoseconds()> now = [] { return std::chrono::steady_clock::now().time_since_epoch(); };
};

/// Makes the calls of a policy on a thread of its own, as a node does, and records those that throw, that wait, or that
/// do not return at all.
class CallWatch : public std::enable_shared_from_this<CallWatch>
{
public:
    explicit CallWatch(CallLimit limit) : limit_(std::move(limit)) {}

    Violations violations; ///< Of the thread that makes the calls, as long as it runs.

    /// Makes a call. Nothing that it throws leaves this.
    template <typename Call>
    void call(std::string const& what, Call make_it)
    {
        begin(what);
        auto const before = limit_.now();
        auto       thrown = std::string{};
        try {
            make_it();
        } catch (std::exception const& exception) {
            thrown = std::string{"threw: "} + exception.what();
        } catch (...) {
            thrown = "threw.";
        }
        spent_ += limit_.now() - before;
        end();
        violations.expect(thrown.empty(), "no call throws", what + " " + thrown);
        violations.expect(spent_ < limit_.most, "no call waits",
                          "All calls so far took " + std::to_string(limit_.most.count()) +
                              " ms or more; the last one was " + what + ".");
    }

    /// Runs `law`, which makes calls. False if one of them does not return: its thread is abandoned then, with all that
    /// it uses, and stays in that call permanently. What `law` throws itself, as a failed check of a test, leaves this.
    template <typename Law>
    [[nodiscard]] bool run(Law law)
    {
        auto thread = std::thread{[self = shared_from_this(), law = std::move(law)]() mutable {
            auto thrown = std::exception_ptr{};
            try {
                law();
            } catch (...) {
                thrown = std::current_exception();
            }
            auto const lock = std::lock_guard{self->mutex_};
            self->thrown_ = thrown;
            self->ended_ = true;
            self->changed_.notify_all();
        }};
        if (not await_end()) {
            thread.detach();
            return false;
        }
        thread.join();
        if (thrown_)
            std::rethrow_exception(std::exchange(thrown_, nullptr));
        return true;
    }

private:
    using Time = std::chrono::steady_clock::time_point;

    void begin(std::string const& what)
    {
        auto const lock = std::lock_guard{mutex_};
        calling_ = what;
        began_ = std::chrono::steady_clock::now();
    }

    void end()
    {
        auto lock = std::unique_lock{mutex_};
        calling_.clear();
        changed_.wait(lock,
                      [&] { return not is_abandoned_; }); // If abandoned, permanently: nothing is left to continue for.
    }

    [[nodiscard]] bool await_end()
    {
        auto lock = std::unique_lock{mutex_};
        while (not ended_) {
            auto const since = calling_.empty() ? std::chrono::steady_clock::now() : began_;
            auto const until = since + limit_.most;
            changed_.wait_until(lock, until, [&] { return ended_; });
            is_abandoned_ =
                not ended_ and not calling_.empty() and began_ + limit_.most <= std::chrono::steady_clock::now();
            if (not is_abandoned_)
                continue;
            violations.expect(false, "no call waits",
                              "A call did not return within " + std::to_string(limit_.most.count()) +
                                  " ms: " + calling_);
            return false;
        }
        ended_ = false;
        return true;
    }

    CallLimit                limit_;
    std::chrono::nanoseconds spent_{0};
    std::mutex               mutex_;
    std::condition_variable  changed_;
    std::string              calling_; ///< Empty between calls.
    Time                     began_;   ///< When the current call began.
    bool                     ended_ = false;
    bool                     is_abandoned_ = false;
    std::exception_ptr       thrown_;
};

} // namespace totora::inline v0::conformance
