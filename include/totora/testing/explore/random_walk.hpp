// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/explore/explore.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace totora::inline v0::explore
{

/// Walks at random through the states of a scope, again and again from the initial one: for what lies too deep to be
/// reached breadth first. The same seed walks the same path everywhere. It is used like an `Exploration`.
class RandomWalk
{
public:
    RandomWalk(Scope const& scope, std::uint64_t seed) : transitions_(scope), random_(testing::spread(seed + 1)) {}

    [[nodiscard]] Transitions&    transitions() { return transitions_; }
    [[nodiscard]] Explored const& explored() const { return explored_; }

    /// Walks until a property is violated, or `is_enough(explored)`. A state is counted as often as it is reached.
    template <typename IsEnough>
    Explored const& run(IsEnough is_enough)
    {
        while (walk())
            if (is_enough(static_cast<Explored const&>(explored_)))
                break;
        explored_.bytes = transitions_.steps().bytes();
        return explored_;
    }

    /// The numbers of the transitions that led to the violation, from the initial state on.
    [[nodiscard]] std::vector<std::uint16_t> const& way_to_the_violation() const { return way_; }

private:
    /// One walk, until no transition is left or it is long enough. False if a property was violated.
    [[nodiscard]] bool walk()
    {
        constexpr auto steps_max = std::size_t{1000};
        way_.clear();
        auto global = transitions_.first();
        while (way_.size() < steps_max) {
            choices_.clear();
            transitions_.for_each(global, [&](Transition const& transition) {
                choices_.push_back({transition, choices_.size()});
            });
            auto moved = false;
            while (not choices_.empty() and not moved) {
                auto const at = below(choices_.size());
                auto const choice = choices_[at];
                choices_.erase(choices_.begin() + static_cast<std::ptrdiff_t>(at));
                next_ = global;
                auto const made = transitions_.make(next_, choice.transition);
                if (made == Transitions::Made::nothing)
                    continue;
                moved = true;
                way_.push_back(static_cast<std::uint16_t>(choice.number));
                ++explored_.transitions;
                if (made == Transitions::Made::violation) {
                    explored_.violation = transitions_.violation;
                    return false;
                }
            }
            if (not moved)
                break;
            global = next_;
            ++explored_.distinct_states;
            explored_.depth = std::max<std::uint64_t>(explored_.depth, way_.size());
        }
        return true;
    }

    [[nodiscard]] std::size_t below(std::size_t bound)
    {
        random_ += 0x9e3779b97f4a7c15ULL;
        return static_cast<std::size_t>(testing::spread(random_) % bound);
    }

    struct Choice
    {
        Transition  transition;
        std::size_t number = 0;
    };

    Transitions                transitions_;
    std::uint64_t              random_;
    Explored                   explored_;
    std::vector<std::uint16_t> way_;
    std::vector<Choice>        choices_;
    GlobalState                next_;
};

} // namespace totora::inline v0::explore
