// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/conformance/law_violation.hpp"

#include <range/v3/algorithm/contains.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0::conformance
{

/// Collects the result of a kit: the calls that it made, and the laws that were broken, each once.
class Violations
{
public:
    /// Begins again with something fresh; earlier calls have nothing to do with it.
    void begin(std::string what) { calls_.assign(1, std::move(what)); }

    /// Records a call.
    void call(std::string line) { calls_.push_back(std::move(line)); }

    /// Records that a law is broken, unless it was kept.
    void expect(bool kept, std::string const& law, std::string const& what)
    {
        if (not kept and not is_broken(law))
            broken_.push_back({law, what, calls_});
    }

    [[nodiscard]] bool is_broken(std::string const& law) const
    {
        return ranges::contains(broken_, law, &LawViolation::law);
    }

    [[nodiscard]] LawViolations const& broken() const { return broken_; }

private:
    std::vector<std::string> calls_;
    LawViolations            broken_;
};

} // namespace totora::inline v0::conformance
