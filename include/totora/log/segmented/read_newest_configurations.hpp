// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/data/configuration_entry.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/known_peers.hpp"
#include "totora/log/segmented/log_damage.hpp"
#include "totora/log/segmented/log_replay.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/log/segmented/segment_reader.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// The two newest configurations in a log, or as many as it holds: their entries are read again.
template <log_files Files>
[[nodiscard]] Result<std::vector<NamedConfiguration>, LogError>
read_newest_configurations(Files& files, RecoveredLog const& log)
{
    auto       reader = SegmentReader<Files>{files, log.index, log.state.entries};
    auto       newest = std::vector<NamedConfiguration>{};
    auto const count = log.configurations.size();
    for (auto at = count - std::min<std::size_t>(count, 2); at < count; ++at) {
        auto       entries = Entries{};
        auto const index = log.configurations[at];
        if (auto const got = reader.read(index, index, index, entries); not got) {
            if (got.error().failure != LogFailure::not_now)
                return Unexpected{got.error()};
            return log_failure(LogFailure::read_failed, got.error().what + " " + std::string{remedy(ENFILE)});
        }
        auto named = decode_named_configuration(*entries.begin());
        if (not named)
            return damaged(log.index.place(log.configurations[at]).segment, "holds a configuration that is none",
                           {log.configurations[at], log.configurations[at]});
        newest.push_back(*std::move(named));
    }
    return newest;
}

} // namespace totora::inline v0
