// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/builders.hpp"

#include <array>
#include <cstdint>
#include <limits>

namespace totora::test
{

/// Numbers, positions and configurations near something that a server knows, or from the ends of the range.
class RandomValues
{
protected:
    constexpr explicit RandomValues(std::uint64_t seed) : random_(seed * 0x9E3779B97F4A7C15U + 1) {}

    /// xorshift64*: enough for tests, and constexpr.
    [[nodiscard]] constexpr std::uint64_t draw()
    {
        random_ ^= random_ >> 12U;
        random_ ^= random_ << 25U;
        random_ ^= random_ >> 27U;
        return random_ * 0x2545F4914F6CDD1DU;
    }

    [[nodiscard]] constexpr std::uint64_t below(std::uint64_t bound) { return (draw() >> 16U) % bound; }

    [[nodiscard]] constexpr std::uint64_t one_of(std::array<std::uint64_t, 4> const& values)
    {
        return values[below(4)];
    }

    [[nodiscard]] constexpr bool is_absurd() { return below(100) < absurd_percent; }

    [[nodiscard]] constexpr std::uint64_t any_extreme()
    {
        constexpr auto highest = std::numeric_limits<std::uint64_t>::max();
        constexpr auto extremes = std::array<std::uint64_t, 14>{0,
                                                                1,
                                                                2,
                                                                number_max - 1,
                                                                number_max,
                                                                number_max + 1,
                                                                std::uint64_t{1} << 63U,
                                                                highest - 1,
                                                                highest,
                                                                0xFFFF'FFFF,
                                                                0x1'0000'0000,
                                                                16,
                                                                17,
                                                                number_max - 2};
        return extremes[below(extremes.size())];
    }

    /// Something from 0 to a little above `value`, mostly close to it.
    [[nodiscard]] constexpr std::uint64_t any_near(std::uint64_t value)
    {
        if (is_absurd())
            return any_extreme();
        auto const distance = below(4);
        switch (below(6)) {
        case 0:
            return value + distance;
        case 1:
            return value < 64 ? below(value + 1) : value - below(64);
        case 2:
            return value < distance ? 0 : value - distance;
        default:
            return value;
        }
    }

    [[nodiscard]] constexpr std::uint64_t any_number(std::uint64_t small)
    {
        return is_absurd() ? any_extreme() : below(small);
    }

    [[nodiscard]] constexpr ServerId any_member() { return ServerId{1 + below(5)}; }

    [[nodiscard]] constexpr ServerId any_sender(State const& state)
    {
        if (is_absurd())
            return ServerId{one_of({0, state.own.id.value, 99, any_extreme()})};
        auto const& members = state.configurations.in_force.members;
        if (members.size() > 1 and below(8) > 0)
            return members[1 + static_cast<std::size_t>(below(members.size() - 1))].id;
        return ServerId{2 + below(servers_max)};
    }

    [[nodiscard]] constexpr ServerId any_leader(State const& state)
    {
        auto const known = known_leader(state);
        return known != nobody and known != state.own.id and not is_absurd() ? known : any_sender(state);
    }

    [[nodiscard]] constexpr Term any_term(State const& state)
    {
        // A term that runs away would leave nothing but the last one for the rest of a life.
        auto const value = state.current_term.value;
        if (is_absurd()) {
            auto const extreme = any_extreme();
            return Term{extreme > 64 and extreme <= number_max and below(200) != 0 ? number_max + 1 : extreme};
        }
        auto const choice = below(calm);
        return Term{choice == 0 ? value + 1 : choice == 1 and value > 0 ? value - 1 : value};
    }

    [[nodiscard]] constexpr Index any_index(State const& state)
    {
        switch (below(4)) {
        case 0:
            return Index{any_near(state.commit_index.value)};
        case 1:
            return Index{any_near(state.writes.durable_index.value)};
        default:
            return Index{any_near(last_index(state).value)};
        }
    }

    /// Mostly a position that the log holds.
    [[nodiscard]] constexpr LogPosition any_position(State const& state)
    {
        auto const index = any_index(state);
        auto const term = state.log.term_at(index);
        if (term and not is_absurd() and below(8) > 0)
            return {*term, index};
        return {any_term(state), index};
    }

    /// What a server can, or a cluster has agreed on: mostly what every cluster begins with.
    [[nodiscard]] constexpr Abilities any_abilities()
    {
        auto abilities = Abilities{};
        if (below(4) == 0)
            abilities.formats += static_cast<std::uint32_t>(below(3));
        if (below(4) == 0)
            abilities.machine += static_cast<std::uint32_t>(below(3));
        if (below(16) == 0)
            abilities.servers_max = static_cast<std::uint32_t>(below(20));
        return abilities;
    }

    /// Members of which S1 is one, some of them learners; it may be all a configuration can hold.
    [[nodiscard]] constexpr Configuration any_members(Index index)
    {
        auto configuration = cluster(below(10) == 0 ? servers_max : below(8) == 0 ? 1 : one_of({2, 3, 3, 5}));
        configuration.index = index;
        for (auto& member : configuration.members)
            if (below(10) == 0)
                member.kind = MemberKind::learner;
        if (below(8) == 0) // A joint one.
            for (auto& member : configuration.members)
                member.kind = static_cast<MemberKind>(1 + below(5));
        if (not is_sound(configuration))
            configuration.members[0].kind = MemberKind::voter;
        if (below(8) == 0)
            configuration.agreed = any_abilities();
        return configuration;
    }

    /// An arbitrary value that claims to be a configuration.
    [[nodiscard]] constexpr Configuration any_configuration(State const& state, Index index)
    {
        if (not is_absurd())
            return any_members(index);
        auto configuration = Configuration{.index = below(2) == 0 ? any_index(state) : index, .members = {}};
        for (auto count = below(servers_max + 2); count > 0; --count)
            configuration.members.push_back({ServerId{any_number(40)}, Incarnation{any_number(3)},
                                             static_cast<MemberKind>(below(8) == 0 ? below(256) : 1 + below(2))});
        return configuration;
    }

    std::uint64_t absurd_percent = 1; ///< How often a field is drawn from the ends of the range.
    std::uint64_t calm = 1;           ///< One in so many terms is a newer one.

private:
    std::uint64_t random_;
};

} // namespace totora::test
