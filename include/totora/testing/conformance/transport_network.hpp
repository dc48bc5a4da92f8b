// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/policy/transport.hpp"

#include <concepts>
#include <string>
#include <type_traits>

namespace totora::inline v0::conformance
{

/// Servers 1, 2 and 3 of one cluster, for `check_transport`.
///
/// It may have `of_another_cluster()`, the transport of a server 2 of another cluster, which can be given the addresses
/// of this one: then the kit checks that nothing of it arrives.
// clang-format off: version 14 cannot format requires-expressions.
template <typename T>
concept transport_network = requires(T& network, ServerId server)
{
    requires message_transport<std::remove_reference_t<decltype(network.at(server))>>;
    /// What `update` is given for a server.
    {
        network.incarnation_of(server)
        } -> std::convertible_to<Incarnation>;
    {
        network.address_of(server)
        } -> std::convertible_to<std::string>;
    /// Lets messages travel, for some milliseconds if it is real.
    {
        network.settle()
        } -> std::same_as<void>;
};
// clang-format on

} // namespace totora::inline v0::conformance
