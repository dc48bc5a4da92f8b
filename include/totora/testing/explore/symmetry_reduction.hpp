// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/explore/global_state.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace totora::inline v0::explore
{

/// Maps states that differ only by a permutation of server ids to one representative (symmetry reduction).
///
/// Servers are ordered by what does not depend on names: their own kind, then the kinds of the messages to and from
/// them. Where that leaves several orders, all are tried and the least state is taken. Whatever is taken is a
/// permutation of the state's ids, so that a weak ordering costs time or merges too little, and never merges what
/// differs.
class SymmetryReduction
{
public:
    SymmetryReduction(StepCache const& steps, InternTable<GhostState> const& ghosts, std::size_t servers)
        : steps_(&steps), ghosts_(&ghosts), count_(servers)
    {}

    /// The permutation that was used.
    std::size_t operator()(GlobalState& global)
    {
        if (steps_->permutations().size() == 1)
            return 0;
        colour(global);
        auto order = Permutations::Names{0, 1, 2, 3, 4};
        for (auto sorted = std::size_t{1}; sorted < count_; ++sorted)
            for (auto at = sorted; at > 0 and colours_[order[at]] < colours_[order[at - 1]]; --at)
                std::swap(order[at], order[at - 1]);
        auto best = permutation_of(order);
        if (not has_ties(order)) {
            permute(global, best);
            return best;
        }
        auto const original = global;
        permute(global, best);
        while (next_order(order)) {
            auto const other = permutation_of(order);
            auto       candidate = original;
            permute(candidate, other);
            if (is_less(candidate, global)) {
                global = candidate;
                best = other;
            }
        }
        return best;
    }

    /// Permutes the names of servers.
    void permute(GlobalState& global, std::size_t permutation) const
    {
        if (permutation == 0)
            return;
        auto const& names = steps_->permutations()[permutation];
        auto const  servers = global.servers;
        for (auto at = std::size_t{0}; at < count_; ++at)
            global.servers[names[at]] = steps_->servers().renamed(servers[at], permutation);
        global.ghost = ghosts_->renamed(global.ghost, permutation);
        for (auto at = std::size_t{0}; at < global.in_flight; ++at)
            global.messages[at] = steps_->messages().renamed(global.messages[at], permutation);
        put_in_order(global, false);
    }

private:
    void colour(GlobalState const& global)
    {
        for (auto at = std::size_t{0}; at < count_; ++at)
            colours_[at] = std::uint64_t{steps_->servers().kind_of(global.servers[at])} << 40U;
        for (auto const message : global) {
            auto const& address = steps_->address_of(message);
            auto const  kind = testing::spread(steps_->messages().kind_of(message) + 1);
            colours_[address.from] += kind >> 26U;
            colours_[address.to] += kind >> 27U;
        }
    }

    [[nodiscard]] bool has_ties(Permutations::Names const& order) const
    {
        for (auto at = std::size_t{1}; at < count_; ++at)
            if (colours_[order[at]] == colours_[order[at - 1]])
                return true;
        return false;
    }

    /// The next order of servers of equal colours; false if all have been tried.
    [[nodiscard]] bool next_order(Permutations::Names& order) const
    {
        for (auto begin = std::size_t{0}; begin < count_;) {
            auto end = begin + 1;
            while (end < count_ and colours_[order[end]] == colours_[order[begin]])
                ++end;
            if (std::next_permutation(order.begin() + static_cast<std::ptrdiff_t>(begin),
                                      order.begin() + static_cast<std::ptrdiff_t>(end)))
                return true;
            begin = end;
        }
        return false;
    }

    /// The first server gets the first name.
    [[nodiscard]] std::size_t permutation_of(Permutations::Names const& order) const
    {
        auto names = Permutations::Names{0, 1, 2, 3, 4};
        for (auto at = std::size_t{0}; at < count_; ++at)
            names[order[at]] = static_cast<std::uint8_t>(at);
        return steps_->permutations().number_of(names);
    }

    [[nodiscard]] bool is_less(GlobalState const& a, GlobalState const& b) const
    {
        if (a.servers != b.servers)
            return a.servers < b.servers;
        if (a.ghost != b.ghost)
            return a.ghost < b.ghost;
        return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
    }

    StepCache const*                                steps_;
    InternTable<GhostState> const*                  ghosts_;
    std::size_t                                     count_;
    std::array<std::uint64_t, explored_servers_max> colours_{};
};

} // namespace totora::inline v0::explore
