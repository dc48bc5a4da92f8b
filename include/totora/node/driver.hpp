// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "totora/node/clients/completion.hpp"
#include "totora/node/parts/guard.hpp"

namespace totora::inline v0
{

/// Access to a node for other threads, and the schedule of its own thread. Starts no thread.
///
/// The node's thread calls `poll` when it was woken, and at the time that `poll` gave. Any thread may `post`.
template <typename Node>
class Driver
{
public:
    /// `wake` makes the node's thread call `poll` soon. It is called from any thread, often, must not block or throw, and must
    /// not call `poll` itself. What it captures outlives the driver, and the node does too.
    Driver(Node& node, std::function<void()> wake) : node_(node), wake_(std::move(wake)) { node_.set_wake(wake_); }

    Driver(Driver const&) = delete;
    Driver& operator=(Driver const&) = delete;

    /// Takes the wake-up back from the node's policies, so that a scope may be left without `stop`.
    ~Driver()
    {
        static_cast<void>(attempt("a policy", [&] { node_.set_wake(nullptr); }));
    }

    /// Runs `task` with the node, on the node's thread, in a later `poll`. From any thread. If it throws, the node has failed;
    /// the other tasks run all the same. Tasks that wait when the driver goes are dropped.
    template <std::invocable<Node&> Task>
    void post(Task task)
    {
        auto was_empty = false;
        {
            auto const lock = std::scoped_lock{mutex_};
            was_empty = posted_.empty();
            posted_.emplace_back(std::move(task));
        }
        if (was_empty)
            wake_();
    }

    /// Calls `condition` with the node, on the node's thread, after each turn from the next `poll` on, until it returns true. From any
    /// thread. If it throws, the node has failed. Those that wait when the driver goes are dropped.
    void await(std::function<bool(Node&)> condition)
    {
        post([this, condition = std::move(condition)](Node&) mutable { awaited_.push_back(std::move(condition)); });
    }

    /// Runs what was posted and lets the node do what it can. On the node's thread.
    ///
    /// Returns how long the thread may wait, in milliseconds, unless it is woken earlier: 0 if there is more to
    /// do at once, nothing if only a wake-up can bring something new. Called from within a task, a completion or the observer
    /// it does nothing: the poll that called them goes on.
    std::optional<std::uint64_t> poll()
    {
        if (std::exchange(in_poll_, true))
            return std::nullopt;
        {
            auto const lock = std::scoped_lock{mutex_};
            running_.swap(posted_);
        }
        for (auto& task : running_)
            node_.run(task);
        running_.clear();
        auto const more = node_.turn();
        auto const any_came_true = std::erase_if(awaited_, [&](auto& condition) { return came_true(condition); }) > 0;
        in_poll_ = false;
        if (more or any_came_true)
            return 0;
        auto const next = node_.next_turn_ms();
        if (not next)
            return std::nullopt;
        auto const now = node_.clock().now_ms();
        return *next > now ? *next - now : 0;
    }

private:
    /// One that throws is not called again.
    [[nodiscard]] bool came_true(std::function<bool(Node&)>& condition)
    {
        auto is_true = true;
        node_.run([&](Node& node) { is_true = condition(node); });
        return is_true;
    }

    Node&                                   node_;
    std::function<void()>                   wake_;
    std::mutex                              mutex_;
    std::vector<Completion<Node&>>          posted_; ///< Guarded by `mutex_`.
    std::vector<Completion<Node&>>          running_;
    std::vector<std::function<bool(Node&)>> awaited_; ///< Of the node's thread.
    bool                                    in_poll_ = false;
};

} // namespace totora::inline v0
