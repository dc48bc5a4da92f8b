// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/simulate/faults/faults.hpp"
#include "totora/testing/simulate/scenario.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace totora::inline v0::simulate
{

/// Searches for the fewest faults with which a seed still fails, by leaving out what it can do without: first whole
/// kinds, then planned faults, in halves, quarters and so on down to single ones (Zeller, Hildebrandt 2002,
/// "Simplifying and isolating failure-inducing input").
///
///     auto const fails = [&](SimulationOptions const& fewer) {
///         return not Simulation<>{make_scenario(seed, fewer)}.run().broken.empty();
///     };
///     auto const smallest = Shrinker{seed, options, fails}.shrink();
///
/// `fails(options)` runs the seed. The result fails; every run is another one, so that it need not fail for the same
/// reason.
template <typename Fails>
class Shrinker
{
public:
    Shrinker(std::uint64_t seed, SimulationOptions options, Fails fails)
        : seed_(seed), options_(std::move(options)), fails_(std::move(fails))
    {}

    [[nodiscard]] SimulationOptions shrink()
    {
        leave_out_kinds();
        leave_out_planned();
        return std::move(options_);
    }

private:
    void leave_out_kinds()
    {
        for (auto kind = std::size_t{0}; kind < fault_kinds; ++kind) {
            auto fewer = options_;
            if (fewer.without.insert(static_cast<Fault>(kind)).second and fails_(fewer))
                options_ = std::move(fewer);
        }
    }

    void leave_out_planned()
    {
        auto numbers = std::vector<std::uint32_t>{};
        for (auto const& fault : make_scenario(seed_, options_).plan)
            numbers.push_back(fault.number);
        for (auto part = (numbers.size() + 1) / 2; part > 0; part = part == 1 ? 0 : (part + 1) / 2)
            for (auto from = std::size_t{0}; from < numbers.size();) {
                auto       fewer = numbers;
                auto const begin = fewer.begin() + static_cast<std::ptrdiff_t>(from);
                fewer.erase(begin, begin + static_cast<std::ptrdiff_t>(std::min(part, fewer.size() - from)));
                if (fails_(with(fewer)))
                    numbers = std::move(fewer);
                else
                    from += part;
            }
        options_ = with(numbers);
    }

    [[nodiscard]] SimulationOptions with(std::vector<std::uint32_t> const& numbers) const
    {
        auto options = options_;
        options.only = std::set<std::uint32_t>(numbers.begin(), numbers.end());
        return options;
    }

    std::uint64_t     seed_;
    SimulationOptions options_;
    Fails             fails_;
};

} // namespace totora::inline v0::simulate
