// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/log/syncer.hpp"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>

namespace totora::test
{

/// A `ThreadSyncer` that tests can wait for instead of for a while. One log at a time may use it, since nobody but the log
/// knows its syncer.
class AwaitedSyncer
{
public:
    void start(std::function<bool()> work)
    {
        running_ = this;
        syncer_.start([this, job = std::move(work)] {
            auto const asked = this->asked();
            auto const more = job();
            if (not more)
                note_done(asked);
            return more;
        });
    }

    void request()
    {
        {
            auto const lock = std::lock_guard{mutex_};
            ++asked_;
        }
        syncer_.request();
    }

    void stop()
    {
        running_ = nullptr;
        syncer_.stop();
    }

    /// Waits until all is done that the log asked for. To be called by the thread that uses the log.
    static void settle()
    {
        if (running_ == nullptr)
            return;
        auto lock = std::unique_lock{running_->mutex_};
        running_->changed_.wait(lock, [] { return running_->done_ == running_->asked_; });
    }

private:
    [[nodiscard]] std::uint64_t asked()
    {
        auto const lock = std::lock_guard{mutex_};
        return asked_;
    }

    void note_done(std::uint64_t asked)
    {
        {
            auto const lock = std::lock_guard{mutex_};
            done_ = asked;
        }
        changed_.notify_all();
    }

    inline static AwaitedSyncer* running_ = nullptr;

    std::mutex              mutex_;
    std::condition_variable changed_;
    std::uint64_t           asked_ = 0;
    std::uint64_t           done_ = 0;
    ThreadSyncer            syncer_; ///< Last, so that its thread ends before what it uses.
};

static_assert(log_syncer<AwaitedSyncer>);

} // namespace totora::test
