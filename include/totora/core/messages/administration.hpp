// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configuration.hpp"
#include "totora/core/values/fields.hpp"
#include "totora/core/values/types.hpp"

namespace totora::inline v0
{

// What operators ask a server for.

/// An operator wants these to be the members, voters and learners: any set of them (§6).
struct ChangeRequested
{
    Index
        expected; ///< The index of the configuration in force that the request was made for; another one in force refuses it.
    Members target;
    bool    forced = false; ///< The new voters need not have answered lately: the change may lose the quorum.

    friend constexpr bool operator==(ChangeRequested const&, ChangeRequested const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("expected", self.expected);
        visit("target", self.target);
        visit("forced", self.forced);
    }
};

/// An operator takes the change back that is under way.
struct ChangeCancelled
{
    friend constexpr bool operator==(ChangeCancelled const&, ChangeCancelled const&) = default;

    static constexpr void visit_fields(auto&, auto&&) {}
};

/// An operator, or this server as it stops, wants another one to lead: `to`, or if that is `nobody` the best one.
struct TransferRequested
{
    ServerId to;

    friend constexpr bool operator==(TransferRequested const&, TransferRequested const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit) { visit("to", self.to); }
};

/// An operator wants this server to campaign.
struct CampaignRequested
{
    friend constexpr bool operator==(CampaignRequested const&, CampaignRequested const&) = default;

    static constexpr void visit_fields(auto&, auto&&) {}
};

} // namespace totora::inline v0
