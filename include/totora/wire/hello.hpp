// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/abilities.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/fields.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace totora::inline v0
{

/// The newest version that this code speaks, and the oldest.
inline constexpr std::uint8_t frame_version = 1;
inline constexpr std::uint8_t frame_version_lowest = 1;

/// What a server can carry; exchanged in the handshake.
struct FrameLimits
{
    std::uint32_t servers_max = static_cast<std::uint32_t>(totora::servers_max);
    std::uint32_t entry_bytes_max = 8U << 20U;  ///< Of one payload.
    std::uint32_t frame_bytes_max = 16U << 20U; ///< Of one frame, header included.

    friend constexpr bool operator==(FrameLimits const&, FrameLimits const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("servers_max", self.servers_max);
        visit("entry_bytes_max", self.entry_bytes_max);
        visit("frame_bytes_max", self.frame_bytes_max);
    }
};
static_assert(lists_its_fields<FrameLimits>());

/// What a server can do beyond version 1, a bit a feature. There is none so far.
struct Features
{
    std::uint64_t may_ignore = 0;      ///< A server that does not know them goes on without.
    std::uint64_t must_understand = 0; ///< A server that does not know all of them refuses this one.

    friend constexpr bool operator==(Features const&, Features const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("may_ignore", self.may_ignore);
        visit("must_understand", self.must_understand);
    }
};
static_assert(lists_its_fields<Features>());

/// The features that this code knows.
inline constexpr std::uint64_t features_known = 0;

/// Which process a server is: two that have the same identity are distinguished, and the newer one counts.
struct Life
{
    std::uint64_t start = 0;   ///< How often a process has started on its directory; 0 if nobody counts.
    std::uint64_t process = 0; ///< A random number of this process.

    friend constexpr bool operator==(Life const&, Life const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("start", self.start);
        visit("process", self.process);
    }
};
static_assert(lists_its_fields<Life>());

/// The first frame of each side of a connection. Who speaks to whom, and of which group, stands in the header.
///
/// A later version may add fields at the end; an older reader leaves them out.
struct Hello
{
    std::uint8_t  version_lowest = frame_version_lowest;
    std::uint8_t  version_highest = frame_version;
    FrameLimits   limits;
    std::uint32_t formats = Abilities{}.formats; ///< As `Abilities`.
    std::uint32_t machine = Abilities{}.machine; ///< As `Abilities`.
    Features      features;
    Life          life;
    std::uint64_t challenge = 0; ///< A fresh number, which a `Confirmation` answers.
    /// What the cluster was made of, as this server was given it; empty if it joined later. Members of a later version that has room
    /// for more than `servers_max` are left out.
    Members first_members;

    friend constexpr bool operator==(Hello const&, Hello const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("version_lowest", self.version_lowest);
        visit("version_highest", self.version_highest);
        visit("limits", self.limits);
        visit("formats", self.formats);
        visit("machine", self.machine);
        visit("features", self.features);
        visit("life", self.life);
        visit("challenge", self.challenge);
        visit("first_members", self.first_members);
    }
};
static_assert(lists_its_fields<Hello>());

/// What a server announces with its hello that it can.
[[nodiscard]] constexpr Abilities abilities_of(Hello const& hello)
{
    return {hello.formats, hello.machine, hello.limits.entry_bytes_max, hello.limits.servers_max};
}

/// The dialing side's answer to the other's `Hello`: it is running, and did not leave its own hello in a queue when it ended.
struct Confirmation
{
    std::uint64_t answer = 0; ///< The `challenge` of that hello.

    friend constexpr bool operator==(Confirmation const&, Confirmation const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit) { visit("answer", self.answer); }
};
static_assert(lists_its_fields<Confirmation>());

/// Why a server refuses another. The numbers stay; one of a later version reads as `other`.
enum class HandshakeFault : std::uint8_t
{
    other = 0,
    another_cluster = 1,
    another_server = 2,
    another_incarnation = 3,
    no_common_version = 4,
    unequal_limits = 5,
    another_group = 6,
    unknown_feature = 7, ///< One that the other requires.
    superseded = 8,      ///< A later start of the same server was met.
    two_lives = 9,       ///< Two processes have the identity of one server.
};

/// The name of such a reason.
[[nodiscard]] constexpr std::string_view to_string(HandshakeFault fault)
{
    switch (fault) {
    case HandshakeFault::other:
        return "other";
    case HandshakeFault::another_cluster:
        return "another_cluster";
    case HandshakeFault::another_server:
        return "another_server";
    case HandshakeFault::another_incarnation:
        return "another_incarnation";
    case HandshakeFault::no_common_version:
        return "no_common_version";
    case HandshakeFault::unequal_limits:
        return "unequal_limits";
    case HandshakeFault::another_group:
        return "another_group";
    case HandshakeFault::unknown_feature:
        return "unknown_feature";
    case HandshakeFault::superseded:
        return "superseded";
    case HandshakeFault::two_lives:
        return "two_lives";
    }
    return "unknown";
}

/// The answer to a `Hello`, or to the answer to one, that ends the connection.
struct HandshakeError
{
    HandshakeFault because{};
    std::string    what; ///< For the operators of both servers.

    friend bool operator==(HandshakeError const&, HandshakeError const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("because", self.because);
        visit("what", self.what);
    }
};
static_assert(lists_its_fields<HandshakeError>());

} // namespace totora::inline v0
