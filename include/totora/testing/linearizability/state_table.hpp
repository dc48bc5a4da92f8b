// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace totora::inline v0::linearizability
{

/// Gives every state a number, equal states the same one.
template <typename State>
class StateTable
{
public:
    [[nodiscard]] std::uint32_t number_of(State state)
    {
        auto const [found, is_new] = numbers_.try_emplace(std::move(state), static_cast<std::uint32_t>(states_.size()));
        if (is_new)
            states_.push_back(&found->first);
        return found->second;
    }

    [[nodiscard]] State const& operator[](std::uint32_t number) const { return *states_[number]; }

    /// About, with the nodes of the map, and without what a state points to.
    [[nodiscard]] std::size_t bytes() const { return states_.size() * (sizeof(State) + 64); }

private:
    std::map<State, std::uint32_t> numbers_;
    std::vector<State const*>      states_;
};

} // namespace totora::inline v0::linearizability
