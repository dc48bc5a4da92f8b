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

/// Does a log's writing and syncing, on the thread and at the time of its choice.
///
/// `start` receives the work, once. After each `request` the work is done soon, once for all requests that came
/// meanwhile: group commit. The work returns whether there is more of it. After `stop` it is not running and never runs
/// again; what was requested may be left undone.
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

/// A syncer that detects rest: about 100 ms after the last work, if nothing was requested since, it calls `rest` once,
/// on the thread of the work.
template <typename T>
concept resting_syncer = log_syncer<T> and requires(T& syncer, std::function<bool()> work, std::function<void()> rest)
{
    {
        syncer.start(work, rest)
        } -> std::same_as<void>;
};

/// Whether a log with this syncer may read on a thread, too. Otherwise all is done when it is asked for.
template <typename Syncer>
inline constexpr bool is_threaded = false;
template <typename Syncer>
requires Syncer::is_threaded inline constexpr bool is_threaded<Syncer> = true;

/// Does all the work before `request` returns: single-threaded and deterministic. For tests and simple tools.
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

/// Does the work on a separate thread, while the node continues.
class ThreadSyncer
{
public:
    /// A log may have threads of its own besides.
    static constexpr bool is_threaded = true;

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

    /// Waits for the work that is running, and drops later requests.
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
