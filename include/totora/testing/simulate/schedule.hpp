// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace totora::inline v0::simulate
{

/// The events to come, in virtual time. Those planned for the same microsecond happen in the order of planning.
template <typename MessageBody>
class Schedule
{
public:
    struct Planned
    {
        std::uint64_t at_us = 0;
        std::uint64_t number = 0;
        MessageBody   what{};
    };

    void plan(std::uint64_t at_us, MessageBody what)
    {
        heap_.push_back({at_us, ++planned_, std::move(what)});
        std::push_heap(heap_.begin(), heap_.end(), later);
    }

    [[nodiscard]] bool        empty() const { return heap_.empty(); }
    [[nodiscard]] std::size_t size() const { return heap_.size(); }

    /// The next event; there is one.
    [[nodiscard]] Planned take()
    {
        std::pop_heap(heap_.begin(), heap_.end(), later);
        auto next = std::move(heap_.back());
        heap_.pop_back();
        return next;
    }

private:
    [[nodiscard]] static bool later(Planned const& a, Planned const& b)
    {
        return a.at_us != b.at_us ? a.at_us > b.at_us : a.number > b.number;
    }

    std::vector<Planned> heap_;
    std::uint64_t        planned_ = 0;
};

} // namespace totora::inline v0::simulate
