// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/core/messages/release.hpp"
#include "totora/core/values/result.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/policy/clock.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/state_machine.hpp"
#include "totora/policy/transport.hpp"

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// A policy that wraps another: counting, delaying, failing, recording. What it does not intercept is the other's.
///
/// It needs no function for a refinement that it does not know: the user of a refinement looks for the nearest policy that
/// has it (`if_offered`), from the adapter down. An adapter that intercepts a refinement declares it, constrained by its base
/// having it: otherwise it would offer what its base has not.
template <typename T>
concept policy_adapter = requires(T& adapter) {
    typename T::AdaptedPolicy;
    { adapter.base() } -> std::convertible_to<typename T::AdaptedPolicy const&>;
};

/// Whether `use(policy)` can be called with the policy, or with one that it wraps.
template <typename Policy, typename Use>
[[nodiscard]] consteval bool offers()
{
    if constexpr (std::invocable<Use&, Policy&>)
        return true;
    else if constexpr (policy_adapter<Policy>)
        return offers<std::remove_reference_t<decltype(std::declval<Policy&>().base())>, Use>();
    else
        return false;
}

/// Calls `use(policy)`, or `use` with the nearest policy that it wraps for which that is a valid call; `otherwise()` if there is
/// none. `use` is a generic lambda that names the refinement in its result:
///
///     if_offered(log, [&](auto& one) -> decltype(one.cold_bytes(a, b)) { return one.cold_bytes(a, b); }, [] { return 0; })
template <typename Policy, typename Use, typename Otherwise>
constexpr decltype(auto) if_offered(Policy& policy, Use&& use, Otherwise&& otherwise)
{
    if constexpr (std::invocable<Use&, Policy&>)
        return use(policy);
    else if constexpr (offers<Policy, Use>())
        return if_offered(policy.base(), use, otherwise);
    else
        return otherwise();
}

/// Wraps what is not its own, and outlives the adapter.
template <typename Policy>
class PolicyAdapter
{
public:
    using AdaptedPolicy = Policy;

    explicit PolicyAdapter(Policy& base) : base_(base) {}

    [[nodiscard]] Policy&       base() { return base_; }
    [[nodiscard]] Policy const& base() const { return base_; }

private:
    Policy& base_;
};

/// A log that wraps another, unchanged. An adapter derives from it, and hides what it changes.
template <durable_log Log>
class LogAdapter : public PolicyAdapter<Log>
{
public:
    using PolicyAdapter<Log>::PolicyAdapter;
    using PolicyAdapter<Log>::base;

    [[nodiscard]] Result<Recovered, LogError> recover() { return base().recover(); }
    void save_vote(WriteNumber write, Term term, std::optional<ServerId> vote) { base().save_vote(write, term, vote); }
    void append(WriteNumber write, Entries const& entries) { base().append(write, entries); }
    void truncate(WriteNumber write, Index index) { base().truncate(write, index); }
    void save_commit(Index index) { base().save_commit(index); }
    void sync() { base().sync(); }
    [[nodiscard]] Durable durable() { return base().durable(); }
    [[nodiscard]] std::optional<LogError> failure() const { return base().failure(); }
    [[nodiscard]] LogPosition last() const { return base().last(); }
    [[nodiscard]] Result<Entries, LogError> read(Index from, Index up_to, std::uint64_t bytes_max)
    {
        return base().read(from, up_to, bytes_max);
    }
    [[nodiscard]] std::uint64_t bytes(Index first, Index up_to) const { return base().bytes(first, up_to); }
    [[nodiscard]] bool has_room(std::uint64_t bytes) const { return base().has_room(bytes); }
    void close() { base().close(); }
};

/// A transport that wraps another, unchanged. An adapter derives from it, and hides what it changes.
template <message_transport Transport>
class TransportAdapter : public PolicyAdapter<Transport>
{
public:
    using PolicyAdapter<Transport>::PolicyAdapter;
    using PolicyAdapter<Transport>::base;

    void send(Released const& message, Entries const& entries) { base().send(message, entries); }
    [[nodiscard]] std::optional<TransportEvent> receive() { return base().receive(); }
    void update(ServerId server, Incarnation incarnation, std::string_view address)
    {
        base().update(server, incarnation, address);
    }
};

/// A state machine that wraps another, unchanged. An adapter derives from it, and hides what it changes.
template <state_machine Machine>
class StateMachineAdapter : public PolicyAdapter<Machine>
{
public:
    using Response = typename Machine::Response;
    using PolicyAdapter<Machine>::PolicyAdapter;
    using PolicyAdapter<Machine>::base;

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        base().apply(commands, responses);
    }
    [[nodiscard]] Index applied_index() const { return base().applied_index(); }
};

/// A clock that wraps another, unchanged. An adapter derives from it, and hides what it changes.
template <alarm_clock Clock>
class ClockAdapter : public PolicyAdapter<Clock>
{
public:
    using PolicyAdapter<Clock>::PolicyAdapter;
    using PolicyAdapter<Clock>::base;

    void arm(Alarm alarm, Arming arming, Delay delay) { base().arm(alarm, arming, delay); }
    void cancel(Alarm alarm) { base().cancel(alarm); }
    [[nodiscard]] std::optional<AlarmRang> ring() { return base().ring(); }
    [[nodiscard]] std::optional<std::uint64_t> next_ring_ms() const { return base().next_ring_ms(); }
    [[nodiscard]] std::uint64_t now_ms() const { return base().now_ms(); }
};

} // namespace totora::inline v0
