// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/seeded_cluster.hpp"

#include <array>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

namespace totora::test
{

/// A cluster of real nodes whose members change, and whose leaders hand over.
class ChangingCluster : public SeededCluster<>
{
public:
    using SeededCluster<>::SeededCluster;

    /// Asks a server for these members, in place of those that it knows.
    void change(Server& server, std::vector<Peer> wanted, bool forced = false)
    {
        if (not server.node)
            return;
        ++open;
        server.node->change_members({server.node->status().configuration.index, std::move(wanted), forced},
                                    [this](ChangeOutcome const& outcome) {
                                        --open;
                                        ++change_ends[outcome.index()];
                                    });
    }

    void cancel_change(Server& server)
    {
        if (server.node)
            server.node->cancel_change([](ChangeOutcome const&) {});
    }

    /// Asks a server to hand over, to whom it likes if that is nobody.
    void transfer(Server& server, ServerId to)
    {
        if (not server.node)
            return;
        ++open;
        server.node->transfer_leadership(to, [this](TransferOutcome const& outcome) {
            --open;
            ++transfer_ends[outcome.index()];
        });
    }

    std::array<std::uint64_t, std::variant_size_v<ChangeOutcome>>   change_ends{};   ///< How many changes ended so.
    std::array<std::uint64_t, std::variant_size_v<TransferOutcome>> transfer_ends{}; ///< And transfers.
};

} // namespace totora::test
