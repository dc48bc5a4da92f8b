// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <concepts>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace totora::inline v0
{

/// Who does a log's writing and syncing, and when.
///
/// `start` is given the work, once. After each `request` the work is done soon, once for several requests that came
/// meanwhile: that is group commit. The work returns whether there is more of it. After `stop` it is not running
/// and never runs again; what was requested may be left undone.
template <typename T>
concept log_syncer = std::default_initializable<T> and requires(T& syncer, std::function<bool()> work)
{
    {
        syncer.start(work)
        } -> std::same_as<void>;
    {
        syncer.request()
        } -> std::same_as<void>;
    {
        syncer.stop()
        } -> std::same_as<void>;
};

/// A syncer that knows when nothing happens: when about 100 ms have passed since the last work and nothing was requested, it calls
/// `rest`, once, on the thread that works.
template <typename T>
concept resting_syncer = log_syncer<T> and requires(T& syncer, std::function<bool()> work, std::function<void()> rest)
{
    {
        syncer.start(work, rest)
        } -> std::same_as<void>;
};

/// Does all the work before `request` returns: one thread, and nothing left to chance. For tests and simple tools.
class InlineSyncer
{
public:
    void start(std::function<bool()> work) { work_ = std::move(work); }

    void request()
    {
        while (work_ and work_()) {}
    }

    void stop() { work_ = nullptr; }

private:
    std::function<bool()> work_;
};

/// Does the work on a thread of its own, while the node goes on.
class ThreadSyncer
{
public:
    ThreadSyncer() = default;
    ThreadSyncer(ThreadSyncer const&) = delete;
    ThreadSyncer& operator=(ThreadSyncer const&) = delete;
    ~ThreadSyncer() { stop(); }

    void start(
        std::function<bool()> work, std::function<void()> rest = [] {})
    {
        thread_ = std::thread{[this, job = std::move(work), end = std::move(rest)] { run(job, end); }};
    }

    void request()
    {
        {
            auto const lock = std::lock_guard{mutex_};
            requested_ = true;
        }
        changed_.notify_one();
    }

    /// Waits for the work that is running, and lets go of what waits.
    void stop()
    {
        {
            auto const lock = std::lock_guard{mutex_};
            stopping_ = true;
        }
        changed_.notify_one();
        if (thread_.joinable())
            thread_.join();
    }

private:
    static constexpr auto rest_after = std::chrono::milliseconds{100};

    void run(std::function<bool()> const& work, std::function<void()> const& rest)
    {
        auto more = false;
        auto rested = true;
        while (true) {
            auto wanted = false;
            {
                auto       lock = std::unique_lock{mutex_};
                auto const asked = [&] { return requested_ or stopping_ or more; };
                if (rested)
                    changed_.wait(lock, asked);
                wanted = changed_.wait_for(lock, rest_after, asked);
                if (stopping_)
                    return;
                requested_ = false;
            }
            rested = not wanted;
            if (wanted)
                more = work();
            else
                rest();
        }
    }

    std::mutex              mutex_;
    std::condition_variable changed_;
    bool                    requested_ = false;
    bool                    stopping_ = false;
    std::thread             thread_;
};

static_assert(log_syncer<InlineSyncer> and resting_syncer<ThreadSyncer>);

} // namespace totora::inline v0
