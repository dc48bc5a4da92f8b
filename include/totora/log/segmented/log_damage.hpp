// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/types.hpp"
#include "totora/log/segmented/log_directory.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/log/segmented/segment_survey.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace totora::inline v0
{

/// Which entries are damaged, as far as that can be told: some are if `first` is not above `last`, and all from `first` on may be
/// if there is no `last`.
struct DamagedEntries
{
    std::optional<Index> first;
    std::optional<Index> last;
};

/// What the damage at the end of a survey may have hit: up to the next entry that can be read, or else up to `last`.
[[nodiscard]] inline DamagedEntries damaged_entries(SegmentSurvey const& survey, Index expected, Index last)
{
    auto const first = survey.broken.value_or(expected);
    return {first, survey.behind ? before(*survey.behind) : std::max(last, survey.broken.value_or(Index{}))};
}

/// The refusal of a log in which something was durable that is lost, or is as no crash could have left it.
[[nodiscard]] inline Unexpected<LogError>
damaged(std::uint64_t generation, std::string const& what, DamagedEntries const& entries = {})
{
    auto sentence = "The file " + segment_name(generation) + " " + what;
    if (entries.first and entries.last and *entries.first <= *entries.last)
        sentence += "; it held the entries " + std::to_string(entries.first->value) + " to " +
                    std::to_string(entries.last->value);
    else if (entries.first)
        sentence += "; the entries from " + std::to_string(entries.first->value) + " on may be lost";
    sentence += ". No crash leaves that, so nothing was cut. Restore the directory: ";
    sentence += cannot_return;
    return log_failure(LogFailure::damaged, std::move(sentence));
}

} // namespace totora::inline v0
