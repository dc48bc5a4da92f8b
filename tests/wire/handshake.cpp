#include "support/frames.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace totora::test::handshake_tests
{
namespace
{

constexpr auto self = Party{ServerId{2}, Incarnation{22}};

/// What server 2 answers to this hello.
std::optional<HandshakeFault> answer(Hello const& theirs, Route const& route = route_1_to_2,
                                     std::optional<Party> dialed = std::nullopt, Hello const& ours = {})
{
    auto const agreed = check_hello(ours, any_cluster, self, route, theirs, dialed);
    return agreed ? std::nullopt : std::optional{agreed.error().because};
}

} // namespace

BOOST_AUTO_TEST_SUITE(handshake)

BOOST_AUTO_TEST_CASE(kinds_of_frames_and_reasons_of_refusals_have_names)
{
    BOOST_TEST(to_string(FrameKind::install_snapshot_response) == "install_snapshot_response");
    BOOST_TEST(to_string(static_cast<FrameKind>(14)) == "unknown");
    BOOST_TEST(to_string(HandshakeFault::two_lives) == "two_lives");
    BOOST_TEST(to_string(static_cast<HandshakeFault>(10)) == "unknown");
}

BOOST_AUTO_TEST_CASE(two_equal_servers_agree)
{
    auto const agreed = check_hello({}, any_cluster, self, route_1_to_2, {});
    BOOST_REQUIRE(agreed.has_value());
    BOOST_TEST((*agreed == Agreement{1, FrameLimits{}.frame_bytes_max}));
}

BOOST_AUTO_TEST_CASE(the_lower_version_is_agreed)
{
    auto const agreed = check_hello(hello_of(1, 3), any_cluster, self, route_1_to_2, hello_of(1, 2));
    BOOST_REQUIRE(agreed.has_value());
    BOOST_TEST(agreed->version == 2);
}

BOOST_AUTO_TEST_CASE(versions_that_do_not_meet_are_refused)
{
    BOOST_TEST((answer(hello_of(2, 5)) == HandshakeFault::no_common_version));
    BOOST_TEST(
        (answer(hello_of(1, 1), route_1_to_2, std::nullopt, hello_of(2, 3)) == HandshakeFault::no_common_version));
    BOOST_TEST((answer(hello_of(3, 1)) == HandshakeFault::no_common_version));
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

BOOST_AUTO_TEST_CASE(who_asks_which_incarnation_runs_here_is_answered_and_a_server_that_was_dialed_must_know_its_own)
{
    auto route = route_1_to_2;
    route.addressee.incarnation = unknown_incarnation;

    BOOST_TEST(not answer({}, route).has_value());
    BOOST_TEST((answer({}, route, route.sender) == HandshakeFault::another_incarnation));
    route.addressee.id = ServerId{3};
    BOOST_TEST((answer({}, route) == HandshakeFault::another_server));
}

BOOST_AUTO_TEST_CASE(a_server_that_claims_our_own_id_is_refused)
{
    auto route = route_1_to_2;
    route.sender.id = self.id;
    BOOST_TEST((answer({}, route) == HandshakeFault::another_server));
}

BOOST_AUTO_TEST_CASE(a_group_that_is_not_served_here_is_refused)
{
    auto route = route_1_to_2;
    route.group = 1;
    BOOST_TEST((answer({}, route) == HandshakeFault::another_group));
}

BOOST_AUTO_TEST_CASE(a_feature_that_must_be_understood_and_is_not_is_refused_and_named)
{
    auto later = Hello{};
    later.features.may_ignore = UINT64_MAX;
    BOOST_TEST(not answer(later).has_value());

    later.features.must_understand = 0b1000;
    auto const agreed = check_hello({}, any_cluster, self, route_1_to_2, later);
    BOOST_REQUIRE(not agreed.has_value());
    BOOST_TEST((agreed.error().because == HandshakeFault::unknown_feature));
    BOOST_TEST(agreed.error().what ==
               "server 1 (incarnation 11) needs feature 3, which server 2 (incarnation 22) does not know");
}

BOOST_AUTO_TEST_CASE(servers_given_different_members_are_refused_and_both_lists_are_shown,
                     *boost::unit_test::label("case_95"))
{
    auto const hello_with = [](std::vector<Peer> const& peers) {
        auto hello = Hello{};
        hello.first_members = members_of(peers);
        return hello;
    };
    auto const what = [&](Hello const& ours, Hello const& theirs, ClusterId cluster) {
        auto const agreed = check_hello(ours, cluster, self, route_1_to_2, theirs);
        return agreed ? std::string{} : agreed.error().what;
    };
    auto const one = std::vector{Peer{{ServerId{1}, first_incarnation}, "10.0.0.1:7001"}};
    auto const three = make_peers(3);
    auto       moved = std::vector{three[2], three[0], three[1]};
    moved[0].address = "10.0.0.2:7001";
    auto const prefix = std::string{"server 1 (incarnation 11) is of another cluster than server 2 (incarnation 22)"};
    auto const list = std::string{"1 (incarnation 11), 2 (incarnation 22), 3 (incarnation 33) (learner)"};

    BOOST_TEST(what(hello_with(three), hello_with(one), any_cluster) == prefix + ": first members 1 against " + list);
    BOOST_TEST(what(hello_with(one), hello_with(three), ClusterId{1}) ==
               prefix + ": first members " + list + " against 1");
    BOOST_TEST(what(hello_with(three), hello_with(moved), any_cluster) == "");
    BOOST_TEST(what(hello_with(three), hello_with(moved), ClusterId{1}) ==
               prefix + ": both were made of " + list + ", under other names or tokens");
    // A server that joined later was given the cluster's id and no members.
    BOOST_TEST(what(hello_with({}), hello_with(one), any_cluster) == "");
    BOOST_TEST(what(hello_with(three), hello_with({}), any_cluster) == "");
    BOOST_TEST(what(hello_with({}), hello_with(one), ClusterId{1}) == prefix);
}

BOOST_AUTO_TEST_CASE(the_id_of_a_cluster_is_made_of_its_first_members_but_not_of_their_addresses,
                     *boost::unit_test::label("case_95"))
{
    auto const three = make_peers(3);
    auto const id = cluster_of("trial", three);
    BOOST_TEST(id.value == 0x25A2D7071AF7DDF1U, "every version computes the same for a server that is made later");

    auto moved = std::vector{three[2], three[0], three[1]};
    moved[0].address = "elsewhere";
    BOOST_TEST((cluster_of("trial", moved) == id));

    auto const with = [&](auto change) {
        auto peers = three;
        change(peers);
        return cluster_of("trial", peers);
    };
    auto const ids = std::vector{id,
                                 cluster_of("trial"),
                                 cluster_of("trial", {}),
                                 cluster_of("other", three),
                                 cluster_of("trial", three, "token"),
                                 cluster_of("trial", three, "nekot"),
                                 with([](auto& peers) { peers.pop_back(); }),
                                 with([](auto& peers) { peers[0].member.id = ServerId{4}; }),
                                 with([](auto& peers) { peers[0].member.incarnation = Incarnation{1}; }),
                                 with([](auto& peers) { peers[2].member.kind = MemberKind::voter; })};
    BOOST_TEST(std::set<ClusterId>(ids.begin(), ids.end()).size() == ids.size());
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

    auto const agreed = check_hello({}, any_cluster, self, route_1_to_2, smaller);
    BOOST_TEST(agreed.error().what.find("entry_bytes_max is 8388608 here and 8388607 there") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(who_can_more_than_every_cluster_begins_with_is_taken, *boost::unit_test::label("case_110"))
{
    auto more = Hello{};
    more.limits.entry_bytes_max *= 2;
    more.limits.frame_bytes_max *= 2;
    more.limits.servers_max += 4;
    more.formats = 2;
    more.machine = 9;
    BOOST_TEST(not answer(more).has_value());
    BOOST_TEST(not answer({}, route_1_to_2, std::nullopt, more).has_value());
    BOOST_TEST((abilities_of(more) == Abilities{2, 9, 16U << 20U, 20}));

    auto frames_too_short = more;
    frames_too_short.limits.frame_bytes_max = frames_too_short.limits.entry_bytes_max;
    BOOST_TEST((answer(frames_too_short, route_1_to_2, std::nullopt, more) == HandshakeFault::unequal_limits));
}

BOOST_AUTO_TEST_CASE(the_lower_frame_limit_is_agreed_if_it_holds_the_largest_entry, *boost::unit_test::label("case_84"))
{
    auto const least = static_cast<std::uint32_t>(frame_bytes_for(FrameLimits{}.entry_bytes_max));
    auto       hello = Hello{};
    hello.limits.frame_bytes_max = least;
    auto const agreed = check_hello({}, any_cluster, self, route_1_to_2, hello);
    BOOST_REQUIRE(agreed.has_value());
    BOOST_TEST(agreed->frame_bytes_max == least);

    hello.limits.frame_bytes_max = least - 1;
    BOOST_TEST((answer(hello) == HandshakeFault::unequal_limits));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::handshake_tests
