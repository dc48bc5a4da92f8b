// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configuration.hpp"
#include "totora/core/values/inplace_vector.hpp"
#include "totora/core/values/types.hpp"

#include <cstdint>
#include <optional>

namespace totora::inline v0
{

/// When the last message of each member arrived.
class Contacts
{
public:
    /// A message of a server arrives. Only those of `members` are kept.
    void note(ServerId from, Configuration const& members, std::uint64_t now_ms)
    {
        if (auto* const known = find(from))
            known->last_ms = now_ms;
        else if (find_member(members, from) != nullptr)
            add(from, members, now_ms);
    }

    /// Nothing if none has arrived.
    [[nodiscard]] std::optional<std::uint64_t> last_ms(ServerId server) const
    {
        for (auto const& contact : all_)
            if (contact.server == server)
                return contact.last_ms;
        return std::nullopt;
    }

private:
    struct Contact
    {
        ServerId      server;
        std::uint64_t last_ms = 0;
    };

    [[nodiscard]] Contact* find(ServerId server)
    {
        for (auto& contact : all_)
            if (contact.server == server)
                return &contact;
        return nullptr;
    }

    /// As many fit as there are members at most. If all places are taken, one is of a server that is no member any more.
    void add(ServerId from, Configuration const& members, std::uint64_t now_ms)
    {
        if (all_.push_back({from, now_ms}))
            return;
        for (auto& contact : all_)
            if (find_member(members, contact.server) == nullptr) {
                contact = {from, now_ms};
                return;
            }
    }

    InplaceVector<Contact, servers_max> all_;
};

} // namespace totora::inline v0
