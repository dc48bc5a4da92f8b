#include "support/frames.hpp"
#include "totora/transport/tcp/inbox.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <vector>

namespace totora::test::tcp_inbox_tests
{
namespace
{

constexpr auto any_link = LinkChanged{ServerId{2}, Link::open};

[[nodiscard]] TcpSettings room_for(std::size_t events, std::uint64_t bytes = 1U << 20U)
{
    auto settings = TcpSettings{};
    settings.inbox_events_max = events;
    settings.inbox_bytes_max = bytes;
    return settings;
}

BOOST_AUTO_TEST_CASE(an_inbox_that_was_full_has_no_room_until_half_of_it_was_taken)
{
    auto const settings = room_for(4);
    auto       inbox = TcpInbox{settings};

    auto rooms = std::vector<bool>{};
    for (auto event = 0; event < 4; ++event) {
        inbox.put(any_link);
        rooms.push_back(inbox.has_room());
    }
    for (auto event = 0; event < 4; ++event) {
        BOOST_TEST(inbox.take().has_value());
        rooms.push_back(inbox.has_room());
    }

    BOOST_TEST(rooms == (std::vector<bool>{true, true, true, false, false, true, true, true}),
               boost::test_tools::per_element());
    BOOST_TEST(not inbox.take().has_value());
}

/// Reading resumes when half is taken, and not before: what comes meanwhile, as the
/// news of a link does, makes no room.
BOOST_AUTO_TEST_CASE(what_is_put_into_a_full_inbox_makes_no_room)
{
    auto const settings = room_for(8);
    auto       inbox = TcpInbox{settings};
    while (inbox.has_room())
        inbox.put(any_link);
    for (auto event = 0; event < 3; ++event)
        static_cast<void>(inbox.take());

    inbox.put(any_link);

    BOOST_TEST(not inbox.has_room());
}

BOOST_AUTO_TEST_CASE(an_inbox_is_full_of_bytes_as_well)
{
    auto const append = make_append(Term{1}, Index{1}, {{EntryKind::command, bytes_of("a reed")}});
    auto const settings = room_for(1000, 2 * append.entries.bytes());
    auto       inbox = TcpInbox{settings};

    inbox.put(Received{ServerId{2}, append.rpc, append.entries});
    BOOST_TEST(inbox.has_room());
    inbox.put(Received{ServerId{2}, append.rpc, append.entries});
    BOOST_TEST(not inbox.has_room());

    static_cast<void>(inbox.take());
    BOOST_TEST(inbox.has_room());
}

BOOST_AUTO_TEST_CASE(what_may_overtake_is_taken_before_what_may_not, *boost::unit_test::label("case_94"))
{
    auto const append = make_append(Term{1}, Index{1}, {{EntryKind::command, bytes_of("a reed")}});
    auto const vote = Rpc{RequestVote{.term = Term{2}, .last_log = {}}};
    auto const settings = room_for(10);
    auto       inbox = TcpInbox{settings};
    inbox.put(Received{ServerId{2}, append.rpc, append.entries});
    inbox.put(Received{ServerId{2}, append.rpc, append.entries});
    inbox.put(Received{ServerId{3}, vote, {}});
    inbox.put(any_link);

    auto taken = std::vector<TransportEvent>{};
    while (auto event = inbox.take())
        taken.push_back(std::move(*event));

    BOOST_REQUIRE(taken.size() == 4U);
    BOOST_TEST((std::get<Received>(taken[0]).rpc == vote));
    BOOST_TEST((std::get<LinkChanged>(taken[1]) == any_link));
    BOOST_TEST((std::get<Received>(taken[2]).rpc == Rpc{append.rpc}));
    BOOST_TEST((std::get<Received>(taken[3]).rpc == Rpc{append.rpc}));
}

BOOST_AUTO_TEST_CASE(an_inbox_wakes_when_it_is_no_longer_empty)
{
    auto const settings = room_for(10);
    auto       inbox = TcpInbox{settings};
    auto       woken = 0;
    inbox.put(any_link);
    inbox.set_wake([&] { ++woken; });
    BOOST_TEST(woken == 1);

    inbox.put(any_link);
    BOOST_TEST(woken == 1);
    static_cast<void>(inbox.take());
    static_cast<void>(inbox.take());
    inbox.put(any_link);

    BOOST_TEST(woken == 2);
}

} // namespace
} // namespace totora::test::tcp_inbox_tests
