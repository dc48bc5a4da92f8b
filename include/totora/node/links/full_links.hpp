// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/inplace_vector.hpp"
#include "totora/core/values/types.hpp"

namespace totora::inline v0
{

/// The links that take no entries now, by the last events of the transport.
///
/// The core keeps that of a leader's followers only, so that a server that is elected does not know it: what a new leader sent
/// into a full queue would be dropped, and dropped again. The node passes it on after an election.
class FullLinks
{
public:
    void note(LinkChanged const& changed)
    {
        auto others = InplaceVector<ServerId, servers_max>{};
        for (auto const server : full_)
            if (server != changed.server)
                static_cast<void>(others.push_back(server));
        full_ = others;
        if (changed.link == Link::full)
            static_cast<void>(full_.push_back(changed.server)); // No more than there are members can matter.
    }

    [[nodiscard]] auto begin() const { return full_.begin(); }
    [[nodiscard]] auto end() const { return full_.end(); }

private:
    InplaceVector<ServerId, servers_max> full_;
};

} // namespace totora::inline v0
