#include "totora/transport/tcp/lives.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>

namespace totora::test::tcp_lives_tests
{
namespace
{

using boost::unit_test::label;
using enum LifeVerdict;

constexpr auto party = Party{ServerId{1}, Incarnation{1}};
constexpr auto seconds = [](int count) { return TcpLives::Time{} + std::chrono::seconds(count); };

/// Processes whose handshakes begin and end at once, unless a test does otherwise.
struct Met
{
    [[nodiscard]] LifeVerdict meets(Life life, int at = 0)
    {
        return lives.complete(party, life, lives.begin(), seconds(at));
    }

    TcpLives lives{std::chrono::seconds(10)};
};

BOOST_AUTO_TEST_SUITE(tcp_lives, *label("case_95"))

BOOST_AUTO_TEST_CASE(a_process_that_returns_is_known)
{
    auto met = Met{};
    BOOST_TEST((met.meets({5, 50}) == known));
    BOOST_TEST((met.meets({5, 50}) == known));
    BOOST_TEST((met.lives.newest(party) == Life{5, 50}));
}

BOOST_AUTO_TEST_CASE(a_later_start_is_newer_and_of_equal_starts_the_later_to_arrive)
{
    auto met = Met{};
    BOOST_TEST((met.meets({5, 50}) == known));
    BOOST_TEST((met.meets({6, 60}) == newer));
    BOOST_TEST((met.meets({6, 61}) == newer));
    BOOST_TEST((met.meets({6, 61}) == known));
}

BOOST_AUTO_TEST_CASE(processes_of_different_servers_are_independent)
{
    auto met = Met{};
    BOOST_TEST((met.meets({6, 60}) == known));
    BOOST_TEST((met.lives.complete({ServerId{2}, Incarnation{1}}, {5, 50}, met.lives.begin(), seconds(0)) == known));
    BOOST_TEST((met.lives.complete({ServerId{1}, Incarnation{2}}, {5, 50}, met.lives.begin(), seconds(0)) == known));
}

BOOST_AUTO_TEST_CASE(an_older_process_whose_handshake_began_earlier_is_superseded)
{
    auto       met = Met{};
    auto const begun = met.lives.begin();
    BOOST_TEST((met.meets({6, 60}) == known));
    BOOST_TEST((met.lives.complete(party, {5, 50}, begun, seconds(0)) == superseded));

    auto const equal = met.lives.begin();
    BOOST_TEST((met.meets({6, 61}) == newer));
    BOOST_TEST((met.lives.complete(party, {6, 60}, equal, seconds(0)) == superseded));
    BOOST_TEST((met.lives.complete(party, {6, 62}, equal, seconds(0)) == superseded));
    BOOST_TEST((met.meets({6, 61}) == known));
}

BOOST_AUTO_TEST_CASE(an_older_process_whose_handshake_began_later_is_a_second_one)
{
    auto met = Met{};
    BOOST_TEST((met.meets({6, 60}) == known));
    BOOST_TEST((met.meets({5, 50}) == twice));
    BOOST_TEST((met.meets({6, 60}) == twice));

    auto equal = Met{};
    BOOST_TEST((equal.meets({1, 10}) == known));
    BOOST_TEST((equal.meets({1, 11}) == newer));
    BOOST_TEST((equal.meets({1, 10}) == twice));
}

BOOST_AUTO_TEST_CASE(three_processes_that_alternate_are_detected)
{
    auto met = Met{};
    BOOST_TEST((met.meets({1, 10}) == known));
    BOOST_TEST((met.meets({1, 11}) == newer));
    BOOST_TEST((met.meets({1, 12}) == newer));
    BOOST_TEST((met.meets({1, 10}) == twice));
}

BOOST_AUTO_TEST_CASE(two_processes_are_refused_while_both_retry_and_the_remaining_one_is_accepted)
{
    auto met = Met{};
    BOOST_TEST((met.meets({6, 60}) == known));
    for (auto second = 0; second < 100; second += 5) {
        BOOST_TEST((met.meets({5, 50}, second) == twice));
        BOOST_TEST((met.meets({6, 60}, second + 1) == twice));
    }
    BOOST_TEST((met.meets({6, 60}, 105) == twice));
    BOOST_TEST((met.meets({6, 60}, 110) == newer)); // The other one was last met at 95.
    BOOST_TEST((met.meets({6, 60}, 111) == known));

    auto equal = Met{}; // As of logs that are kept in memory.
    BOOST_TEST((equal.meets({0, 60}) == known));
    BOOST_TEST((equal.meets({0, 61}) == newer));
    BOOST_TEST((equal.meets({0, 60}) == twice));
    BOOST_TEST((equal.meets({0, 60}, 11) == newer));
}

/// Its disk was lost, or is that of an earlier day.
BOOST_AUTO_TEST_CASE(a_remaining_process_of_a_lower_start_is_refused_as_set_back, *label("case_68"))
{
    auto met = Met{};
    BOOST_TEST((met.meets({6, 60}) == known));
    BOOST_TEST((met.meets({1, 70}, 1) == twice)); // Not known yet to have ended: the other one.
    BOOST_TEST((met.meets({1, 70}, 12) == set_back));
    BOOST_TEST((met.meets({1, 70}, 100) == set_back));
    BOOST_TEST((met.meets({2, 80}, 200) == set_back));
    BOOST_TEST(met.lives.highest_start(party) == 6U);

    BOOST_TEST((met.meets({7, 90}, 300) == newer)); // The right disk is back.
    BOOST_TEST((met.meets({7, 90}, 301) == known));
    BOOST_TEST((met.meets({8, 91}, 302) == newer));
    BOOST_TEST(met.lives.highest_start(party) == 8U);
}

BOOST_AUTO_TEST_CASE(of_servers_that_are_not_known_only_the_latest_are_remembered)
{
    auto       lives = TcpLives{std::chrono::seconds(10)};
    auto const is_known = [](Party const& one) { return one.id == ServerId{1}; };
    for (auto id = std::uint64_t{1}; id <= 2 * TcpLives::met_max; ++id) {
        BOOST_TEST((lives.complete({ServerId{id}, Incarnation{1}}, {5, id}, lives.begin(), seconds(int(id))) == known));
        lives.forget(is_known);
    }

    BOOST_TEST(lives.size() == TcpLives::met_max);
    BOOST_TEST(lives.highest_start({ServerId{1}, Incarnation{1}}) == 5U);
    BOOST_TEST(lives.highest_start({ServerId{2}, Incarnation{1}}) == 0U);
    BOOST_TEST(lives.highest_start({ServerId{2 * TcpLives::met_max}, Incarnation{1}}) == 5U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace totora::test::tcp_lives_tests
