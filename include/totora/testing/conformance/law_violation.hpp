// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <vector>

namespace totora::inline v0::conformance
{

/// A violated law.
struct LawViolation
{
    std::string              law;          ///< Its name, the same for every policy: "durable writes survive".
    std::string              what;         ///< What was expected, and what was seen instead.
    std::vector<std::string> reproduction; ///< The calls before it, in order; the last line is the call that showed it.
};

/// The result of a kit; empty if every law was kept.
using LawViolations = std::vector<LawViolation>;

/// The result as text, for a test's message.
[[nodiscard]] inline std::string to_string(LawViolations const& broken)
{
    auto text = std::string{};
    for (auto const& one : broken) {
        text += one.law + ": " + one.what + "\n";
        for (auto const& line : one.reproduction)
            text += "    " + line + "\n";
    }
    return text;
}

} // namespace totora::inline v0::conformance
