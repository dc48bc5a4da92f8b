// SPDX-License-Identifier: BSL-1.0
#include "../../docs/examples/kv/report/information.hpp"
#include "../../docs/examples/kv/protocol/session.hpp"

#include <boost/test/unit_test.hpp>

namespace kv::information_tests
{

BOOST_AUTO_TEST_SUITE(information_of_a_server)

BOOST_AUTO_TEST_CASE(loading_is_what_clients_are_answered_and_not_whether_a_new_leader_is_ready)
{
    for (auto const loading : {false, true})
        for (auto const ready : {false, true}) {
            auto status = totora::Status{};
            status.ready = ready;
            auto facts = ServerFacts{};
            facts.loading = loading;

            auto const text = information(status, KeyValue{}, facts, {}, {});

            BOOST_TEST(info_field(text, "loading") == (loading ? "1" : "0"));
            BOOST_TEST(info_field(text, "raft_ready") == (ready ? "1" : "0"));
        }
}

BOOST_AUTO_TEST_CASE(a_disk_that_is_full_or_hangs_is_shown, *boost::unit_test::label("case_90"))
{
    auto status = totora::Status{};
    status.followers.resize(2);
    status.followers[0].server = totora::ServerId{2};
    status.followers[0].no_room = true;
    status.followers[1].server = totora::ServerId{3};
    status.followers[1].full = true;
    auto const well = information(status, KeyValue{}, {}, {}, {});
    status.room = totora::LogRoom::reserve_only;
    status.disk_hangs = true;
    auto const ill = information(status, KeyValue{}, {}, {}, {});

    BOOST_TEST(info_field(well, "raft_room") == "enough");
    BOOST_TEST(info_field(well, "raft_disk_hangs") == "0");
    BOOST_TEST(info_field(ill, "raft_room") == "reserve_only");
    BOOST_TEST(info_field(ill, "raft_disk_hangs") == "1");
    BOOST_TEST(info_field(ill, "raft_follower_2").ends_with("state=no_room"));
    BOOST_TEST(info_field(ill, "raft_follower_3").ends_with("state=queue_full"));
    status.followers[0].set_back = true;
    auto const worse = information(status, KeyValue{}, {}, {}, {});
    BOOST_TEST(info_field(worse, "raft_follower_2").ends_with("state=set_back"));
}

BOOST_AUTO_TEST_CASE(what_a_follower_lacks_and_where_it_is_is_shown)
{
    auto  status = totora::Status{};
    auto& follower = status.followers.emplace_back();
    follower.server = totora::ServerId{2};
    follower.match = totora::Index{5};
    follower.next = totora::Index{9};
    follower.in_flight = 3;
    follower.lag = 15;
    follower.lag_bytes = 915;
    follower.lag_ms = 70;
    follower.silent_ms = 40;
    follower.address = "h:7002";

    BOOST_TEST(info_field(information(status, KeyValue{}, {}, {}, {}), "raft_follower_2") ==
               "match=5,next=9,in_flight=3,lag=15,lag_bytes=915,lag_ms=70,silent_ms=40,address=h:7002,state=probing");
}

BOOST_AUTO_TEST_CASE(how_far_a_log_was_scrubbed_is_shown_if_it_is, *boost::unit_test::label("case_65"))
{
    auto       status = totora::Status{};
    auto const without = information(status, KeyValue{}, {}, {}, {});
    status.scrub = totora::ScrubStatus{.passes = 3, .bytes = 70, .bytes_total = 900};
    auto const with = information(status, KeyValue{}, {}, {}, {});

    BOOST_TEST(without.find("raft_scrub") == std::string::npos);
    BOOST_TEST(info_field(with, "raft_scrub_passes") == "3");
    BOOST_TEST(info_field(with, "raft_scrub_bytes") == "70");
    BOOST_TEST(info_field(with, "raft_scrub_bytes_total") == "900");
}

BOOST_AUTO_TEST_CASE(what_was_sent_twice_and_who_is_broken_is_counted)
{
    auto status = totora::Status{};
    status.entry_bytes_sent = 30;
    status.entry_bytes_received = 20;
    status.entry_bytes_stored = 10;
    status.payload_mismatches = 3;
    for (auto const outcome : {totora::Decision::violation_sender, totora::Decision::violation_configuration,
                               totora::Decision::ring_outdated})
        status.decisions[static_cast<std::size_t>(outcome)] = 4;

    auto const text = information(status, KeyValue{}, {}, {}, {});

    BOOST_TEST(info_field(text, "raft_entry_bytes_sent") == "30");
    BOOST_TEST(info_field(text, "raft_entry_bytes_received") == "20");
    BOOST_TEST(info_field(text, "raft_entry_bytes_stored") == "10");
    BOOST_TEST(info_field(text, "raft_payload_mismatches") == "3");
    BOOST_TEST(info_field(text, "raft_violations") == "8");
}

BOOST_AUTO_TEST_CASE(what_is_held_for_peers_at_most_is_no_less_than_now)
{
    auto idle = totora::TcpLoad{};
    idle.unfinished_bytes = 262'144;
    idle.unknown_unfinished_bytes = 65'536;
    idle.inbox_bytes = 7;
    idle.queued_bytes = 8;
    auto counters = totora::TcpCounters{};

    auto const quiet = information({}, KeyValue{}, {}, {}, counters, idle);
    counters.unfinished_bytes_most = 9'000'000;
    auto const later = information({}, KeyValue{}, {}, {}, counters, idle);

    BOOST_TEST(info_field(quiet, "peer_unfinished_bytes") == "262144");
    BOOST_TEST(info_field(quiet, "peer_unfinished_bytes_most") == "262144");
    BOOST_TEST(info_field(quiet, "peer_unknown_unfinished_bytes") == "65536");
    BOOST_TEST(info_field(quiet, "peer_inbox_bytes") == "7");
    BOOST_TEST(info_field(quiet, "peer_queued_bytes") == "8");
    BOOST_TEST(info_field(later, "peer_unfinished_bytes_most") == "9000000");
}

BOOST_AUTO_TEST_CASE(messages_of_peers_that_are_dropped_as_they_arrive_are_counted)
{
    auto counters = totora::TcpCounters{};
    counters.refused[static_cast<std::size_t>(totora::FrameError::bad_checksum)] = 2;
    counters.refused[static_cast<std::size_t>(totora::FrameError::another_sender)] = 3;

    auto const text = information({}, KeyValue{}, {}, {}, counters);

    BOOST_TEST(info_field(text, "peer_frames_refused") == "5");
}

BOOST_AUTO_TEST_CASE(the_address_that_clients_are_given_is_shown)
{
    auto facts = ServerFacts{};
    facts.client_address = "::1:6001";

    BOOST_TEST(info_field(information({}, KeyValue{}, facts, {}, {}), "own_client_address") == "::1:6001");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kv::information_tests
