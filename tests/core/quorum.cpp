// SPDX-License-Identifier: BSL-1.0
#include "totora/core/values/quorum.hpp"

#include "support/builders.hpp"
#include "support/prove.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

// "Who must agree?" has one answer (§5.2, §6): more than half of the voters.

namespace totora::test::quorum_tests
{
namespace
{

/// Whether the servers whose bits are set agree; bit 0 is S1.
constexpr bool agree(Configuration const& configuration, std::uint64_t servers)
{
    return has_quorum(configuration, [&](ServerId server) { return (servers >> (server.value - 1) & 1U) != 0; });
}

constexpr std::uint64_t count_of(std::uint64_t servers)
{
    auto count = std::uint64_t{0};
    for (; servers != 0; servers &= servers - 1)
        ++count;
    return count;
}

constexpr auto more_than_half_of_the_voters_must_agree = [] {
    for (auto voters = std::uint64_t{1}; voters <= 6; ++voters)
        for (auto servers = std::uint64_t{0}; servers < (std::uint64_t{1} << voters); ++servers)
            require(agree(cluster(voters), servers) == (2 * count_of(servers) > voters), "more than half, and no less");
    for (auto voters = std::uint64_t{1}; voters <= servers_max; ++voters)
        require(quorum_size(cluster(voters), Half::incoming) == voters / 2 + 1, "for every size there can be");
    require(quorum_size(cluster(1), Half::incoming) == 1 and quorum_size(cluster(2), Half::incoming) == 2 and
                quorum_size(cluster(3), Half::incoming) == 2 and quorum_size(cluster(4), Half::incoming) == 3 and
                quorum_size(cluster(5), Half::incoming) == 3,
            "1 of 1, 2 of 2, 2 of 3, 3 of 4, 3 of 5");
};
TOTORA_PROVE(more_than_half_of_the_voters_must_agree, "5.2", "case_79");

constexpr auto two_majorities_share_a_voter = [] {
    for (auto voters = std::uint64_t{1}; voters <= 5; ++voters)
        for (auto one = std::uint64_t{0}; one < (std::uint64_t{1} << voters); ++one)
            for (auto other = std::uint64_t{0}; other < (std::uint64_t{1} << voters); ++other)
                require(not agree(cluster(voters), one) or not agree(cluster(voters), other) or (one & other) != 0,
                        "so that no two leaders of a term are elected, and no committed entry is missed");
};
TOTORA_PROVE(two_majorities_share_a_voter, "5.2", "5.4.3");

constexpr auto a_majority_of_no_voters_does_not_exist = [] {
    require(quorum_size(Configuration{}, Half::incoming) == 1 and not agree(Configuration{}, ~std::uint64_t{0}),
            "no members");
    require(not agree(voters_and_learners(0, 3), ~std::uint64_t{0}), "learners alone");
    require(quorum_index(Configuration{}, Index{}, [](ServerId) { return Index{9}; }) == Index{}, "reaches nothing");
};
TOTORA_PROVE(a_majority_of_no_voters_does_not_exist, "6", "case_44");

constexpr auto learners_and_non_members_are_not_asked = [] {
    auto const configuration = voters_and_learners(3, 3);
    auto const asked_a_voter = [](ServerId server) {
        require(server.value >= 1 and server.value <= 3, "only voters are asked");
        return true;
    };
    require(has_quorum(configuration, asked_a_voter), "three of three");
    require(agree(configuration, 0b011) and not agree(configuration, 0b111001), "learners do not help");
    require(quorum_index(configuration, Index{}, [](ServerId server) { return Index{server.value > 3 ? 99U : 1U}; }) ==
                Index{1},
            "nor raise anything");
};
TOTORA_PROVE(learners_and_non_members_are_not_asked, "dissertation 4.2.1");

/// Every assignment of 0, 1, 2, 3 to up to four voters, against counting.
constexpr auto the_highest_value_that_a_majority_reached = [] {
    for (auto voters = std::uint64_t{1}; voters <= 4; ++voters)
        for (auto digits = std::uint64_t{0}; digits < (std::uint64_t{1} << (2 * voters)); ++digits) {
            auto const reached = [&](ServerId server) { return Index{digits >> (2 * (server.value - 1)) & 3U}; };
            auto       expected = Index{0};
            for (auto value = Index{1}; value <= Index{3}; value = next(value))
                if (has_quorum(cluster(voters), [&](ServerId server) { return reached(server) >= value; }))
                    expected = value;
            require(quorum_index(cluster(voters), Index{}, reached) == expected, "the same as counting for each value");
        }
};
TOTORA_PROVE(the_highest_value_that_a_majority_reached, "5.3", "5.4");

constexpr auto a_set_of_servers_is_the_same_in_whatever_order_it_was_made = [] {
    auto one = ServerSet{};
    auto other = ServerSet{};
    for (auto const server : {S3, S1, S5, S1})
        one.insert(server);
    for (auto const server : {S1, S5, S3})
        other.insert(server);
    require(one == other and one.size() == 3, "equal, and nobody twice");
    require(one.contains(S5) and not one.contains(S2), "it knows who is in it");
    for (auto id = std::uint64_t{1}; id <= servers_max + 5; ++id)
        one.insert(ServerId{id});
    require(one.size() == servers_max, "it holds no more than a configuration can name");
};
TOTORA_PROVE(a_set_of_servers_is_the_same_in_whatever_order_it_was_made, "5.2");

constexpr auto a_configuration_must_make_sense = [] {
    auto twice = cluster(3);
    twice.members[2].id = S1;
    auto with_nobody = cluster(3);
    with_nobody.members[1].id = nobody;
    auto of_no_kind = cluster(3);
    of_no_kind.members[1].kind = static_cast<MemberKind>(6);
    require(is_sound(cluster(1)) and is_sound(cluster(servers_max)) and is_sound(voters_and_learners(1, 2)),
            "these do");
    require(not is_sound(Configuration{}), "somebody votes");
    require(not is_sound(voters_and_learners(0, 2)), "not only learners");
    require(not is_sound(twice), "nobody is named twice");
    require(not is_sound(with_nobody), "nobody is nobody");
    require(not is_sound(of_no_kind), "and everybody is something");
};
TOTORA_PROVE(a_configuration_must_make_sense, "6", "case_44");

/// Every order of five values: 5, 4 and 5 are durable on three of five servers, and 4 on a majority.
constexpr auto of_five_values_the_third_highest_is_agreed_in_whatever_order_they_come = [] {
    auto values = std::array<std::uint64_t, 5>{0, 1, 4, 5, 5};
    do {
        auto const reached = [&](ServerId server) { return Index{values[static_cast<std::size_t>(server.value - 1)]}; };
        require(quorum_index(cluster(5), Index{}, reached) == Index{4}, "three have 4, and only two have 5");
    } while (std::next_permutation(values.begin(), values.end()));
};
TOTORA_PROVE(of_five_values_the_third_highest_is_agreed_in_whatever_order_they_come, "5.3", "5.4");

} // namespace
} // namespace totora::test::quorum_tests
