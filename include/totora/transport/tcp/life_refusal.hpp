// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/data/identity.hpp"
#include "totora/transport/tcp/lives.hpp"
#include "totora/wire/frame.hpp"
#include "totora/wire/handshake.hpp"

#include <optional>
#include <string>

namespace totora::inline v0
{

/// The refusal that a verdict on a process leads to; nothing if it is accepted. `before` is the newest process of that
/// server met before, and `lives` has checked `life` since.
[[nodiscard]] inline std::optional<HandshakeError>
life_refusal(LifeVerdict verdict, Party const& party, Life const& life, Life const& before, TcpLives const& lives)
{
    switch (verdict) {
    case LifeVerdict::known:
    case LifeVerdict::newer:
        break;
    case LifeVerdict::superseded:
        return HandshakeError{HandshakeFault::superseded, to_string(party) + " has been started again since"};
    case LifeVerdict::set_back:
        return HandshakeError{HandshakeFault::superseded,
                              to_string(party) + " comes from start " + std::to_string(life.start) +
                                  " and was met at start " + std::to_string(lives.highest_start(party)) +
                                  ": its disk was lost or set back, and no connection is made to it"};
    case LifeVerdict::twice:
        if (before == life)
            return HandshakeError{HandshakeFault::two_lives,
                                  "another process runs as " + to_string(party) +
                                      " too: no connection is made to either until one has ended"};
        return HandshakeError{HandshakeFault::two_lives, "two processes run as " + to_string(party) + ", of starts " +
                                                             std::to_string(before.start) + " and " +
                                                             std::to_string(life.start) +
                                                             ": no connection is made to either until one has ended"};
    }
    return std::nullopt;
}

} // namespace totora::inline v0
