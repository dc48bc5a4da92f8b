// SPDX-License-Identifier: BSL-1.0
#include "totora/core/values/joint.hpp"
#include "totora/core/values/quorum.hpp"

#include "support/builders.hpp"
#include "support/prove.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <vector>

// The algebra of configurations (§6): which majorities decide, and that those of configurations that follow each other overlap. The
// oracle beside it counts bits: a configuration is two sets of voters, and a set of servers decides if it has more than half of each.

namespace totora::test::joint_tests
{
namespace
{

/// Who votes in each half, a bit for each server; bit 0 is S1.
struct Halves
{
    std::uint64_t outgoing = 0;
    std::uint64_t incoming = 0;
};

constexpr std::uint64_t bit_of(ServerId server) { return std::uint64_t{1} << (server.value - 1); }

constexpr std::uint64_t count_of(std::uint64_t servers)
{
    auto count = std::uint64_t{0};
    for (; servers != 0; servers &= servers - 1)
        ++count;
    return count;
}

constexpr bool has_most(std::uint64_t servers, std::uint64_t voters)
{
    return 2 * count_of(servers & voters) > count_of(voters);
}

constexpr bool decides(Halves const& halves, std::uint64_t servers)
{
    return has_most(servers, halves.outgoing) and has_most(servers, halves.incoming);
}

/// Whether no two sets that decide, one by each, are without a common server. Taking all others is the worst that can happen.
constexpr bool overlap(Halves const& one, Halves const& other, std::uint64_t servers)
{
    auto const all = (std::uint64_t{1} << servers) - 1;
    for (auto set = std::uint64_t{0}; set <= all; ++set)
        if (decides(one, set) and decides(other, all & ~set))
            return false;
    return true;
}

/// The halves as the kinds of members say.
constexpr Halves halves_of(Members const& members)
{
    auto halves = Halves{};
    for (auto const& member : members) {
        halves.outgoing |= votes_in(member.kind, Half::outgoing) ? bit_of(member.id) : 0;
        halves.incoming |= votes_in(member.kind, Half::incoming) ? bit_of(member.id) : 0;
    }
    return halves;
}

/// The set number `code` of members: each server is absent, a voter or a learner.
constexpr Members members_number(std::uint64_t code, std::uint64_t servers)
{
    auto members = Members{};
    for (auto id = std::uint64_t{1}; id <= servers; ++id, code /= 3)
        if (code % 3 != 0)
            members.push_back({ServerId{id}, Incarnation{1}, code % 3 == 1 ? MemberKind::voter : MemberKind::learner});
    return members;
}

constexpr std::uint64_t sets_of(std::uint64_t servers)
{
    auto sets = std::uint64_t{1};
    for (; servers > 0; --servers)
        sets *= 3;
    return sets;
}

/// States what must hold of a change between two sets of members.
constexpr void require_safe_change(Members const& current, Members const& target, std::uint64_t servers)
{
    auto const voters = [](Members const& members) { return halves_of(members).outgoing; };
    auto const learning = *with_newcomers(current, target);
    auto const joint = *joint_of(learning, target);
    require(is_sound(Configuration{{}, learning}) and is_sound(Configuration{{}, joint}), "each is sound");
    require(voters(learning) == voters(current), "newcomers do not vote");
    require(halves_of(joint).outgoing == voters(current) and halves_of(joint).incoming == voters(target),
            "the halves are the voters before and after");
    require(in_order(incoming_of(joint)) == in_order(target), "it is left for who was asked for");
    require(voters(outgoing_of(joint)) == voters(current), "or for who voted before");
    require(overlap(halves_of(learning), halves_of(joint), servers), "no majority before misses one of the joint ones");
    require(overlap(halves_of(joint), halves_of(target), servers), "nor they one after");
    require(overlap(halves_of(joint), halves_of(current), servers), "nor one after a cancel");
    require(overlap(halves_of(joint), halves_of(joint), servers), "nor each other");
    require(count_changed_voters(current, target) == count_of(voters(current) ^ voters(target)),
            "who changes is counted");
    if (count_changed_voters(current, target) <= 1)
        require(overlap(halves_of(current), halves_of(target), servers),
                "where one voter changes no joint one is needed");
}

constexpr void require_safe_changes(std::uint64_t servers)
{
    for (auto from = std::uint64_t{0}; from < sets_of(servers); ++from)
        for (auto to = std::uint64_t{0}; to < sets_of(servers); ++to) {
            auto const current = members_number(from, servers);
            auto const target = members_number(to, servers);
            if (can_be_asked_for(current) and can_be_asked_for(target))
                require_safe_change(current, target, servers);
        }
}

constexpr auto majorities_of_configurations_that_follow_each_other_overlap = [] { require_safe_changes(2); };
TOTORA_PROVE(majorities_of_configurations_that_follow_each_other_overlap, "6", "case_35");

BOOST_AUTO_TEST_CASE(so_do_those_of_all_changes_among_five_servers, TOTORA_LABELS("6", "case_35"))
{
    require_safe_changes(5);
}

/// A change of two voters at once without a joint configuration: {S1} and {S2, S3} decide apart. The oracle finds it.
constexpr auto where_two_voters_change_majorities_may_miss_each_other = [] {
    auto const one = members_number(1, 3);
    auto const three = members_number(1 + 3 + 9, 3);
    require(count_changed_voters(one, three) == 2 and not overlap(halves_of(one), halves_of(three), 3),
            "S1 alone, and S2 with S3");
};
TOTORA_PROVE(where_two_voters_change_majorities_may_miss_each_other, "6");

/// Who agrees, and what is reached, by the core and by the oracle.
constexpr auto a_joint_configuration_decides_by_both_halves = [] {
    auto const kinds = std::array<MemberKind, 5>{MemberKind::voter, MemberKind::joining, MemberKind::leaving,
                                                 MemberKind::demoted, MemberKind::learner};
    for (auto code = 0; code < 125; ++code) {
        auto configuration = cluster(4); // S4 is the learner that counts nowhere.
        configuration.members[3].kind = MemberKind::learner;
        configuration.members[0].kind = kinds[static_cast<std::size_t>(code % 5)];
        configuration.members[1].kind = kinds[static_cast<std::size_t>(code / 5 % 5)];
        configuration.members[2].kind = kinds[static_cast<std::size_t>(code / 25)];
        auto const halves = halves_of(configuration.members);
        for (auto set = std::uint64_t{0}; set < 16; ++set)
            require(has_quorum(configuration, [&](ServerId server) { return (set & bit_of(server)) != 0; }) ==
                        decides(halves, set),
                    "more than half of each half");
        require(is_sound(configuration) == (halves.outgoing != 0 and halves.incoming != 0),
                "a half that nobody votes in is no half");
    }
};
TOTORA_PROVE(a_joint_configuration_decides_by_both_halves, "6");

/// An empty half is nobody's majority: it decides nothing, and no index is reached.
constexpr auto a_half_without_voters_decides_nothing = [] {
    auto configuration = cluster(3);
    for (auto& member : configuration.members)
        member.kind = MemberKind::joining;
    require(not has_quorum(configuration, [](ServerId) { return true; }), "all agree, and that is not enough");
    require(quorum_index(configuration, Index{}, [](ServerId) { return Index{7}; }) == Index{}, "nothing is reached");
    require(not is_sound(configuration), "and no log may hold it");
};
TOTORA_PROVE(a_half_without_voters_decides_nothing, "6");

constexpr auto the_index_of_a_joint_configuration_is_the_lower_of_its_halves = [] {
    auto joint = cluster(5); // S1 to S3 vote now, S3 to S5 are to.
    joint.members[0].kind = joint.members[1].kind = MemberKind::leaving;
    joint.members[3].kind = joint.members[4].kind = MemberKind::joining;
    auto const index_of = [&](std::array<std::uint64_t, 5> const& reached) {
        return quorum_index(joint, Index{},
                            [&](ServerId server) { return Index{reached[static_cast<std::size_t>(server.value - 1)]}; })
            .value;
    };
    require(index_of({9, 9, 0, 4, 3}) == 3, "two of the old have 9, two of the new 3");
    require(index_of({2, 1, 0, 9, 9}) == 1, "and the other way round");
    require(index_of({5, 0, 5, 0, 0}) == 0, "of the new one alone");
    require(index_of({5, 0, 5, 5, 0}) == 5, "S3 counts in both");
};
TOTORA_PROVE(the_index_of_a_joint_configuration_is_the_lower_of_its_halves, "6");

constexpr auto a_change_leaves_room_for_the_union = [] {
    auto current = Members{};
    auto target = Members{};
    for (auto id = std::uint64_t{1}; id <= 9; ++id) {
        current.push_back({ServerId{id}, Incarnation{1}, MemberKind::voter});
        target.push_back({ServerId{id + 8}, Incarnation{1}, MemberKind::voter});
    }
    require(not joint_of(current, target) and not with_newcomers(current, target), "seventeen are one too many");
    target.truncate(8);
    require(joint_of(current, target)->size() == servers_max and with_newcomers(current, target)->full(),
            "sixteen fit");
};
TOTORA_PROVE(a_change_leaves_room_for_the_union, "6");

constexpr auto a_server_in_two_lives_is_noticed = [] {
    auto const current = cluster(3).members;
    auto       target = current;
    require(not name_two_lives(current, target), "the same");
    target[1].incarnation = Incarnation{77};
    require(name_two_lives(current, target), "S2 was wiped, and drew another incarnation");
    target[1].id = S4;
    require(not name_two_lives(current, target), "that S4 has the incarnation is nobody's concern");
};
TOTORA_PROVE(a_server_in_two_lives_is_noticed, "case_87");

} // namespace
} // namespace totora::test::joint_tests
