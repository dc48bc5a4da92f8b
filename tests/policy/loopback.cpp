#include "totora/transport/loopback.hpp"
#include "support/frames.hpp"
#include "totora/data/identity.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>
#include <variant>

namespace totora::test::loopback_tests
{
namespace
{

constexpr auto S1 = ServerId{1};
constexpr auto S2 = ServerId{2};

void send(Loopback& from, ServerId to, Rpc const& rpc)
{
    auto const envelope = Envelope{to, rpc, Release::at_once()};
    from.send(*envelope.open(), Entries{});
}

std::optional<Received> receive(Loopback& at)
{
    auto event = at.receive();
    if (not event)
        return std::nullopt;
    return std::get<Received>(*event);
}

Rpc vote_request(std::uint64_t term) { return RequestVote{.term = Term{term}, .last_log = {}}; }

} // namespace

BOOST_AUTO_TEST_SUITE(loopback)

BOOST_AUTO_TEST_CASE(messages_arrive_in_the_order_of_sending)
{
    auto network = LoopbackNetwork{};
    auto one = network.join(S1, first_incarnation);
    auto two = network.join(S2, first_incarnation);

    send(one, S2, vote_request(1));
    send(one, S2, vote_request(2));

    BOOST_TEST(network.waiting() == 2U);
    auto const first = receive(two);
    BOOST_REQUIRE(first.has_value());
    BOOST_TEST((first->from == S1));
    BOOST_TEST((first->rpc == vote_request(1)));
    BOOST_TEST((receive(two)->rpc == vote_request(2)));
    BOOST_TEST(not receive(two).has_value());
    BOOST_TEST(not receive(one).has_value());
}

BOOST_AUTO_TEST_CASE(a_cut_in_one_direction_leaves_the_other)
{
    auto network = LoopbackNetwork{};
    auto one = network.join(S1, first_incarnation);
    auto two = network.join(S2, first_incarnation);

    network.disconnect_one_way(S1, S2);
    send(one, S2, vote_request(1));
    send(two, S1, vote_request(2));

    BOOST_TEST(not receive(two).has_value());
    BOOST_TEST(receive(one).has_value());
    BOOST_TEST(network.lost() == 1U);

    network.connect(S1, S2);
    send(one, S2, vote_request(3));
    BOOST_TEST(receive(two).has_value());
}

BOOST_AUTO_TEST_CASE(a_message_to_a_server_that_has_left_is_lost)
{
    auto network = LoopbackNetwork{};
    auto one = network.join(S1, first_incarnation);
    {
        auto two = network.join(S2, first_incarnation);
        send(one, S2, vote_request(1));
    }
    send(one, S2, vote_request(2));

    auto again = network.join(S2, first_incarnation);
    BOOST_TEST(not receive(again).has_value());
    send(one, S2, vote_request(3));
    BOOST_TEST((receive(again)->rpc == vote_request(3)));
}

BOOST_AUTO_TEST_CASE(a_message_for_another_incarnation_is_lost)
{
    auto network = LoopbackNetwork{};
    auto one = network.join(S1, first_incarnation);
    auto two = network.join(S2, Incarnation{2});

    one.update(S2, first_incarnation, {});
    send(one, S2, vote_request(1));
    BOOST_TEST(not receive(two).has_value());

    one.update(S2, Incarnation{2}, {});
    send(one, S2, vote_request(2));
    BOOST_TEST(receive(two).has_value());

    one.update(S2, first_incarnation, {});
    one.remove(S2); // A server of which no incarnation is known is reached in any.
    send(one, S2, vote_request(3));
    BOOST_TEST(receive(two).has_value());
}

BOOST_AUTO_TEST_CASE(requests_of_another_incarnation_are_delivered_and_its_responses_are_not)
{
    auto network = LoopbackNetwork{};
    auto one = network.join(S1, first_incarnation);
    auto two = network.join(S2, Incarnation{2});
    one.update(S2, first_incarnation, {});

    send(two, S1, RequestVoteResponse{.term = Term{1}, .vote_granted = true});
    send(two, S1, vote_request(2));

    BOOST_TEST((receive(one)->rpc == vote_request(2)));
    BOOST_TEST(network.lost() == 1U);
}

BOOST_AUTO_TEST_CASE(messages_through_the_codec_arrive_unchanged)
{
    auto       network = LoopbackNetwork{Carry::frames};
    auto       one = network.join(S1, first_incarnation);
    auto       two = network.join(S2, first_incarnation);
    auto const append = test::make_configuration_append(Term{7}, Index{41}, 3);

    auto const envelope = Envelope{S2, append.rpc, Release::at_once()};
    one.send(*envelope.open(), append.entries);
    send(one, S2, vote_request(2));

    auto const first = receive(two);
    BOOST_REQUIRE(first.has_value());
    BOOST_TEST((first->from == S1));
    BOOST_TEST((first->rpc == Rpc{append.rpc}));
    BOOST_TEST(first->entries.count() == 3U);
    BOOST_TEST((receive(two)->rpc == vote_request(2)));
    BOOST_TEST(network.refused() == 0U);
}

BOOST_AUTO_TEST_CASE(a_message_that_no_correct_server_sends_does_not_pass_the_codec)
{
    auto network = LoopbackNetwork{Carry::frames};
    auto one = network.join(S1, first_incarnation);
    auto two = network.join(S2, first_incarnation);

    send(one, S2, vote_request(number_max + 1));

    BOOST_TEST(not receive(two).has_value());
    BOOST_TEST(network.refused() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::loopback_tests
