// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/broken_invariant.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/fields.hpp"
#include "totora/core/values/types.hpp"

#include <optional>

namespace totora::inline v0
{

/// The configurations that a server has to remember: the newest in its log, and the one before.
///
/// A configuration is in force from the moment it is in the log, committed or not, and no longer when it is truncated (§6). Two are
/// enough: a leader appends the next only when the last is committed, so that of all only the newest can be truncated.
struct Configurations
{
    Configuration in_force; ///< The newest in the log.
    Configuration previous; ///< In force again if the newest is truncated.

    /// Puts a configuration in force that is appended to the log.
    constexpr void append(Configuration const& configuration)
    {
        previous = in_force;
        in_force = configuration;
    }

    /// The entry at `first` and all following ones are removed from the log.
    constexpr void truncate(Index first)
    {
        if (in_force.index >= first)
            in_force = previous;
    }

    /// The highest index that holds a committed configuration for certain: nothing up to there can be truncated.
    [[nodiscard]] constexpr Index committed_index() const { return previous.index; }

    /// Whether either of them names this member: the cluster's log has let it in, as far as this server knows.
    [[nodiscard]] constexpr bool admit(Member const& member) const
    {
        return names(in_force, member) or names(previous, member);
    }

    friend constexpr bool operator==(Configurations const&, Configurations const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("in_force", self.in_force);
        visit("previous", self.previous);
    }
};
static_assert(lists_its_fields<Configurations>());

/// The configuration in force at an index whose entry is committed, and the one before. Nothing if the index lies below both: it is
/// forgotten which was in force there (case 31).
///
/// Where the newest lies above `index`, the one before the other is forgotten too. Nothing needs it: what was in force at a
/// committed entry is not truncated.
[[nodiscard]] constexpr std::optional<Configurations> configurations_at(Configurations const& known, Index index)
{
    if (known.in_force.index <= index)
        return std::optional<Configurations>{known};
    if (known.previous.index <= index)
        return std::optional<Configurations>{Configurations{known.previous, known.previous}};
    return std::optional<Configurations>{};
}

/// The invariant of the configurations of a log that ends at `last_entry` that does not hold, if any.
[[nodiscard]] constexpr BrokenInvariant find_broken_invariant(Configurations const& configurations, Index last_entry)
{
    if (configurations.in_force.index > last_entry or configurations.previous.index > configurations.in_force.index)
        return "the configuration in force is in the log";
    return std::nullopt;
}

} // namespace totora::inline v0
