// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/linearizability/history.hpp"
#include "totora/testing/linearizability/linearizability.hpp"
#include "totora/testing/linearizability/linearizability_report.hpp"
#include "totora/testing/linearizability/search_result.hpp"

#include <string>

namespace totora::inline v0::linearizability
{

/// Verdict on the clients' history.
struct HistoryVerdict
{
    std::string contradiction;        ///< Why it cannot be true: an explanation and a report. Empty if none was found.
    bool        is_undecided = false; ///< The check was given up.
};

/// Searches for an order of all operations that explains all answers, within some seconds and 256 MiB.
template <written_object Object>
[[nodiscard]] HistoryVerdict check_history(History<Object> const& history, Object const& object = {})
{
    auto const verdict = check_linearizability(history, object, {.steps_max = 5'000'000, .bytes_max = 1U << 28U});
    if (verdict.kind == VerdictKind::not_linearizable)
        return {"the clients' history is not linearizable: " + describe(history, verdict)};
    return {.contradiction = {}, .is_undecided = verdict.kind == VerdictKind::undecided};
}

} // namespace totora::inline v0::linearizability
