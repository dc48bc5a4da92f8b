// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/types.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/log/segmented/segment_name.hpp"
#include "totora/log/segmented/segment_survey.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace totora::inline v0
{

/// The range that damaged entries lie in, as far as known: none are damaged if `first` is above `last`, and all from
/// `first` on may be if there is no `last`.
struct DamagedEntries
{
    std::optional<Index> first;
    std::optional<Index> last;
};

/// The entries that damage at the end of a survey may have hit: up to the next readable entry, or else up to `last`.
[[nodiscard]] inline DamagedEntries damaged_entries(SegmentSurvey const& survey, Index expected, Index last)
{
    auto const first = survey.broken.value_or(expected);
    return {first, survey.resumes_at ? before(*survey.resumes_at) : std::max(last, survey.broken.value_or(Index{}))};
}

/// The refusal of a log that lost something durable, or is in a state that no crash leaves.
[[nodiscard]] inline Unexpected<LogError>
damaged(std::uint64_t generation, std::string const& what, DamagedEntries const& entries = {})
{
    auto message = "The file " + segment_name(generation) + " " + what;
    if (entries.first and entries.last and *entries.first <= *entries.last)
        message += "; it held the entries " + std::to_string(entries.first->value) + " to " +
                   std::to_string(entries.last->value);
    else if (entries.first)
        message += "; the entries from " + std::to_string(entries.first->value) + " on may be lost";
    message += ". No crash leaves that, so nothing was cut. Restore the directory: ";
    message += cannot_return;
    return log_failure(LogFailure::damaged, std::move(message));
}

/// The size of a segment that shrank, for `damaged`.
[[nodiscard]] inline std::string too_short(std::uint64_t size, std::uint64_t size_before)
{
    return "has only " + std::to_string(size) + " of " + std::to_string(size_before) +
           " bytes that it had before it was used";
}

/// The refusal of something intact that a newer version of the format wrote.
[[nodiscard]] inline Unexpected<LogError> of_newer_version(std::string const& what)
{
    return log_failure(LogFailure::foreign_format,
                       what + " is of a kind, or has flags, that version " + std::to_string(log_format_version) +
                           " of the format does not know. A newer version of this program wrote it: start that one.");
}

} // namespace totora::inline v0
