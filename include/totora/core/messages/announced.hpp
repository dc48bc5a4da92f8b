// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/abilities.hpp"
#include "totora/core/values/fields.hpp"
#include "totora/core/values/types.hpp"

namespace totora::inline v0
{

/// A server has announced what it can.
struct Announced
{
    ServerId  server;
    Abilities can;

    friend constexpr bool operator==(Announced const&, Announced const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("server", self.server);
        visit("can", self.can);
    }
};

} // namespace totora::inline v0
