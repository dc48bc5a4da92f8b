// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/explore/transitions.hpp"
#include "totora/testing/hashing.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0::explore
{

/// Progress of an exploration.
struct Explored
{
    std::uint64_t distinct_states = 0;
    std::uint64_t transitions = 0;
    std::uint64_t depth = 0; ///< The longest of the shortest paths to a state.
    std::uint64_t frontier = 0;
    std::size_t   bytes = 0; ///< Of memory, about.
    bool          completed = false;
    std::string   violation; ///< The property that was violated; empty if all held.
};

/// Breadth first through every state of a scope, so that a violation comes with one of its shortest counterexamples.
///
///     auto const scope = Scope{.name = "mine", .elections = 2, .proposals = 1, .duplicates = 0};
///     auto       exploration = Exploration{scope};
///     auto const explored = exploration.run([](Explored const& so_far) { return so_far.distinct_states > 1'000'000; });
///     if (not explored.violation.empty()) // Else all holds, and if `explored.completed`, everywhere in the scope.
///         for (auto const& line : CounterexamplePrinter{exploration.transitions()}.print(exploration.way_to_the_violation()).lines) // counterexample.hpp
///             ...
///
/// An exploration is run once. It runs the core that is compiled in; to see it find something, break the core.
class Exploration
{
public:
    explicit Exploration(Scope const& scope) : transitions_(scope) {}

    [[nodiscard]] Transitions&    transitions() { return transitions_; }
    [[nodiscard]] Explored const& explored() const { return explored_; }

    /// Continues until all is seen, a property is violated, or `is_enough(explored)`, which is called now and then.
    template <typename IsEnough>
    Explored const& run(IsEnough is_enough)
    {
        return run(is_enough, [](GlobalState const&) {});
    }

    /// The same; `see(state)` is called once for every distinct state.
    template <typename IsEnough, typename See>
    Explored const& run(IsEnough is_enough, See see)
    {
        auto global = transitions_.first();
        auto level = std::vector<std::uint32_t>{};
        add_if_new(global, {0, 0});
        see(global);
        auto first_of_level = std::uint32_t{0};
        while (not next_level_.empty()) {
            std::swap(level, next_level_);
            next_level_.clear();
            auto const begin_of_next = static_cast<std::uint32_t>(parents_.size());
            auto       parent = first_of_level;
            for (auto at = std::size_t{0}; at < level.size(); ++parent) {
                at += unpack(global, transitions_.scope().servers, level.data() + at);
                if (not expand(global, parent, see))
                    return explored_;
                if ((parent & 1023U) == 0) {
                    explored_.bytes = bytes(level);
                    explored_.frontier = parents_.size() - parent;
                    if (is_enough(std::as_const(explored_)))
                        return explored_;
                }
            }
            first_of_level = begin_of_next;
            if (not next_level_.empty())
                ++explored_.depth;
        }
        explored_.bytes = bytes(level);
        explored_.completed = true;
        return explored_;
    }

    /// The numbers of the transitions that led to the violation, from the initial state on.
    [[nodiscard]] std::vector<std::uint16_t> way_to_the_violation() const
    {
        auto way = way_to(last_parent_.global);
        way.push_back(last_parent_.transition);
        return way;
    }

    /// The numbers of the transitions that lead to the state of this number: `see` is called for them in order, from 0 on.
    [[nodiscard]] std::vector<std::uint16_t> way_to(std::uint32_t global) const
    {
        auto way = std::vector<std::uint16_t>{};
        for (auto at = global; at != 0; at = parents_[at].global)
            way.insert(way.begin(), parents_[at].transition);
        return way;
    }

private:
    struct Parent
    {
        std::uint32_t global = 0;
        std::uint16_t transition = 0;
    };

    /// Takes every transition from a state. False if one led to a violation.
    template <typename See>
    [[nodiscard]] bool expand(GlobalState const& global, std::uint32_t number, See& see)
    {
        auto parent = Parent{number, 0};
        auto holds = true;
        transitions_.for_each(global, [&](Transition const& transition) {
            auto const from = parent;
            ++parent.transition;
            if (not holds)
                return;
            next_ = global;
            auto const made = transitions_.make(next_, transition);
            if (made == Transitions::Made::nothing)
                return;
            ++explored_.transitions;
            if (made == Transitions::Made::violation) {
                holds = false;
                explored_.violation = transitions_.violation;
                last_parent_ = from;
            } else if (add_if_new(next_, from)) {
                see(next_);
            }
        });
        return holds;
    }

    /// Adds a state to the next level. False if it was found before.
    bool add_if_new(GlobalState const& global, Parent parent)
    {
        std::uint32_t words[explored_servers_max + 3 + messages_max];
        auto const    count = pack(global, transitions_.scope().servers, words);
        if (not seen_.insert(testing::hash_of(reinterpret_cast<char const*>(words), count * sizeof *words)))
            return false;
        next_level_.insert(next_level_.end(), words, words + count);
        parents_.push_back(parent);
        ++explored_.distinct_states;
        return true;
    }

    [[nodiscard]] std::size_t bytes(std::vector<std::uint32_t> const& level) const
    {
        return seen_.bytes() + parents_.capacity() * sizeof(Parent) +
               (level.capacity() + next_level_.capacity()) * sizeof(std::uint32_t) + transitions_.steps().bytes();
    }

    Transitions         transitions_;
    Explored            explored_;
    testing::HashSet    seen_;
    std::vector<Parent> parents_; ///< Of each state, in the order in which they were found.
    Parent              last_parent_;

    std::vector<std::uint32_t> next_level_; ///< Packed states that were found and not expanded.
    GlobalState                next_;
};

} // namespace totora::inline v0::explore
