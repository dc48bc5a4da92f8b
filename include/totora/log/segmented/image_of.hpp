// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/log/segmented/log_image.hpp"
#include "totora/log/segmented/log_replay.hpp"

#include <algorithm>
#include <utility>

namespace totora::inline v0
{

/// The log as a node begins with it; what is large is moved from what was recovered.
[[nodiscard]] inline LogImage image_of(RecoveredLog& recovered)
{
    auto const& state = recovered.state;
    auto        image = LogImage{state.identity,
                          std::max(recovered.mark.start, recovered.newest_start) + 1,
                          state.current_term,
                          state.voted_for,
                          state.entries,
                          std::move(recovered.index),
                          state.commit_index,
                          {},
                          std::move(recovered.configurations),
                          std::move(recovered.boundary),
                          {}};
    image.note_configurations({state.configuration, state.previous_configuration}, state.peers);
    image.note_configurations(image.boundary.configurations, image.boundary.peers);
    return image;
}

} // namespace totora::inline v0
