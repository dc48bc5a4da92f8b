// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/log/syncer.hpp"

#include <functional>
#include <utility>

namespace totora::inline v0::simulate
{

/// Where the writing and syncing of a log waits until virtual time has come for it.
class SyncDesk
{
public:
    bool at_once = false; ///< Work is done within the request, as by `InlineSyncer`.

    /// Whether there is work that is not done.
    [[nodiscard]] bool waiting() const { return waiting_; }

    /// Writes and syncs what waits.
    void work()
    {
        waiting_ = false;
        waiting_ = work_ and work_();
    }

    /// The process has ended, and its work with it.
    void dismiss()
    {
        work_ = nullptr;
        waiting_ = false;
    }

private:
    friend class VirtualSyncer;
    friend class AtDesk;

    void request()
    {
        waiting_ = true;
        while (at_once and waiting_)
            work();
    }

    /// The desk of the log that is being opened: a log makes its syncer itself and exposes it to no one.
    [[nodiscard]] static SyncDesk*& open()
    {
        static thread_local auto* desk = static_cast<SyncDesk*>(nullptr);
        return desk;
    }

    std::function<bool()> work_;
    bool                  waiting_ = false;
};

/// During its lifetime, logs that are opened on this thread work at a desk.
class AtDesk
{
public:
    explicit AtDesk(SyncDesk& desk) : before_(std::exchange(SyncDesk::open(), &desk)) {}
    AtDesk(AtDesk const&) = delete;
    AtDesk& operator=(AtDesk const&) = delete;
    ~AtDesk() { SyncDesk::open() = before_; }

private:
    SyncDesk* before_;
};

/// Takes a log's work to a desk. The desk outlives it.
class VirtualSyncer
{
public:
    void start(std::function<bool()> work)
    {
        desk_ = SyncDesk::open();
        desk_->work_ = std::move(work);
    }

    void request()
    {
        if (desk_ != nullptr)
            desk_->request();
    }

    void stop()
    {
        if (auto* const desk = std::exchange(desk_, nullptr))
            desk->dismiss();
    }

private:
    SyncDesk* desk_ = nullptr;
};

static_assert(log_syncer<VirtualSyncer>);

} // namespace totora::inline v0::simulate
