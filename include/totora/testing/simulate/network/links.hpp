// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/prng.hpp"
#include "totora/testing/simulate/faults/faults.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace totora::inline v0::simulate
{

/// How many servers a simulated cluster can have.
inline constexpr std::size_t simulated_servers_max = 7;

/// A set of one-way links between servers, which are counted from 0.
class LinkSet
{
public:
    constexpr void add(std::size_t from, std::size_t to)
    {
        if (from != to)
            bits_ |= bit(from, to);
    }

    constexpr void add_both_ways(std::size_t a, std::size_t b)
    {
        add(a, b);
        add(b, a);
    }

    [[nodiscard]] constexpr bool contains(std::size_t from, std::size_t to) const
    {
        return (bits_ & bit(from, to)) != 0;
    }

private:
    [[nodiscard]] static constexpr std::uint64_t bit(std::size_t from, std::size_t to)
    {
        return std::uint64_t{1} << (from * simulated_servers_max + to);
    }

    static_assert(simulated_servers_max * simulated_servers_max <= 64);
    std::uint64_t bits_ = 0;
};

/// The links that a partition of this shape cuts, among so many servers; `one` is in the middle of it.
[[nodiscard]] inline LinkSet links_cut_by(Fault shape, std::size_t servers, std::size_t one, testing::Prng& random)
{
    auto cut = LinkSet{};
    if (servers == 1)
        return cut;
    auto const other = (one + 1 + random.below(servers - 1)) % servers;
    auto       in_first_half = std::array<bool, simulated_servers_max>{};
    for (auto server = std::size_t{0}; server < servers; ++server)
        in_first_half[server] = server == one or (server != other and random.below(2) == 0);

    if (shape == Fault::flapping_link) {
        cut.add_both_ways(one, other);
        return cut;
    }
    auto const direction = random.below(3); // Of a one-way partition: deaf, mute, or a single link.
    for (auto from = std::size_t{0}; from < servers; ++from)
        for (auto to = std::size_t{0}; to < servers; ++to) {
            auto const crosses = in_first_half[from] != in_first_half[to];
            auto const distance = (to + servers - from) % servers;
            auto const is_cut = shape == Fault::isolate_one       ? from == one or to == one
                                : shape == Fault::split_in_halves ? crosses
                                : shape == Fault::bridge          ? crosses and from != one and to != one
                                : shape == Fault::ring            ? distance != 1 and distance + 1 != servers
                                : direction == 0                  ? to == one
                                : direction == 1                  ? from == one
                                                                  : from == one and to == other;
            if (is_cut)
                cut.add(from, to);
        }
    return cut;
}

/// Which links are cut now; a link may be cut several times over.
class Links
{
public:
    void cut(LinkSet const& links) { change(links, 1); }
    void mend(LinkSet const& links) { change(links, -1); }

    [[nodiscard]] bool is_cut(std::size_t from, std::size_t to) const { return cuts_[from][to] != 0; }

    /// Mends a link however often it was cut.
    void mend_wholly(std::size_t from, std::size_t to) { cuts_[from][to] = 0; }

private:
    void change(LinkSet const& links, int by)
    {
        for (auto from = std::size_t{0}; from < simulated_servers_max; ++from)
            for (auto to = std::size_t{0}; to < simulated_servers_max; ++to)
                if (links.contains(from, to))
                    cuts_[from][to] += by;
    }

    std::array<std::array<int, simulated_servers_max>, simulated_servers_max> cuts_{};
};

} // namespace totora::inline v0::simulate
