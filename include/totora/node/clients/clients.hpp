// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/node/clients/pending_change.hpp"
#include "totora/node/clients/pending_reads.hpp"
#include "totora/node/clients/pending_transfer.hpp"
#include "totora/node/clients/proposals.hpp"
#include "totora/node/parts/guard.hpp"

namespace totora::inline v0
{

/// What was handed to a node, and has not come to its end.
template <typename Response>
struct Clients
{
    explicit Clients(Guard& guard) : proposals(guard), reads(guard), changes(guard), transfers(guard) {}

    Proposals<Response> proposals;
    PendingReads        reads;
    PendingChange       changes;
    PendingTransfer     transfers;
};

} // namespace totora::inline v0
