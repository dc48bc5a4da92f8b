// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/linearizability/history.hpp"

#include <range/v3/algorithm/sort.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace totora::inline v0::linearizability
{

/// When an operation took place; `returned` is `never` if its outcome is unknown.
struct Interval
{
    Moment called = 0;
    Moment returned = 0;
};

inline constexpr Moment never = std::numeric_limits<Moment>::max();

/// Sorts numbers by a moment that each of them has, equal ones by themselves.
template <typename MomentOf>
void sort_by_moment(std::span<std::size_t> numbers, MomentOf moment_of)
{
    ranges::sort(numbers, {}, [&](std::size_t number) { return std::pair{moment_of(number), number}; });
}

/// The operations of a history that have no place in an order yet, as a list of calls and one of returns (Wing and Gong
/// 1993, "Testing and verifying concurrent objects"). An operation may be placed next if no other one returned before
/// its call.
///
/// Numbers are positions in the order of calls. Placing and taking back cost a few steps each, as long as what was
/// placed last is taken back first.
class PendingOperations
{
public:
    /// Of operations that returned, in the order of their calls.
    explicit PendingOperations(std::vector<Interval> const& intervals)
        : called_(intervals.size()), returned_(intervals.size())
    {
        auto const none = intervals.size(); // The link before the first and after the last one in both lists.
        auto       by_return = std::vector<std::size_t>(intervals.size());
        for (auto number = std::size_t{0}; number < none; ++number)
            by_return[number] = number;
        sort_by_moment(by_return, [&](std::size_t number) { return intervals[number].returned; });

        intervals_ = intervals;
        link(called_, none, [](std::size_t position) { return position; });
        link(returned_, none, [&](std::size_t position) { return by_return[position]; });
    }

    [[nodiscard]] bool empty() const { return first_return() == none(); }

    /// The pending operation that returns first. Only if not `empty()`.
    [[nodiscard]] std::size_t first_return() const { return returned_[none()].next; }

    /// Whatever is called later than this cannot be placed next; `never` if nothing is pending.
    ///
    /// What is called at the very moment of a return is concurrent with it: clocks have a resolution.
    [[nodiscard]] Moment horizon() const { return empty() ? never : intervals_[first_return()].returned; }

    /// Appends what may be placed next, first what returns first: later operations have more time.
    void collect(std::vector<std::size_t>& candidates) const
    {
        auto const begin = candidates.size();
        auto const last = horizon();
        for (auto at = called_[none()].next; at != none() and intervals_[at].called <= last; at = called_[at].next)
            candidates.push_back(at);
        sort_by_moment(std::span{candidates}.subspan(begin),
                       [&](std::size_t number) { return intervals_[number].returned; });
    }

    void place(std::size_t number)
    {
        remove(called_, number);
        remove(returned_, number);
    }

    void take_back(std::size_t number)
    {
        restore(returned_, number);
        restore(called_, number);
    }

private:
    struct Link
    {
        std::size_t previous = 0;
        std::size_t next = 0;
    };

    using Links = std::vector<Link>;

    template <typename NumberAt>
    static void link(Links& links, std::size_t count, NumberAt number_at)
    {
        links.resize(count + 1);
        auto previous = count;
        for (auto position = std::size_t{0}; position < count; ++position) {
            auto const number = number_at(position);
            links[previous].next = number;
            links[number].previous = previous;
            previous = number;
        }
        links[previous].next = count;
        links[count].previous = previous;
    }

    static void remove(Links& links, std::size_t number)
    {
        links[links[number].previous].next = links[number].next;
        links[links[number].next].previous = links[number].previous;
    }

    static void restore(Links& links, std::size_t number)
    {
        links[links[number].previous].next = number;
        links[links[number].next].previous = number;
    }

    [[nodiscard]] std::size_t none() const { return intervals_.size(); }

    std::vector<Interval> intervals_;
    Links                 called_;   ///< In the order of calls; the last link is the ends of the list.
    Links                 returned_; ///< In the order of returns.
};

} // namespace totora::inline v0::linearizability
