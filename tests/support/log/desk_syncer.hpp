// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

namespace totora::test
{

class DeskSyncer;

/// The syncers of one log, in the order in which they began: that of its writes is the first.
using Desk = std::vector<DeskSyncer*>;

/// Counts as a thread, and works when a test calls for it: what a log does beside the node, one piece at a time.
class DeskSyncer
{
public:
    static constexpr bool is_threaded = true;

    DeskSyncer() = default;
    DeskSyncer(DeskSyncer const&) = delete;
    DeskSyncer& operator=(DeskSyncer const&) = delete;
    ~DeskSyncer() { stop(); }

    /// Where the syncers begin that are started from now on: a log makes its own and shows them to nobody.
    [[nodiscard]] static Desk*& desk()
    {
        static auto* one = static_cast<Desk*>(nullptr);
        return one;
    }

    void start(std::function<bool()> work)
    {
        work_ = std::move(work);
        desk_ = desk();
        desk_->push_back(this);
    }

    void request() { is_requested_ = true; }

    void stop()
    {
        work_ = nullptr;
        if (auto* const left = std::exchange(desk_, nullptr))
            std::erase(*left, this);
    }

    [[nodiscard]] bool is_requested() const { return work_ and is_requested_; }

    /// One piece of work.
    void work()
    {
        is_requested_ = false;
        if (work_ and work_())
            is_requested_ = true;
    }

private:
    std::function<bool()> work_;
    Desk*                 desk_ = nullptr;
    bool                  is_requested_ = false;
};

} // namespace totora::test
