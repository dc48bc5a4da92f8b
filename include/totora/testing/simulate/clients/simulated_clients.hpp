// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/linearizability/history_verdict.hpp"
#include "totora/testing/prng.hpp"
#include "totora/testing/simulate/checks.hpp"
#include "totora/testing/simulate/scenario.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace totora::inline v0::simulate
{

/// A way to read, for checking types.
struct AnyRead
{
    template <typename Node, typename Completion>
    void operator()(Node&, Completion) const;
};

/// The clients of a simulated cluster, all in one object; `StoreClients` and `ProposingClients` are such. They and the servers
/// are counted from 0.
///
/// They plan when they want to act: the scheduler takes `plans`, checks `wants_to_act` when the time has come, and lets
/// them `act` on the server that they turn to, or turns them away if it is down. Every proposal is reported to the
/// `Checks`: when it is made, and its outcome.
// clang-format off: version 14 cannot format requires-expressions.
template <typename T, typename Node, typename Machine, typename Read>
concept simulated_clients = std::constructible_from<T, ClientOptions const&, std::size_t, testing::Prng, Checks&> and
    requires(T& clients, T const& same, std::size_t number, std::uint32_t visit, std::uint64_t moment,
             std::vector<std::size_t> const& servers, Node& node, Machine const& machine, Read read)
{
    /// What was planned since it was emptied: `{client, visit, in_us}`. `visit` comes back, to recognize outdated
    /// plans.
    {
        clients.plans()
        } -> std::same_as<std::vector<typename T::Plan>&>;
    {
        clients.wants_to_act(number, visit)
        } -> std::same_as<bool>;
    /// The server that a client turns to, and the notice that it is down.
    {
        same.server_of(number)
        } -> std::same_as<std::size_t>;
    clients.turn_away(number);
    /// A client sends that server a request. `read(node, completion)` is how it reads, if it does.
    clients.act(number, node, machine, moment, read);
    /// The number of the event in which all that follows happens.
    clients.set_moment(moment);
    /// The process at a server has ended; the requests that wait there will never be answered.
    clients.server_gone(number);
    /// From now on they use these servers only; and from now on they request nothing.
    clients.turn_to(servers);
    clients.stop();
    /// How many answers of a server are pending, and how many came in all.
    {
        same.open_at(number)
        } -> std::same_as<std::size_t>;
    {
        same.answered()
        } -> std::convertible_to<std::uint64_t>;
    /// Verdict on the history: whether all answers can be true.
    {
        same.check_history()
        } -> std::same_as<linearizability::HistoryVerdict>;
};
// clang-format on

} // namespace totora::inline v0::simulate
