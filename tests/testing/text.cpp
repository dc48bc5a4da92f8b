#include "totora/testing/text.hpp"

#include "totora/core/message.hpp"
#include "totora/testing/simulate/trace_event_text.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace totora::test::text_tests
{

using testing::to_json;
using testing::to_string;

BOOST_AUTO_TEST_SUITE(text)

BOOST_AUTO_TEST_CASE(a_message_is_spelled_as_a_test_would_make_it)
{
    auto const append = AppendEntries{.term = Term{3},
                                      .previous = {Term{2}, Index{5}},
                                      .entries = {Term{3}, Index{6}, 2},
                                      .leader_commit = Index{4},
                                      .round = Round{7},
                                      .number = AppendNumber{8},
                                      .committed = Index{5}};

    BOOST_TEST(to_string(Rpc{append}) ==
               "AppendEntries{Term{3}, {Term{2}, Index{5}}, {Term{3}, Index{6}, 2}, Index{4}, "
               "Round{7}, AppendNumber{8}, Index{5}}");
    BOOST_TEST(to_string(Rpc{RequestVote{Term{3}, {Term{2}, Index{5}}, true}}) ==
               "RequestVote{Term{3}, {Term{2}, Index{5}}, true}");
    BOOST_TEST(to_string(MessageBody{LinkChanged{ServerId{2}, Link::unreachable}}) ==
               "LinkChanged{S2, Link::unreachable}");
    BOOST_TEST(to_string(MessageBody{AlarmRang{Alarm::replay, Arming{3}}}) == "AlarmRang{Alarm::replay, Arming{3}}");
    BOOST_TEST(to_string(MessageBody{Started{}}) == "Started{}");
    BOOST_TEST(to_string(MessageBody{AppendConfiguration{{}, {Index{3}, {}}}}) ==
               "AppendConfiguration{{Term{0}, {Term{0}, Index{0}}, {Term{0}, Index{0}, 0}, Index{0}, Round{0}, "
               "AppendNumber{0}, Index{0}}, {Index{3}, {}, {1, 1, 8388608, 16}}}");
}

BOOST_AUTO_TEST_CASE(a_message_is_json_with_a_member_for_each_field)
{
    auto response = AppendEntriesResponse{};
    response.term = Term{3};
    response.success = true;
    response.conflict_hint = {Term{2}, Index{5}};
    BOOST_TEST(to_json(response) ==
               R"({"term": 3, "success": true, "match": 0, "conflict_hint": {"term": 2, "index": 5}, "round": 0, )"
               R"("number": 0, "no_room": false})");

    auto members = Members{};
    members.push_back({ServerId{1}, Incarnation{2}, MemberKind::voter});
    members.push_back({ServerId{3}, Incarnation{1}, MemberKind::voter});
    BOOST_TEST(to_json(Configuration{Index{7}, members}) ==
               R"({"index": 7, "members": [{"id": 1, "incarnation": 2, "kind": "voter"}, )"
               R"({"id": 3, "incarnation": 1, "kind": "voter"}], )"
               R"("agreed": {"formats": 1, "machine": 1, "entry_bytes_max": 8388608, "servers_max": 16}})");
}

BOOST_AUTO_TEST_CASE(a_line_of_a_trace_names_the_message_and_its_fields)
{
    auto event = simulate::TraceEvent{};
    event.what = simulate::TraceEventKind::message;
    event.from = ServerId{2};
    event.rpc = RequestVoteResponse{Term{4}, true};

    BOOST_TEST(
        to_json(event).find(R"("message": "RequestVoteResponse", "fields": {"term": 4, "vote_granted": true})") !=
        std::string::npos);
    BOOST_TEST(to_json(event).find(R"("after": {"role": "follower", "term": 0, "vote": 0,)") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::text_tests
