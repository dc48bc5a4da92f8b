// SPDX-License-Identifier: BSL-1.0
// What a leader shows of each follower: how far its log lags, in entries, bytes and milliseconds, and how long it is silent.
#include "support/stage.hpp"
#include "totora/node/links/contacts.hpp"
#include "totora/node/links/log_ends.hpp"
#include "totora/testing/prng.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace totora::test::lag_tests
{
namespace
{

/// Leads from 600 ms on; S2 holds the first entry. A command follows after 100 ms, another one 30 ms later, and 40 ms pass.
struct TwoCommands : Stage
{
    TwoCommands() : Stage{3, by_hand()}
    {
        lead_with_follower();
        pass_ms(100);
        (void)propose("reed");
        run();
        pass_ms(30);
        (void)propose("bulrush");
        run();
        pass_ms(40);
    }

    [[nodiscard]] static NodeSettings by_hand()
    {
        auto settings = NodeSettings{};
        settings.snapshots.automatic = false;
        settings.snapshots.trailing_entries = 0;
        return settings;
    }

    [[nodiscard]] FollowerStatus of(ServerId server) const
    {
        for (auto const& follower : status().followers)
            if (follower.server == server)
                return follower;
        return {};
    }
};

BOOST_AUTO_TEST_CASE(a_follower_is_shown_with_the_entries_and_bytes_that_it_lacks)
{
    auto stage = TwoCommands{};
    stage.accept(S2, Index{2});

    BOOST_TEST(stage.of(S2).lag == 1U);
    BOOST_TEST(stage.of(S2).lag_bytes == entry_header_size + 7);
    BOOST_TEST(stage.of(S3).lag == 3U);
    BOOST_TEST(stage.of(S3).lag_bytes == 3 * entry_header_size + 4 + 7);
    stage.accept(S2, Index{3});
    BOOST_TEST(stage.of(S2).lag == 0U);
    BOOST_TEST(stage.of(S2).lag_bytes == 0U);
}

BOOST_AUTO_TEST_CASE(what_is_compacted_counts_as_entries_and_not_as_bytes)
{
    auto stage = TwoCommands{};
    stage.accept(S2, Index{2});
    stage.node->take_snapshot();
    stage.run();
    BOOST_REQUIRE((stage.status().base == Index{2}));

    BOOST_TEST(stage.of(S3).lag == 3U);
    BOOST_TEST(stage.of(S3).lag_bytes == entry_header_size + 7);
}

BOOST_AUTO_TEST_CASE(a_follower_lags_by_the_time_since_the_leaders_log_ended_where_its_own_does)
{
    auto stage = TwoCommands{};

    BOOST_TEST(stage.of(S2).lag_ms == 70U);
    BOOST_TEST(stage.of(S3).lag_ms == 170U, "for as long as this server leads");
    stage.accept(S2, Index{2});
    BOOST_TEST(stage.of(S2).lag_ms == 40U);
    stage.clock.advance_ms(5);
    BOOST_TEST(stage.of(S2).lag_ms == 45U, "also between turns");
    stage.accept(S2, Index{3});
    BOOST_TEST(stage.of(S2).lag_ms == 0U);
    stage.clock.advance_ms(50);
    BOOST_TEST(stage.of(S2).lag_ms == 0U, "it lacks nothing");
}

BOOST_AUTO_TEST_CASE(a_follower_is_silent_since_its_last_message)
{
    auto stage = TwoCommands{};

    BOOST_TEST(not stage.of(S3).silent_ms.has_value(), "it has sent nothing yet");
    BOOST_TEST(stage.of(S2).silent_ms.value() == 170U);
    stage.receive(S3, RequestVoteResponse{Term{}, false});
    stage.clock.advance_ms(20);
    BOOST_TEST(stage.of(S3).silent_ms.value() == 20U, "also by a message that is of no use any more");
    BOOST_TEST(stage.of(S2).silent_ms.value() == 190U);
}

BOOST_AUTO_TEST_CASE(a_follower_is_shown_with_its_address)
{
    auto stage = TwoCommands{};

    BOOST_TEST(stage.of(S2).address == "host:2");
    BOOST_TEST(stage.of(S3).address == "host:3");
}

BOOST_AUTO_TEST_CASE(the_age_of_an_end_is_never_too_little_and_at_most_a_quarter_too_much)
{
    auto ends = LogEnds{};
    auto rng = testing::Prng{13};
    auto noted = std::vector<std::pair<std::uint64_t, Index>>{};
    auto last = Index{1};
    auto now_ms = std::uint64_t{1'000};
    auto worst = 0.0;
    for (auto turn = 0; turn < 300'000; ++turn) {
        now_ms += turn % 50'000 == 49'999 ? 600'000 : rng.below(30);
        ends.note(Term{2}, last, now_ms);
        noted.emplace_back(now_ms, last);
        last = Index{last.value + rng.below(3)};
        if (turn % 100 != 99)
            continue;
        auto const match = Index{1 + rng.below(last.value)};
        auto const later = std::upper_bound(noted.begin(), noted.end(), match,
                                            [](Index one, auto const& end) { return one < end.second; });
        auto const exact_ms = now_ms - (later - 1)->first;
        auto const told_ms = ends.age_ms(Term{2}, match, now_ms);
        BOOST_REQUIRE(told_ms >= exact_ms);
        BOOST_REQUIRE_MESSAGE(told_ms <= exact_ms + exact_ms / 4 + 10, told_ms << " in place of " << exact_ms);
        worst = std::max(worst, static_cast<double>(told_ms - exact_ms) / static_cast<double>(exact_ms + 1));
    }
    BOOST_TEST_MESSAGE("at most " << worst << " too much, over " << now_ms / 1'000 << " s");
}

BOOST_AUTO_TEST_CASE(another_term_begins_with_nothing)
{
    auto ends = LogEnds{};
    ends.note(Term{2}, Index{1}, 100);
    ends.note(Term{2}, Index{2}, 200);

    BOOST_TEST(ends.age_ms(Term{2}, Index{1}, 300) == 200U);
    BOOST_TEST(ends.age_ms(Term{3}, Index{1}, 300) == 0U, "elected in this turn");
    ends.note(Term{3}, Index{3}, 320);
    BOOST_TEST(ends.age_ms(Term{3}, Index{1}, 350) == 30U);
}

/// Voters from this id on, as many as there can be.
[[nodiscard]] Configuration full_cluster_from(std::uint64_t first)
{
    auto configuration = Configuration{};
    for (auto id = first; id < first + servers_max; ++id)
        (void)configuration.members.push_back({ServerId{id}, first_incarnation, MemberKind::voter});
    return configuration;
}

BOOST_AUTO_TEST_CASE(contacts_of_members_are_kept_and_those_of_others_give_way)
{
    auto       contacts = Contacts{};
    auto const before = full_cluster_from(1);
    auto const after = full_cluster_from(2); // 1 is out, 17 is in.
    contacts.note(ServerId{99}, before, 5);
    BOOST_TEST(not contacts.last_ms(ServerId{99}).has_value(), "no member, though there is a place");
    for (auto id = std::uint64_t{1}; id <= servers_max + 1; ++id)
        contacts.note(ServerId{id}, before, 10 * id);

    BOOST_TEST(contacts.last_ms(S1).value() == 10U);
    BOOST_TEST(not contacts.last_ms(ServerId{servers_max + 1}).has_value(), "no member");
    contacts.note(ServerId{servers_max + 1}, after, 500);
    BOOST_TEST(contacts.last_ms(ServerId{servers_max + 1}).value() == 500U);
    BOOST_TEST(not contacts.last_ms(S1).has_value());
    for (auto id = std::uint64_t{2}; id <= servers_max; ++id)
        BOOST_TEST(contacts.last_ms(ServerId{id}).value() == 10 * id);
}

} // namespace
} // namespace totora::test::lag_tests
