// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/policy/adapter.hpp"
#include "totora/policy/durable_machine.hpp"
#include "totora/policy/snapshot_log.hpp"
#include "totora/policy/snapshot_machine.hpp"
#include "totora/policy/transport.hpp"

#include <type_traits>
#include <utility>

namespace totora::inline v0
{

// Each is a call that only a policy with the refinement allows, so that `if_offered` finds the nearest one that has it.

struct TakesCaptures
{
    template <snapshot_machine Machine>
    [[nodiscard]] Machine& operator()(Machine& machine) const
    {
        return machine;
    }
};

struct KeepsItself
{
    template <durable_machine Machine>
    [[nodiscard]] Machine& operator()(Machine& machine) const
    {
        return machine;
    }
};

struct KeepsSnapshots
{
    template <snapshot_log Log>
    [[nodiscard]] Log& operator()(Log& log) const
    {
        return log;
    }
};

struct CarriesChunks
{
    template <chunk_transport Transport>
    [[nodiscard]] Transport& operator()(Transport& transport) const
    {
        return transport;
    }
};

/// Whether a node of these policies takes snapshots, sends and installs them: if its state machine, its log and its transport can. Otherwise
/// its log only grows.
template <typename Policies>
inline constexpr bool has_snapshots =
    offers<typename Policies::Machine, TakesCaptures>() and offers<typename Policies::Log, KeepsSnapshots>() and
    offers<typename Policies::Transport, CarriesChunks>();

/// Whether the state machine of such a node keeps itself on disk: its log is compacted without snapshots then (decision 0016).
template <typename Policies>
inline constexpr bool has_durable_machine = has_snapshots<Policies>and
                      offers<typename Policies::Machine, KeepsItself>();

/// The policy, or the nearest one that it wraps, that offers a refinement.
template <typename Refinement, typename Policy>
[[nodiscard]] auto& refined(Policy& policy)
{
    return if_offered(policy, Refinement{}, [] {});
}

/// The refined policy's type.
template <typename Refinement, typename Policy>
using Refined = std::remove_reference_t<decltype(refined<Refinement>(std::declval<Policy&>()))>;

} // namespace totora::inline v0
