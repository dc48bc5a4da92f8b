// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/identity.hpp"

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

namespace totora::inline v0::simulate
{

/// Every configuration that any leader ever made, with the addresses, by its entry; and the one that a cluster is made with.
class MadeConfigurations
{
public:
    void begin_with(std::vector<Peer> peers) { add({}, std::move(peers)); }

    void add(LogPosition entry, std::vector<Peer> peers) { made_.insert_or_assign(entry, std::move(peers)); }

    /// What the entry there holds; null if it holds none.
    [[nodiscard]] std::vector<Peer> const* at(LogPosition entry) const
    {
        auto const found = made_.find(entry);
        return found != made_.end() ? &found->second : nullptr;
    }

    /// Calls `visit` with each entry and what it holds.
    template <typename Visit>
    void for_each(Visit visit) const
    {
        for (auto const& [entry, peers] : made_)
            visit(entry, peers);
    }

private:
    std::map<LogPosition, std::vector<Peer>> made_;
};

} // namespace totora::inline v0::simulate
