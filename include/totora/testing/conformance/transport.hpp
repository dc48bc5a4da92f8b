// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/conformance/call_watch.hpp"
#include "totora/testing/conformance/law_violation.hpp"
#include "totora/testing/conformance/snapshot/transport_chunk_laws.hpp"
#include "totora/testing/conformance/transport_laws.hpp"
#include "totora/testing/conformance/transport_network.hpp"
#include "totora/testing/conformance/transport_record.hpp"
#include "totora/testing/conformance/transport_user.hpp"

#include <memory>
#include <utility>

namespace totora::inline v0::conformance
{

/// The laws of `message_transport` that the compiler cannot check: it never corrupts, never invents a sender, delivers
/// to the addressee only, passes responses only from the incarnation that `update` named and reaches no other, carries
/// what it claims to carry, never throws and never waits. It may lose, repeat, delay and reorder, but not lose
/// everything. The same holds for the chunks of a `chunk_transport`.
///
/// `make()` gives a `transport_network` of three servers that do not have each other's addresses yet. Each law has a
/// network and a thread of its own, so that a call that does not return is named; what `make` refers to must then
/// outlive the process.
template <typename Make>
[[nodiscard]] LawViolations check_transport(Make make, CallLimit const& limit = {})
{
    using Network = decltype(make());
    static_assert(transport_network<Network>, "testing/conformance/transport_network.hpp lists what a network needs");
    using Laws = TransportLaws<Network>;
    auto const watch = std::make_shared<CallWatch>(limit);
    auto const check = [&]<typename AnyLaws>(void (AnyLaws::*law)()) {
        return watch->run([watch, make, law]() mutable {
            watch->violations.begin("three new servers");
            auto kept = typename TransportUser<Network>::Kept{};
            {
                auto network = make();
                auto user = TransportUser<Network>{network, *watch};
                auto laws = AnyLaws{user};
                (laws.*law)();
                kept = user.take_kept();
            }
            // The transport has been destroyed; what was taken from it stays.
            for (auto const& [received, expected, law_of_bytes] : kept)
                watch->violations.expect(bytes_of(received) == expected, law_of_bytes,
                                         "The bytes of a message that was received are not the same any more.");
        });
    };
    auto const all_return =
        check(&Laws::calls_do_not_wait) and check(&Laws::what_arrives_was_sent) and
        check(&Laws::the_largest_append_arrives) and check(&Laws::another_life_is_another_server) and
        check(&Laws::an_address_may_change) and check(&Laws::damaged_entries_do_not_arrive) and
        check(&Laws::what_arrives_wakes) and check(&Laws::bytes_that_leave_are_counted) and
        check(&Laws::a_renewed_connection_carries_again) and check(&Laws::a_removed_server_can_be_named_again) and
        check(&Laws::nothing_of_another_cluster_arrives);
    if constexpr (TransportUser<Network>::carries_chunks) {
        using ChunkLaws = TransportChunkLaws<Network>;
        static_cast<void>(all_return and check(&ChunkLaws::chunks_do_not_wait) and
                          check(&ChunkLaws::the_largest_chunk_arrives) and
                          check(&ChunkLaws::another_life_receives_no_chunks));
    }
    static_cast<void>(all_return); // A call that did not return is among the violations.
    return watch->violations.broken();
}

} // namespace totora::inline v0::conformance
