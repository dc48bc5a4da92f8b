// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/state.hpp"
#include "totora/core/values/abilities.hpp"
#include "totora/core/values/types.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace totora::inline v0
{

/// In what a server, by its program or its limits, can less than its cluster has agreed on; empty if in nothing.
[[nodiscard]] inline std::string fault_in_agreement(State const& state)
{
    auto const& can = state.settings.can;
    auto const& needs = agreed(state);
    auto const  sentence = [](std::string const& what, std::uint32_t ours, std::uint32_t theirs) {
        return "the cluster has agreed on " + what + " " + std::to_string(theirs) + ", and this server can " +
               std::to_string(ours) + " at most: start a program, with limits, that can it";
    };
    if (can.formats < needs.formats)
        return sentence("version of the formats", can.formats, needs.formats);
    if (can.machine < needs.machine)
        return sentence("version of the state machine", can.machine, needs.machine);
    if (can.entry_bytes_max < needs.entry_bytes_max)
        return sentence("entry_bytes_max", can.entry_bytes_max, needs.entry_bytes_max);
    if (can.servers_max < needs.servers_max)
        return sentence("servers_max", can.servers_max, needs.servers_max);
    return {};
}

/// Notices after each step what has changed about the configuration.
class ConfigurationWatch
{
public:
    /// Whether another one is in force than when this was asked last.
    [[nodiscard]] bool has_changed(State const& state)
    {
        auto const& now = state.configurations.in_force;
        if (now.index == noticed_ and now.members.size() == members_)
            return false;
        noticed_ = now.index;
        members_ = now.members.size();
        return true;
    }

    /// In what this server can less than is agreed, once for each configuration that is committed: it came back with an older program.
    [[nodiscard]] std::string judge(State const& state)
    {
        auto const index = state.configurations.in_force.index;
        if (index == judged_ or index > state.commit_index)
            return {};
        judged_ = index;
        return fault_in_agreement(state);
    }

private:
    Index       noticed_;
    std::size_t members_ = 0;
    Index       judged_;
};

} // namespace totora::inline v0
