// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/linearizability/history.hpp"
#include "totora/testing/linearizability/linearizability.hpp"
#include "totora/testing/linearizability/linearizability_report.hpp"
#include "totora/testing/linearizability/search_result.hpp"

#include <string>

namespace totora::inline v0::linearizability
{

/// What is to be said of all that the clients of a run were told.
struct HistoryVerdict
{
    std::string contradiction;        ///< Why it can't be true: a sentence and a report. Empty if none was found.
    bool        is_undecided = false; ///< It was too much to find out.
};

/// Looks for an order of all operations that explains all answers, within some seconds and 256 MiB.
template <written_object Object>
[[nodiscard]] HistoryVerdict check_history(History<Object> const& history, Object const& object = {})
{
    auto const verdict = check_linearizability(history, object, {.steps_max = 5'000'000, .bytes_max = 1U << 28U});
    if (verdict.finding == Finding::not_linearizable)
        return {"what clients were told is not linearizable: " + describe(history, verdict)};
    return {.contradiction = {}, .is_undecided = verdict.finding == Finding::undecided};
}

} // namespace totora::inline v0::linearizability
