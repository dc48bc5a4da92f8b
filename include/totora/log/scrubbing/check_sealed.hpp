// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/identity.hpp"
#include "totora/log/segmented/log_damage.hpp"
#include "totora/log/segmented/read_header.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/log/segmented/segment_header.hpp"
#include "totora/log/segmented/segment_record.hpp"
#include "totora/log/segmented/segment_survey.hpp"
#include "totora/log/segmented/segment_window.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"

#include <cstdint>
#include <string>

namespace totora::inline v0
{

/// Reads a sealed segment and checks header and records. `damaged` if a byte of them is not as it was written.
/// Precondition: everything in it is durable. `source` is the whole file.
template <typename File>
[[nodiscard]] Result<Done, LogError>
check_sealed(SegmentWindow<File>& source, Identity const& identity, std::uint64_t generation, std::uint64_t length)
{
    if (source.size() < length)
        return damaged(generation, too_short(source.size(), length));
    auto const header = read_header(source, generation, identity);
    if (not header)
        return Unexpected{header.error()};
    if (not header->has_value())
        return damaged(generation, "has no header that can be read");
    auto const seed = segment_seed(identity, generation);
    source.limit(length);
    auto       last = Index{};
    auto const survey = survey_segment(source, seed, size_of(**header), (*header)->batch,
                                       [&](Record const& record) { last = last_after(record, last); });
    if (source.failure())
        return log_failure(LogFailure::read_failed, *source.failure());
    if (survey.unknown)
        return of_newer_version("A record in the file " + segment_name(generation));
    if (survey.end != length)
        return damaged(generation, "is damaged at byte " + std::to_string(survey.end),
                       damaged_entries(survey, next(last), last));
    return Done{};
}

} // namespace totora::inline v0
