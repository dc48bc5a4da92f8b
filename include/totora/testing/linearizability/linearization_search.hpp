// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/linearizability/history.hpp"
#include "totora/testing/linearizability/linearization_memo.hpp"
#include "totora/testing/linearizability/linearized_set.hpp"
#include "totora/testing/linearizability/operation_view.hpp"
#include "totora/testing/linearizability/pending_operations.hpp"
#include "totora/testing/linearizability/search_result.hpp"
#include "totora/testing/linearizability/state_table.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace totora::inline v0::linearizability
{

/// Searches for an order of operations on one object that explains every answer, in which no operation comes before one
/// that returned before its call (Herlihy and Wing 1990). Depth first as in Wing and Gong 1993, with Lowe's memo
/// (2017).
///
/// Operations of unknown outcome have no return. Any number of them, one after the other, may be put before an
/// operation that has one; after the last of these none is needed. Few are tried before many, and of equal ones that
/// which was called first: another one could not do more.
template <sequential_object Object>
class LinearizationSearch
{
public:
    LinearizationSearch(Object const& object, std::vector<OperationView<Object>> const& operations)
        : LinearizationSearch(object, operations, in_order_of_calls(operations, true),
                              in_order_of_calls(operations, false))
    {}

    [[nodiscard]] SearchResult run(std::uint64_t steps_max, std::uint64_t bytes_max)
    {
        auto const root = states_.number_of(object_.initial());
        static_cast<void>(memo_.insert(placed_, root, {}));
        descend(none, root, std::vector<Word>(words_of_used_));
        while (not frames_.empty() and not pending_.empty()) {
            if (steps() > steps_max or memo_.bytes() + states_.bytes() > bytes_max)
                return result(VerdictKind::undecided);
            if (frames_.back().candidate < candidates_.size())
                try_next_candidate();
            else
                try_next_node();
        }
        return result(frames_.empty() ? VerdictKind::not_linearizable : VerdictKind::linearizable);
    }

private:
    using Word = LinearizedSet::Word;
    using State = typename Object::State;

    static constexpr auto none = ~std::size_t{0};

    /// A state that operations of unknown outcome can lead to, while nothing else is placed.
    struct Node
    {
        std::uint32_t state;
        std::size_t   before;  ///< The node that it came from; `none` for the first one of a frame.
        std::size_t   unknown; ///< The operation that was used up on the way from there.
    };

    /// One more placed operation that returned. Its candidates and its nodes are the last ones of all.
    struct Frame
    {
        std::size_t placed;     ///< `none` in the first frame.
        std::size_t candidates; ///< Where they begin.
        std::size_t candidate;  ///< The one to be tried next.
        std::size_t nodes;      ///< Where they begin.
        std::size_t node;       ///< The one that candidates are tried in.
        bool        is_settled; ///< Nothing but what was placed has to be tried in that node.
    };

    LinearizationSearch(Object const& object, std::vector<OperationView<Object>> const& operations,
                        std::vector<std::size_t> certain, std::vector<std::size_t> unknown)
        : object_(object), operations_(operations), certain_(std::move(certain)), unknown_(std::move(unknown)),
          words_of_used_((unknown_.size() + LinearizedSet::bits - 1) / LinearizedSet::bits),
          pending_(intervals_of_certain()), placed_(certain_.size())
    {
        for (auto const number : certain_)
            is_observation_.push_back(is_observation(operations_[number]));
        auto last_of = std::map<typename Object::Action, std::size_t>{};
        for (auto number = std::size_t{0}; number < unknown_.size(); ++number) {
            auto const [found, is_first] = last_of.try_emplace(*operations_[unknown_[number]].action, number);
            equal_before_.push_back(is_first ? none : std::exchange(found->second, number));
        }
    }

    [[nodiscard]] std::vector<Interval> intervals_of_certain() const
    {
        auto intervals = std::vector<Interval>{};
        for (auto const number : certain_)
            intervals.push_back(operations_[number].interval);
        return intervals;
    }

    [[nodiscard]] std::uint64_t steps() const { return applied_ + memo_.comparisons(); }

    [[nodiscard]] std::span<Word> used_by(std::size_t node)
    {
        return std::span{used_}.subspan(node * words_of_used_, words_of_used_);
    }

    void add_node(Node node, std::span<Word const> used)
    {
        nodes_.push_back(node);
        used_.insert(used_.end(), used.begin(), used.end());
    }

    /// Continues from where `placed` was placed.
    void descend(std::size_t placed, std::uint32_t state, std::vector<Word> const& used)
    {
        frames_.push_back({.placed = placed,
                           .candidates = candidates_.size(),
                           .candidate = candidates_.size(),
                           .nodes = nodes_.size(),
                           .node = nodes_.size(),
                           .is_settled = false});
        pending_.collect(candidates_);
        add_node({.state = state, .before = none, .unknown = none}, used);
    }

    void try_next_candidate()
    {
        auto& frame = frames_.back();
        if (frame.candidate == frame.candidates and place_observation())
            return;
        auto const number = candidates_[frame.candidate++];
        auto const before = nodes_[frame.node].state;
        if (auto const after = state_after(before, number))
            place(number, *after);
    }

    /// If an observation may come next and fits, then it may as well come now: whatever order continues from here
    /// without it can continue in the same way after it. So nothing else has to be tried here, and few reads are ever
    /// taken back.
    [[nodiscard]] bool place_observation()
    {
        auto&      frame = frames_.back();
        auto const before = nodes_[frame.node].state;
        for (auto at = frame.candidates; at < candidates_.size(); ++at) {
            auto const number = candidates_[at];
            if (not is_observation_[number] or not state_after(before, number))
                continue;
            frame.candidate = candidates_.size();
            frame.is_settled = true;
            place(number, before);
            return true;
        }
        return false;
    }

    /// Nothing if the answer would be another one.
    [[nodiscard]] std::optional<std::uint32_t> state_after(std::uint32_t before, std::size_t number)
    {
        auto const& operation = operations_[certain_[number]];
        auto        state = states_[before];
        ++applied_;
        if (not(object_.apply(state, *operation.action) == *operation.answer))
            return std::nullopt;
        return states_.number_of(std::move(state));
    }

    void place(std::size_t number, std::uint32_t after)
    {
        auto const used = used_by(frames_.back().node);
        placed_.insert(number);
        if (not memo_.insert(placed_, after, used)) {
            placed_.erase(number);
            return;
        }
        pending_.place(number);
        descend(number, after, std::vector<Word>(used.begin(), used.end()));
    }

    /// Also the states that one more operation of unknown outcome leads to; or goes back, if there are no more.
    void try_next_node()
    {
        if (not frames_.back().is_settled)
            add_nodes();
        auto& frame = frames_.back();
        frame.is_settled = false;
        frame.candidate = frame.candidates;
        ++frame.node;
        if (frame.node == nodes_.size())
            go_back();
    }

    void add_nodes()
    {
        auto const from = frames_.back().node;
        auto const before = nodes_[from].state;
        auto const horizon = pending_.horizon();
        auto       used = std::vector<Word>(used_by(from).begin(), used_by(from).end());
        auto const is_used = [&](std::size_t number) {
            return (used[number / LinearizedSet::bits] >> (number % LinearizedSet::bits) & 1U) != 0;
        };
        for (auto number = std::size_t{0}; number < unknown_.size(); ++number) {
            auto const& operation = operations_[unknown_[number]];
            if (operation.interval.called > horizon)
                break;
            if (is_used(number) or (equal_before_[number] != none and not is_used(equal_before_[number])))
                continue;
            auto state = states_[before];
            ++applied_;
            static_cast<void>(object_.apply(state, *operation.action));
            auto const after = states_.number_of(std::move(state));
            auto const bit = Word{1} << (number % LinearizedSet::bits);
            used[number / LinearizedSet::bits] |= bit;
            if (after != before and memo_.insert(placed_, after, used))
                add_node({.state = after, .before = from, .unknown = number}, used);
            used[number / LinearizedSet::bits] &= ~bit;
        }
    }

    void go_back()
    {
        note_dead_end();
        auto const frame = frames_.back();
        frames_.pop_back();
        candidates_.resize(frame.candidates);
        nodes_.resize(frame.nodes);
        used_.resize(frame.nodes * words_of_used_);
        if (frame.placed == none)
            return;
        placed_.erase(frame.placed);
        pending_.take_back(frame.placed);
    }

    /// An order gets further than another one if a later return is the first that it has no room for.
    void note_dead_end()
    {
        auto const reach = std::pair{pending_.horizon(), frames_.size()};
        if (reach <= furthest_)
            return;
        furthest_ = reach;
        order_ = current_order();
        blocked_.clear();
        for (auto at = frames_.back().candidates; at < candidates_.size(); ++at)
            blocked_.push_back(certain_[candidates_[at]]);
    }

    [[nodiscard]] std::vector<std::size_t> current_order() const
    {
        auto order = std::vector<std::size_t>{};
        for (auto depth = std::size_t{0}; depth < frames_.size(); ++depth) {
            auto const& frame = frames_[depth];
            if (frame.placed != none)
                order.push_back(certain_[frame.placed]);
            if (depth + 1 == frames_.size())
                break; // What was tried last led nowhere.
            auto const begin = static_cast<std::ptrdiff_t>(order.size());
            for (auto node = frame.node; nodes_[node].before != none; node = nodes_[node].before)
                order.push_back(unknown_[nodes_[node].unknown]);
            std::reverse(order.begin() + begin, order.end());
        }
        return order;
    }

    [[nodiscard]] SearchResult result(VerdictKind kind)
    {
        if (kind == VerdictKind::undecided)
            note_dead_end();
        auto found = SearchResult{kind, std::move(order_), std::move(blocked_), steps(), memo_.size()};
        if (kind == VerdictKind::linearizable) {
            found.order = current_order();
            found.blocked.clear();
        }
        return found;
    }

    Object const&                             object_;
    std::vector<OperationView<Object>> const& operations_;
    std::vector<std::size_t>       certain_; ///< What returned, in the order of calls. The search numbers these,
    std::vector<std::size_t>       unknown_; ///< and what did not.
    std::vector<bool>              is_observation_;
    std::vector<std::size_t>       equal_before_; ///< The last equal one before each unknown one, or `none`.
    std::size_t                    words_of_used_;
    PendingOperations              pending_;
    LinearizedSet                  placed_;
    LinearizationMemo              memo_;
    StateTable<State>              states_;
    std::vector<Frame>             frames_;
    std::vector<std::size_t>       candidates_;
    std::vector<Node>              nodes_;
    std::vector<Word>              used_; ///< By each node, one after the other.
    std::uint64_t                  applied_ = 0;
    std::pair<Moment, std::size_t> furthest_{std::numeric_limits<Moment>::min(), 0};
    std::vector<std::size_t>       order_;
    std::vector<std::size_t>       blocked_;
};

} // namespace totora::inline v0::linearizability
