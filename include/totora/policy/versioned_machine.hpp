// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/abilities.hpp"
#include "totora/policy/adapter.hpp"
#include "totora/policy/state_machine.hpp"

#include <concepts>
#include <cstdint>

namespace totora::inline v0
{

/// A state machine that can apply entries by more than one version, from 1 to `version()`.
///
/// It applies by version 1 until it is told another. All servers of a cluster change from one version to the next at the same entry, once
/// every one of them can the next: so a rolling upgrade never lets two servers apply one entry differently (case 110).
///
/// A machine that keeps itself (`durable_machine`) keeps the version with what it applied by it.
template <typename T>
concept versioned_machine = state_machine<T> and requires(T& machine, std::uint32_t version) {
    /// The newest version that it can; always the same.
    { machine.version() } -> std::convertible_to<std::uint32_t>;
    /// What it is given from here on it applies by this version. Called between two entries, in their order, also when it is not another version
    /// than before; and before the machine is restored from a snapshot, with that in force where it was taken.
    { machine.use_version(version) } -> std::same_as<void>;
};

/// What a machine can; version 1 if it does not say.
template <typename Machine>
[[nodiscard]] std::uint32_t version_of(Machine& machine)
{
    return if_offered(
        machine, [](auto& one) -> decltype(static_cast<std::uint32_t>(one.version())) { return one.version(); },
        [] { return Abilities{}.machine; });
}

/// Has a machine go on by this version, if it has versions.
template <typename Machine>
void use_version(Machine& machine, std::uint32_t version)
{
    if_offered(
        machine, [=](auto& one) -> decltype(one.use_version(version)) { return one.use_version(version); }, [] {});
}

} // namespace totora::inline v0
