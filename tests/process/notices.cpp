// SPDX-License-Identifier: BSL-1.0
#include "../../docs/examples/kv/report/notices.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace kv::notices_tests
{

using totora::Decision;
using totora::DecisionNoted;
using totora::ServerId;

namespace
{

std::string line_of(Decision outcome) { return Notices{}.line({outcome, ServerId{2}}); }

} // namespace

BOOST_AUTO_TEST_SUITE(notices)

BOOST_AUTO_TEST_CASE(a_disk_without_room_is_named_here_and_at_a_follower, *boost::unit_test::label("case_90"))
{
    BOOST_TEST(line_of(Decision::room_exhausted).starts_with("its log has no room for entries"));
    BOOST_TEST(line_of(Decision::room_regained) == "its log has room for entries again");
    BOOST_TEST(line_of(Decision::follower_without_room).starts_with("server 2 has no room for entries"));
    BOOST_TEST(line_of(Decision::follower_with_room_again) == "server 2 has room for entries again");
    BOOST_TEST(line_of(Decision::leading_without_room).starts_with("leads without room in its log"));
}

BOOST_AUTO_TEST_CASE(every_reason_to_step_down_is_printed)
{
    for (auto at = std::size_t{0}; at < totora::decision_count; ++at) {
        auto const outcome = static_cast<Decision>(at);
        auto const steps_down =
            to_string(outcome).starts_with("stepped_down") and outcome != Decision::stepped_down_newer_term;
        BOOST_TEST(line_of(outcome).starts_with("steps down: ") == steps_down, to_string(outcome));
        BOOST_TEST(line_of(outcome).starts_with("server 2 broke the protocol: ") == is_violation(outcome),
                   to_string(outcome));
    }
}

BOOST_AUTO_TEST_CASE(what_keeps_a_server_from_campaigning_is_printed_once_until_it_has_passed)
{
    auto       notices = Notices{};
    auto const is_printed = [&](Decision outcome) { return not notices.line({outcome, ServerId{2}}).empty(); };

    BOOST_TEST(is_printed(Decision::campaign_withheld_no_room));
    BOOST_TEST(not is_printed(Decision::campaign_withheld_no_room));
    BOOST_TEST(not is_printed(Decision::vote_withheld_no_room));
    BOOST_TEST(not is_printed(Decision::newer_term_ignored_no_room));
    BOOST_TEST(not is_printed(Decision::vote_granted));
    BOOST_TEST(is_printed(Decision::campaign_withheld_no_room));
    BOOST_TEST(is_printed(Decision::room_regained));
    BOOST_TEST(is_printed(Decision::vote_withheld_no_room));
    BOOST_TEST(is_printed(Decision::campaign_withheld_disk_hangs));
    BOOST_TEST(not is_printed(Decision::campaign_withheld_disk_hangs));
    BOOST_TEST(not is_printed(Decision::vote_granted));
    BOOST_TEST(not is_printed(Decision::campaign_withheld_disk_hangs));
    BOOST_TEST(not is_printed(Decision::campaign_started));
    BOOST_TEST(is_printed(Decision::campaign_withheld_disk_hangs));
}

BOOST_AUTO_TEST_CASE(a_server_that_can_never_campaign_prints_why_once, *boost::unit_test::label("case_78"))
{
    auto       notices = Notices{};
    auto const line = notices.line({Decision::campaign_withheld_exhausted, totora::nobody});
    BOOST_TEST(line.starts_with("does not campaign: its term or its log has come to the last number there is"));
    BOOST_TEST(notices.line({Decision::campaign_withheld_exhausted, totora::nobody}) == "");
    BOOST_TEST(line_of(Decision::campaign_withheld_not_electable) ==
               "does not campaign: the log of the cluster does not name it as a voter");
}

BOOST_AUTO_TEST_CASE(a_protocol_broken_by_every_message_is_printed_at_powers_of_ten)
{
    auto notices = Notices{};
    auto printed = std::vector<std::string>{};
    for (auto times = 0; times < 1'000; ++times)
        if (auto line = notices.line({Decision::violation_term_jump, ServerId{2}}); not line.empty())
            printed.push_back(line);

    BOOST_REQUIRE(printed.size() == 4U);
    BOOST_TEST(printed[0].starts_with("server 2 broke the protocol: violation_term_jump"));
    BOOST_TEST(printed[3].starts_with("server 2 broke the protocol, 1000 times so far: violation_term_jump"));
    BOOST_TEST(not notices.line({Decision::violation_term_jump, ServerId{3}}).empty()); // Another sender.
    BOOST_TEST(not notices.line({Decision::violation_number, ServerId{2}}).empty());    // Another kind.
}

BOOST_AUTO_TEST_CASE(what_happens_all_the_time_is_not_printed)
{
    for (auto const outcome : {Decision::append_accepted, Decision::vote_granted, Decision::probe_moved_back,
                               Decision::response_outdated, Decision::ring_outdated})
        BOOST_TEST(line_of(outcome) == "");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kv::notices_tests
