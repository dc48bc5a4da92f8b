// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/rules/recovery.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/result.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/identity.hpp"
#include "totora/node/parts/seams.hpp"
#include "totora/node/settings.hpp"
#include "totora/node/start_error.hpp"
#include "totora/policy/adapter.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace totora::inline v0
{

/// An entry that no message can carry would be proposed, and would keep all others waiting permanently (case 84).
template <typename Transport>
[[nodiscard]] std::string fault_in_limits(NodeSettings const& settings, Transport& transport)
{
    auto const most = if_offered(
        transport,
        [](auto& one) -> decltype(static_cast<std::uint64_t>(one.entry_bytes_max())) {
            return static_cast<std::uint64_t>(one.entry_bytes_max());
        },
        [] { return std::numeric_limits<std::uint64_t>::max(); });
    if (std::max(settings.entry_bytes_max, settings.append_bytes_max) > most)
        return "entry_bytes_max and append_bytes_max must not be above " + std::to_string(most) +
               ", the most that the transport carries in one message";
    return {};
}

/// Gives the transport the addresses of the others.
template <typename Transport>
void introduce_peers(std::span<Peer const> peers, ServerId own, Transport& transport)
{
    for (auto const& [member, address] : peers)
        if (member.id != own)
            transport.update(member.id, member.incarnation, address);
}

/// What a server begins with.
struct RecoveredServer
{
    Identity                identity;
    State                   state;
    std::optional<TornTail> torn_tail;
};

/// Reads from the log what this server was, as far as it can be a server. `applied()` is asked how far the state machine is, when
/// the log is known to be a server's.
template <typename Policies, typename Applied>
[[nodiscard]] Result<RecoveredServer, StartError> recover_server(Policies& policies, Applied applied)
{
    auto const& settings = policies.settings;
    if (not has_limits(settings))
        return Unexpected{StartError{std::string{describe(RecoveryError::settings_unsound)}}};
    if (auto const fault = fault_in_limits(settings, policies.transport); not fault.empty())
        return Unexpected{StartError{fault}};
    auto recovered = policies.log.recover();
    if (not recovered)
        return Unexpected{StartError{recovered.error().what}};
    auto const& identity = recovered->identity;
    if (auto const fault = fault_in(identity); not fault.empty())
        return Unexpected{StartError{"the log is no server's: " + fault}};
    if (auto const fault = fault_in_configurations(*recovered); not fault.empty())
        return Unexpected{StartError{fault}};
    auto state = core::recover(settings.core, Member{identity.id, identity.incarnation, MemberKind::voter},
                               {.current_term = recovered->current_term,
                                .voted_for = recovered->voted_for,
                                .log = std::move(recovered->entries),
                                .configuration = recovered->configuration,
                                .previous_configuration = recovered->previous_configuration,
                                .commit_index = recovered->commit_index,
                                .applied_index = applied()});
    if (not state)
        return Unexpected{StartError{std::string{describe(state.error())}}};
    if (auto const fault = fault_after_recovery(*state, policies.log))
        return Unexpected{StartError{std::string{*fault}}};
    return RecoveredServer{std::move(recovered->identity), *std::move(state), std::move(recovered->torn_tail)};
}

} // namespace totora::inline v0
