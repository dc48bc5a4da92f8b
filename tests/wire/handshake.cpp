#include "support/frames.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>

using namespace totora;
using namespace totora::test;

namespace
{

constexpr auto self = Party{ServerId{2}, Incarnation{22}};

/// What server 2 says to this greeting.
std::optional<HandshakeFault> answer(Hello const& theirs, Route const& route = route_1_to_2,
                                     std::optional<Party> dialed = std::nullopt, Hello const& ours = {})
{
    auto const judged = judge_hello(ours, any_cluster, self, route, theirs, dialed);
    return judged ? std::nullopt : std::optional{judged.error().because};
}

} // namespace

BOOST_AUTO_TEST_SUITE(handshake)

BOOST_AUTO_TEST_CASE(two_equal_servers_agree)
{
    auto const judged = judge_hello({}, any_cluster, self, route_1_to_2, {});
    BOOST_REQUIRE(judged.has_value());
    BOOST_TEST((*judged == Agreement{1, FrameLimits{}.frame_bytes_max}));
}

BOOST_AUTO_TEST_CASE(the_lower_version_is_agreed)
{
    auto const judged = judge_hello({1, 3, {}}, any_cluster, self, route_1_to_2, {1, 2, {}});
    BOOST_REQUIRE(judged.has_value());
    BOOST_TEST(judged->version == 2);
}

BOOST_AUTO_TEST_CASE(versions_that_do_not_meet_are_refused)
{
    BOOST_TEST((answer({2, 5, {}}) == HandshakeFault::no_common_version));
    BOOST_TEST((answer({1, 1, {}}, route_1_to_2, std::nullopt, {2, 3, {}}) == HandshakeFault::no_common_version));
    BOOST_TEST((answer({3, 1, {}}) == HandshakeFault::no_common_version));
}

BOOST_AUTO_TEST_CASE(another_cluster_server_or_incarnation_is_refused)
{
    auto route = route_1_to_2;
    route.cluster = ClusterId{1};
    BOOST_TEST((answer({}, route) == HandshakeFault::another_cluster));

    route = route_1_to_2;
    route.addressee.id = ServerId{3};
    BOOST_TEST((answer({}, route) == HandshakeFault::another_server));

    route = route_1_to_2;
    route.addressee.incarnation = Incarnation{1};
    BOOST_TEST((answer({}, route) == HandshakeFault::another_incarnation));
}

BOOST_AUTO_TEST_CASE(a_server_that_claims_our_own_id_is_refused)
{
    auto route = route_1_to_2;
    route.sender.id = self.id;
    BOOST_TEST((answer({}, route) == HandshakeFault::another_server));
}

BOOST_AUTO_TEST_CASE(who_answers_must_be_whom_we_dialed)
{
    BOOST_TEST(not answer({}, route_1_to_2, route_1_to_2.sender).has_value());
    BOOST_TEST((answer({}, route_1_to_2, Party{ServerId{3}, Incarnation{11}}) == HandshakeFault::another_server));
    BOOST_TEST((answer({}, route_1_to_2, Party{ServerId{1}, Incarnation{12}}) == HandshakeFault::another_incarnation));
}

BOOST_AUTO_TEST_CASE(limits_under_which_an_entry_could_not_be_carried_are_refused_by_both,
                     *boost::unit_test::label("case_84"))
{
    auto smaller = Hello{};
    smaller.limits.entry_bytes_max -= 1;
    BOOST_TEST((answer(smaller) == HandshakeFault::unequal_limits));
    BOOST_TEST((answer({}, route_1_to_2, std::nullopt, smaller) == HandshakeFault::unequal_limits));

    auto fewer = Hello{};
    fewer.limits.servers_max -= 1;
    BOOST_TEST((answer(fewer) == HandshakeFault::unequal_limits));

    auto const judged = judge_hello({}, any_cluster, self, route_1_to_2, smaller);
    BOOST_TEST(judged.error().sentence.find("entry_bytes_max is 8388608 here and 8388607 there") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_lower_frame_limit_is_agreed_if_it_holds_the_largest_entry, *boost::unit_test::label("case_84"))
{
    auto const least = static_cast<std::uint32_t>(frame_bytes_for(FrameLimits{}.entry_bytes_max));
    auto       hello = Hello{};
    hello.limits.frame_bytes_max = least;
    auto const judged = judge_hello({}, any_cluster, self, route_1_to_2, hello);
    BOOST_REQUIRE(judged.has_value());
    BOOST_TEST(judged->frame_bytes_max == least);

    hello.limits.frame_bytes_max = least - 1;
    BOOST_TEST((answer(hello) == HandshakeFault::unequal_limits));
}

BOOST_AUTO_TEST_SUITE_END()
