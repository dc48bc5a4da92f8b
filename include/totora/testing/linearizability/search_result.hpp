// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace totora::inline v0::linearizability
{

enum class VerdictKind
{
    linearizable,
    not_linearizable,
    undecided, ///< The search was given up: it would have taken more than it was allowed to.
};

/// How much a search may cost.
struct Effort
{
    std::uint64_t steps_max = 50'000'000;             ///< Actions applied and sets compared; some 10,000,000 a second.
    std::uint64_t bytes_max = 1'073'741'824;          ///< Of configurations seen.
    std::uint64_t explanation_steps_max = 20'000'000; ///< On top, to make an explanation short.
};

/// The result of a search. Numbers are positions in what was searched.
struct SearchResult
{
    VerdictKind              kind = VerdictKind::linearizable;
    std::vector<std::size_t> order;   ///< What was placed, in order; if that is not all, then as far as any order gets.
    std::vector<std::size_t> blocked; ///< What could come next there, and cannot; first what had to come first.
    std::uint64_t            steps = 0;
    std::uint64_t            configurations = 0;
};

} // namespace totora::inline v0::linearizability
