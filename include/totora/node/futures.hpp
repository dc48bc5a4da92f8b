// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/role.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/node/clients/pending.hpp"
#include "totora/node/driver.hpp"
#include "totora/node/outcomes.hpp"
#include "totora/node/status.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <future>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace totora::inline v0
{

/// Every end of a read by `Futures`: what was read (`std::monostate` if the look returns nothing), or why nothing was. Not exhaustive,
/// like `ReadOutcome`.
template <typename T>
using ReadResult = std::variant<std::conditional_t<std::is_void_v<T>, std::monostate, T>, RefusedBecause, Cancelled>;

/// A node from other threads, by futures: proposals, reads, its status, who leads. Any thread may call; who waits for a future on the
/// node's own thread waits permanently.
///
/// The driver outlives this, not the futures: of what the driver drops when it goes, the future throws `std::future_error` (broken promise),
/// and so does that of a completion which a node that is destroyed without `stop` leaves uncalled.
template <typename Node>
class Futures
{
public:
    using Response = typename Node::Response;

    explicit Futures(Driver<Node>& driver) : driver_(driver) {}

    /// Proposes a command, which is copied. `timeout_ms` counts from when the node's thread takes it.
    [[nodiscard]] std::future<ProposalOutcome<Response>>
    propose(std::span<std::byte const> payload, std::uint64_t timeout_ms = never_ms)
    {
        auto promise = std::promise<ProposalOutcome<Response>>{};
        auto future = promise.get_future();
        driver_.post([bytes = std::vector<std::byte>(payload.begin(), payload.end()), promise = std::move(promise),
                      timeout_ms](Node& node) mutable {
            node.propose(
                bytes,
                [promise = std::move(promise)](ProposalOutcome<Response> outcome) mutable {
                    promise.set_value(std::move(outcome));
                },
                timeout_ms);
        });
        return future;
    }

    /// Calls `look()` on the node's thread when the state machine may be read (§8), and gives what it returns. What it throws, the
    /// future throws.
    template <std::invocable Look>
    [[nodiscard]] std::future<ReadResult<std::invoke_result_t<Look&>>>
    read(Look look, std::uint64_t timeout_ms = never_ms)
    {
        using Outcome = ReadResult<std::invoke_result_t<Look&>>;
        auto promise = std::promise<Outcome>{};
        auto future = promise.get_future();
        driver_.post([look = std::move(look), promise = std::move(promise), timeout_ms](Node& node) mutable {
            node.read(
                [look = std::move(look), promise = std::move(promise)](ReadOutcome const& outcome) mutable {
                    keep(promise, [&] { return result_of<Outcome>(outcome, look); });
                },
                timeout_ms);
        });
        return future;
    }

    /// A copy of the node's status.
    [[nodiscard]] std::future<Status> status()
    {
        auto promise = std::promise<Status>{};
        auto future = promise.get_future();
        driver_.post(
            [promise = std::move(promise)](Node& node) mutable { keep(promise, [&] { return node.status(); }); });
        return future;
    }

    /// Waits until the node knows who leads, itself or another: `nobody` if it does not run, or ends before.
    [[nodiscard]] std::future<ServerId> leader()
    {
        auto promise = std::make_shared<std::promise<ServerId>>();
        auto future = promise->get_future();
        driver_.await([promise = std::move(promise)](Node& node) {
            auto const leader = node.is_running() ? known_leader(node.state()) : nobody;
            auto const ended = leader != nobody or not node.is_running();
            if (ended)
                promise->set_value(leader);
            return ended;
        });
        return future;
    }

private:
    /// Keeps a promise by what `get` returns or throws.
    template <typename T, typename Get>
    static void keep(std::promise<T>& promise, Get get)
    {
#if defined(__cpp_exceptions)
        try {
            promise.set_value(get());
        } catch (...) {
            promise.set_exception(std::current_exception());
        }
#else
        promise.set_value(get());
#endif
    }

    template <typename Outcome, typename Look>
    [[nodiscard]] static Outcome result_of(ReadOutcome const& outcome, Look& look)
    {
        if (std::holds_alternative<ReadableNow>(outcome)) {
            if constexpr (std::is_void_v<std::invoke_result_t<Look&>>) {
                look();
                return Outcome{};
            } else {
                return Outcome{std::in_place_index<0>, look()};
            }
        }
        if (auto const* refused = std::get_if<RefusedBecause>(&outcome))
            return Outcome{std::in_place_index<1>, *refused};
        return Outcome{std::in_place_index<2>};
    }

    Driver<Node>& driver_;
};

} // namespace totora::inline v0
