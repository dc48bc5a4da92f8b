// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/values/types.hpp"
#include "totora/node/snapshot_settings.hpp"
#include "totora/testing/conformance/sample_messages.hpp"
#include "totora/testing/conformance/transport_user.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace totora::inline v0::conformance
{

/// The laws of a transport that carries chunks of snapshots. See `check_transport`.
template <typename Network>
class TransportChunkLaws
{
public:
    using User = TransportUser<Network>;

    explicit TransportChunkLaws(User& user) : user_(user) {}

    /// More than any queue holds, to a server that does not receive and to some that do not exist.
    void chunks_do_not_wait()
    {
        user_.introduce();
        auto const size = std::min(chunk_max(), std::size_t{64} << 10U);
        for (auto count = 0U; count < 512; ++count) {
            user_.send(one, two, chunk_message(user_.next_term(), count % 8 == 0 ? size : 1000));
            if (count % 8 == 0)
                user_.send(one, ServerId{7}, chunk_message(user_.next_term(), 1000)); // It was never announced.
            if (count % 64 == 0)
                user_.settle();
        }
        for (auto waited = 0; waited < 2000 and (waited == 0 or user_.link(one, two) == Link::full); ++waited)
            user_.travel();
        user_.expect(user_.link(one, two) != Link::full, "a full link opens again",
                     "Server 1 was notified that the link to 2 is full, and never that it is open or broken.");
        user_.expect(user_.arrives(one, two, chunk_message(user_.next_term(), 1000)), "not everything is lost",
                     "After a burst of chunks none arrives any more.");
    }

    /// As large as a node sends it by default, or as the transport carries it.
    void the_largest_chunk_arrives()
    {
        user_.introduce();
        user_.expect(user_.arrives(one, two, chunk_message(user_.next_term(), chunk_max())),
                     "the largest chunk arrives",
                     "A chunk of " + std::to_string(chunk_max()) +
                         " bytes never arrived. A transport that cannot carry it declares it by entry_bytes_max().");
    }

    void another_life_receives_no_chunks()
    {
        constexpr auto law = "what is meant for another incarnation does not arrive";
        user_.introduce();
        auto const named = user_.network().incarnation_of(two);
        for (auto round = 0U; round < 12; ++round) {
            user_.update(one, two, Incarnation{named.value + (std::uint64_t{1} << round % 4 * 16)});
            user_.send(one, two, chunk_message(user_.next_term(), 700), {{law}});
            user_.send(one, two, chunk_message(user_.next_term(), 0), {{law}});
            auto promise = InstallSnapshotResponse{};
            promise.term = user_.next_term();
            promise.match = Index{promise.term.value};
            user_.send(two, one, {promise, {}}, {{"a response of another incarnation does not count"}});
            user_.travel();
        }
        user_.forgive();
        user_.update(one, two, named);
        user_.expect(user_.arrives(one, two, chunk_message(user_.next_term(), 700)),
                     "an update replaces the one before",
                     "Server 1 was given another incarnation of 2 and then the right one, and no chunk arrives.");
    }

private:
    static constexpr auto one = ServerId{1};
    static constexpr auto two = ServerId{2};

    [[nodiscard]] std::size_t chunk_max()
    {
        return std::min(user_.payload_max(), static_cast<std::size_t>(SnapshotSettings{}.chunk_bytes));
    }

    User& user_;
};

} // namespace totora::inline v0::conformance
