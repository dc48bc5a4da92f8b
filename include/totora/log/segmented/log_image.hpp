// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/term_runs.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/identity.hpp"
#include "totora/log/segmented/entry_index.hpp"
#include "totora/log/segmented/pinned_entries.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace totora::inline v0
{

/// The log as the node sees it: with everything that it wrote, durable or not.
///
/// Invariant: `runs`, `index` and `configurations` describe the same entries; `pinned` holds the newest of them.
struct LogImage
{
    Identity                identity;
    std::uint64_t           start = 0;
    Term                    current_term;
    std::optional<ServerId> voted_for;
    TermRuns                runs;
    EntryIndex              index;
    Index                   commit_index;   ///< Never above what is durable.
    PinnedEntries           pinned;         ///< The newest entries.
    std::vector<Index>      configurations; ///< The entries that are one, in order.

    void truncate(Index from)
    {
        pinned.truncate(from, index);
        index.truncate(from);
        runs.truncate(from);
        while (not configurations.empty() and configurations.back() >= from)
            configurations.pop_back();
    }
};

} // namespace totora::inline v0
